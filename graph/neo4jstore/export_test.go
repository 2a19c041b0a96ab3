package neo4jstore

import "chancery/graph"

// BenchRows are the relations of a batch as they are written.
func BenchRows(b *graph.Batch) []any {
	rows := make([]any, len(b.Relations))
	for i := range b.Relations {
		r := &b.Relations[i]
		rows[i] = []any{r.Source, r.Target, r.Type, encodeRelation(r)}
	}
	return rows
}
