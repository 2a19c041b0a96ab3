-- The words of the names of entities that are not withdrawn.
CREATE TABLE search_words (
  word TEXT NOT NULL,
  node INTEGER NOT NULL,
  PRIMARY KEY (word, node)
) STRICT, WITHOUT ROWID;
INSERT INTO search_words SELECT term, node FROM search_terms WHERE term NOT GLOB '~*';

-- What deletions make of them, once for each word that a node has.
CREATE TABLE search_deletions (
  deletion TEXT NOT NULL,
  word     TEXT NOT NULL,
  PRIMARY KEY (deletion, word)
) STRICT, WITHOUT ROWID;

DROP TABLE search_terms;
