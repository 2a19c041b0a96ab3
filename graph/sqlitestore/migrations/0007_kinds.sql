-- The entities of a kind, for relations with kinds of which there are few.
CREATE INDEX nodes_by_kind ON nodes (kind) WHERE form = 'ENTITY';
