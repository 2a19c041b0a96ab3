-- How far an edition that is being loaded has come.
ALTER TABLE datasets ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasets ADD COLUMN written_under BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';

-- The inputs that were loaded to their end, and the moments of their editions.
CREATE TABLE loaded (
  dataset     TEXT NOT NULL,
  input       BLOB NOT NULL,
  recorded_at INTEGER NOT NULL,
  under       BLOB NOT NULL, -- zeros where not all of it may stand any longer
  PRIMARY KEY (dataset, input)
) STRICT, WITHOUT ROWID;
