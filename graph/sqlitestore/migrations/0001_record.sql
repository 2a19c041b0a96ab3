-- Days are integers counted from 0001-01-01; moments are microseconds since
-- 1970-01-01 UTC. Text compares by code point everywhere (BINARY). Small
-- integers that stand for words are explained in codes.go.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE datasets (
  name        TEXT PRIMARY KEY,
  title       TEXT NOT NULL,
  priority    INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  edition     BLOB NOT NULL,
  complete    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The relation types in use.
CREATE TABLE types (
  code INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Entities, events and sources as the record has them now.
CREATE TABLE nodes (
  row       INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  form      TEXT NOT NULL,
  kind      TEXT NOT NULL,
  name      TEXT NOT NULL,
  folded    TEXT NOT NULL, -- the name as lists are ordered by it
  canonical TEXT NOT NULL,
  datasets  TEXT NOT NULL, -- JSON list; '' where the node is withdrawn
  aliases   TEXT NOT NULL, -- JSON list; '' where there are none
  earliest  INTEGER NOT NULL,
  latest    INTEGER NOT NULL,
  content   TEXT NOT NULL  -- JSON: what has no column
) STRICT;
CREATE INDEX nodes_by_name ON nodes (folded, id) WHERE form = 'ENTITY' AND datasets <> '';

CREATE TABLE node_datasets (
  dataset TEXT NOT NULL,
  node    INTEGER NOT NULL,
  PRIMARY KEY (dataset, node)
) STRICT, WITHOUT ROWID;

-- What entities that are not withdrawn are found by.
CREATE TABLE external_ids (
  external TEXT NOT NULL,
  node     INTEGER NOT NULL,
  PRIMARY KEY (external, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_terms (
  term TEXT NOT NULL,
  node INTEGER NOT NULL,
  PRIMARY KEY (term, node)
) STRICT, WITHOUT ROWID;

-- What each data set says of each node, in versions. A version stands while
-- superseded_at is null.
CREATE TABLE statements (
  row           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL,
  dataset       TEXT NOT NULL,
  content       TEXT NOT NULL, -- JSON
  hash          BLOB NOT NULL,
  recorded_at   INTEGER NOT NULL,
  superseded_at INTEGER
) STRICT;
CREATE UNIQUE INDEX statements_standing ON statements (dataset, id) WHERE superseded_at IS NULL;
CREATE INDEX statements_versions ON statements (id, dataset, recorded_at);

-- All versions of all relations. Each version is in one of the two indexes
-- over ids.
CREATE TABLE relations (
  row           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL,
  type          INTEGER NOT NULL,
  standing      INTEGER NOT NULL, -- the nature of the type: 1 standing, 0 act
  source        TEXT NOT NULL,
  target        TEXT NOT NULL,
  edtf          TEXT NOT NULL,
  earliest      INTEGER NOT NULL,
  certain_from  INTEGER NOT NULL,
  certain_to    INTEGER NOT NULL,
  latest        INTEGER NOT NULL,
  sort_day      INTEGER NOT NULL,
  start_kind    INTEGER NOT NULL,
  end_kind      INTEGER NOT NULL,
  basis         INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  claimed_by    TEXT NOT NULL,
  accredited_to TEXT NOT NULL,
  event         TEXT NOT NULL,
  cameo         TEXT NOT NULL,
  family        TEXT NOT NULL,
  goldstein     REAL,
  confidence    REAL,
  dataset       TEXT NOT NULL,
  rest          TEXT NOT NULL, -- JSON: places, about, and what no filter reads; '' for nothing
  hash          BLOB NOT NULL,
  recorded_at   INTEGER NOT NULL,
  superseded_at INTEGER
) STRICT;
CREATE UNIQUE INDEX relations_standing ON relations (id) WHERE superseded_at IS NULL;
CREATE INDEX relations_former ON relations (id, recorded_at) WHERE superseded_at IS NOT NULL;
CREATE INDEX relations_by_day ON relations (sort_day DESC, id) WHERE superseded_at IS NULL;
CREATE INDEX relations_by_dataset ON relations (dataset, id) WHERE superseded_at IS NULL;
CREATE INDEX relations_by_event ON relations (event) WHERE superseded_at IS NULL AND event <> '';
CREATE INDEX relations_by_holder ON relations (type, source) WHERE superseded_at IS NULL AND standing = 1;

-- The standing versions at each entity, newest first, so that a page is read
-- in order. A relation has one row at each end, and one row if the ends are one.
CREATE TABLE adjacency (
  entity   INTEGER NOT NULL,
  sort_day INTEGER NOT NULL,
  id       TEXT NOT NULL,
  relation INTEGER NOT NULL,
  traits   INTEGER NOT NULL, -- bits: 1 goes out, 2 comes in, 4 is a standing
  type     INTEGER NOT NULL,
  status   INTEGER NOT NULL,
  earliest INTEGER NOT NULL,
  latest   INTEGER NOT NULL,
  other    INTEGER NOT NULL,
  PRIMARY KEY (entity, sort_day DESC, id)
) STRICT, WITHOUT ROWID;

-- What standing versions are about.
CREATE TABLE relation_about (
  about    TEXT NOT NULL,
  relation INTEGER NOT NULL,
  PRIMARY KEY (about, relation)
) STRICT, WITHOUT ROWID;
