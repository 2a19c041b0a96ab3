package every

import (
	"testing"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) graph.Store { return SQLite(t) })
}

func TestNeo4j(t *testing.T) {
	storetest.Run(t, func(t *testing.T) graph.Store { return neo4jtest.Open(t) })
}
