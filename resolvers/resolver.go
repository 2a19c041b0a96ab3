package resolvers

// Resolver answers root fields. What it needs travels with the operation; see
// [answer.WithOperation].
type Resolver struct{}
