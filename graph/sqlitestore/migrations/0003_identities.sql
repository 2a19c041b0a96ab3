-- The nodes for which others stand: few, and read as a whole.
CREATE INDEX nodes_merged ON nodes (id, canonical) WHERE canonical <> id;
