-- The words of the names of entities that are not withdrawn, and who has them.
CREATE TABLE search_words (
  row  INTEGER PRIMARY KEY,
  word TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE word_nodes (
  word INTEGER NOT NULL,
  node INTEGER NOT NULL,
  PRIMARY KEY (word, node)
) STRICT, WITHOUT ROWID;
INSERT INTO search_words (word) SELECT DISTINCT term FROM search_terms WHERE term NOT GLOB '~*' ORDER BY term;
INSERT INTO word_nodes SELECT s.row, t.node FROM search_words s JOIN search_terms t ON t.term = s.word ORDER BY s.row, t.node;

-- What deletions make of the words.
CREATE TABLE word_deletions (
  deletion TEXT NOT NULL,
  word     INTEGER NOT NULL,
  PRIMARY KEY (deletion, word)
) STRICT, WITHOUT ROWID;

DROP TABLE search_terms;
