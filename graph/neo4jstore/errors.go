package neo4jstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chancery/graph"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// Errors of configuration. Their texts name the settings, never their values.
var (
	errCredentials = errors.New("neo4j refuses the user name or the password: check NEO4J_USERNAME and NEO4J_PASSWORD")
	errNoDatabase  = errors.New("neo4j has no such database: check NEO4J_DATABASE")
	errSystem      = errors.New("neo4j keeps its own affairs in the database system, and nothing else can be in it: name another by NEO4J_DATABASE")
	errHTTP        = errors.New("what answers there speaks HTTP, as neo4j does for its Browser: give the port for Bolt (7687 unless it was changed) in NEO4J_URI")
	errReadOnly    = errors.New("neo4j does not let this user write to this database here: the database is read-only, the server is not its leader, or the user lacks the right")
	errNoMeta      = fmt.Errorf("%w: its ChanceryMeta node is gone", graph.ErrForeignStore)
)

// mapped turns an error of the driver into one of graph's. Texts of
// connectivity errors are dropped, for they may quote the address with what
// stands in it.
func mapped(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{graph.ErrUnavailable, graph.ErrNewerStore, graph.ErrForeignStore, graph.ErrLeaseLost,
		context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			if ctx.Err() != nil && known == graph.ErrUnavailable {
				return ctx.Err()
			}
			return err
		}
	}
	var server *neo4j.Neo4jError
	if errors.As(err, &server) {
		if e := mappedServer(server); e != nil {
			return e
		}
	}
	// The connection is closed under a query whose context ends, so the context
	// knows best.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if server != nil && neo4j.IsRetryable(server) {
		return fmt.Errorf("%w: neo4j could not end the transaction (%s)", graph.ErrAway, server.Code)
	}
	if server != nil {
		return fmt.Errorf("neo4j: %s: %s", server.Code, server.Msg)
	}
	var connectivity *neo4j.ConnectivityError
	var limit *neo4j.TransactionExecutionLimit
	var expired *neo4j.TokenExpiredError
	var invalid *neo4j.InvalidAuthenticationError
	switch {
	case errors.As(err, &expired), errors.As(err, &invalid):
		return errCredentials
	case errors.As(err, &connectivity) && strings.Contains(connectivity.Error(), "certificate"):
		return errCertificate
	case errors.As(err, &connectivity), errors.As(err, &limit):
		return fmt.Errorf("%w: neo4j cannot be reached", graph.ErrAway)
	}
	var usage *neo4j.UsageError
	if errors.As(err, &usage) {
		if strings.Contains(usage.Message, "closed") {
			return fmt.Errorf("%w: the connection to neo4j is closed", graph.ErrUnavailable)
		}
		if strings.Contains(usage.Message, "responded HTTP") {
			return errHTTP
		}
		return fmt.Errorf("neo4j: %w", err)
	}
	return err
}

func mappedServer(e *neo4j.Neo4jError) error {
	switch e.Code {
	case "Neo.ClientError.Security.Unauthorized", "Neo.ClientError.Security.AuthenticationRateLimit",
		"Neo.ClientError.Security.CredentialsExpired", "Neo.ClientError.Security.TokenExpired":
		return errCredentials
	case "Neo.ClientError.Database.DatabaseNotFound", "Neo.ClientError.Database.IllegalAliasChain":
		return errNoDatabase
	case "Neo.ClientError.Security.Forbidden", "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
		"Neo.ClientError.General.WriteOnReadOnlyAccessDatabase", "Neo.ClientError.Cluster.NotALeader",
		"Neo.ClientError.Cluster.Routing", "Neo.ClientError.Security.AuthorizationExpired":
		return errReadOnly
	case "Neo.ClientError.Transaction.TransactionTimedOut",
		"Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
		"Neo.TransientError.Transaction.TransactionTimedOut":
		return fmt.Errorf("neo4j ended the query: %w", context.DeadlineExceeded)
	case "Neo.TransientError.General.DatabaseUnavailable", "Neo.ClientError.General.DatabaseUnavailable",
		"Neo.TransientError.Database.DatabaseUnavailable", "Neo.DatabaseError.Database.DatabaseLimitReached",
		"Neo.TransientError.Transaction.Terminated", "Neo.ClientError.Transaction.Terminated",
		"Neo.TransientError.Transaction.LockClientStopped", "Neo.ClientError.Transaction.LockClientStopped",
		"Neo.DatabaseError.Database.UnableToStartDatabase":
		return fmt.Errorf("%w: neo4j is starting or shutting down", graph.ErrAway)
	}
	return nil
}

// errCertificate is what becomes of a TLS handshake with a stranger.
var errCertificate = fmt.Errorf("%w: nobody that this system trusts has signed neo4j's certificate; for one that is self-signed, write +ssc instead of +s in the address", graph.ErrUnavailable)

// violates reports whether a uniqueness constraint was violated.
func violates(err error) bool {
	var server *neo4j.Neo4jError
	return errors.As(err, &server) && server.Code == "Neo.ClientError.Schema.ConstraintValidationFailed"
}

// unreached reports whether the connection failed, so that nobody knows what
// became of the transaction.
func unreached(err error) bool {
	var connectivity *neo4j.ConnectivityError
	return errors.As(err, &connectivity)
}

// errAgain asks for the transaction to be tried again, with more care.
var errAgain = errors.New("try again")
