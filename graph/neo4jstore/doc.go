// Package neo4jstore keeps the record in Neo4j, as a graph that reads well in
// Neo4j Browser: entities are nodes, relations are relationships of their own
// type, and properties are native dates, points and lists.
package neo4jstore
