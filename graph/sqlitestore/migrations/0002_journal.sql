-- What each batch changed among the relations, in the order of writing.
CREATE TABLE journal (
  seq         INTEGER PRIMARY KEY,
  recorded_at INTEGER NOT NULL,
  relations   TEXT NOT NULL -- JSON list of marks and ids
) STRICT;
