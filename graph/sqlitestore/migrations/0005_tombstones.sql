-- What was forgotten, by keyed hashes of ids: the salt is in meta, in
-- hexadecimal digits. A root is an id that was asked to be forgotten.
CREATE TABLE tombstones (
  key  BLOB PRIMARY KEY,
  root BLOB NOT NULL,
  form TEXT NOT NULL, -- '' for a relation
  at   INTEGER NOT NULL,
  done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_roots ON tombstones (key) WHERE key = root;
CREATE INDEX tombstones_by_root ON tombstones (root);
