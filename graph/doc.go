// Package graph is the domain of Chancery: entities, dated relations between
// them, the vocabulary of relation types, and how questions about them are
// planned and answered. It knows no database driver, no GraphQL and no HTTP.
// Stores implement [Store]; everything that decides an answer lives here, so
// that every store gives the same one.
package graph
