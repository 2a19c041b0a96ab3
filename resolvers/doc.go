// Package resolvers serves the record as GraphQL.
package resolvers
