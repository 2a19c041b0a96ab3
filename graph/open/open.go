// Package open finds out which store is meant, and opens it.
package open

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/sqlitestore"
)

// DefaultDSN is the store of those who name none.
const DefaultDSN = "sqlite:chancery.db"

// The environment variables that are read: those of Neo4j's own tools, and a
// file for the password where secrets come as files.
const (
	EnvURI          = "NEO4J_URI"
	EnvUsername     = "NEO4J_USERNAME"
	EnvPassword     = "NEO4J_PASSWORD"
	EnvPasswordFile = "NEO4J_PASSWORD_FILE"
	EnvDatabase     = "NEO4J_DATABASE"
)

var neo4jSchemes = []string{"neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"}

// Location is where a store is. It holds a secret; String leaves it out.
type Location struct {
	path string // of an embedded store; empty for Neo4j

	uri                string
	username, password string
	database           string
}

// Locate reads a DSN: sqlite:PATH, or the address of a Neo4j server. An empty
// one means the server that the environment names, else [DefaultDSN]. User,
// password and database of a server are always the environment's.
//
// Errors never hold what may be a secret.
func Locate(dsn string, getenv func(string) string) (Location, error) {
	named := "--store"
	if dsn == "" {
		named, dsn = EnvURI, getenv(EnvURI)
	}
	if dsn == "" {
		named, dsn = "the default", DefaultDSN
	}
	scheme, rest, hasScheme := strings.Cut(dsn, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case !hasScheme && strings.ContainsAny(dsn, "@?"): // perhaps an address with a secret and no scheme
		return Location{}, fmt.Errorf("%s does not begin with a scheme; %s", named, rightSchemes)
	case !hasScheme:
		return Location{}, fmt.Errorf("%s is %q, which has no scheme; %s", named, dsn, rightSchemes)
	case scheme == "sqlite":
		return locateFile(named, rest)
	case slices.Contains(neo4jSchemes, scheme):
		return locateServer(named, dsn, getenv)
	case scheme == "http", scheme == "https":
		return Location{}, fmt.Errorf("%s has the scheme %s, which is that of Neo4j Browser; programs use Bolt, by default neo4j://HOST:7687", named, scheme)
	}
	return Location{}, fmt.Errorf("%s has the unknown scheme %q; %s", named, scheme, rightSchemes)
}

const rightSchemes = "a store is sqlite:PATH for a file (say sqlite:chancery.db), or neo4j://HOST:PORT for a Neo4j server" +
	" (bolt:// for a single one without routing; neo4j+s:// and bolt+s:// with TLS; neo4j+ssc:// and bolt+ssc:// with a self-signed certificate)"

func locateFile(named, path string) (Location, error) {
	switch {
	case path == "":
		return Location{}, fmt.Errorf("%s names no file; write sqlite:PATH, say sqlite:chancery.db", named)
	case path == ":memory:":
		return Location{}, fmt.Errorf("%s is in memory, and a store is kept in a file; write sqlite:PATH", named)
	case strings.HasPrefix(path, "//"):
		if path = strings.TrimPrefix(path, "//"); !strings.HasPrefix(path, "/") {
			return Location{}, fmt.Errorf("%s has two slashes before the file; write sqlite:%s", named, path)
		}
	}
	return Location{path: path}, nil
}

func locateServer(named, dsn string, getenv func(string) string) (Location, error) {
	u, err := url.Parse(dsn)
	if err != nil { // its text repeats the address
		return Location{}, fmt.Errorf("%s is no valid address; write neo4j://HOST:PORT", named)
	}
	switch {
	case u.User != nil:
		return Location{}, fmt.Errorf("%s holds a user name or password, where others can see them; set %s and %s (or %s, the name of a file) instead",
			named, EnvUsername, EnvPassword, EnvPasswordFile)
	case u.Hostname() == "":
		return Location{}, fmt.Errorf("%s names no host; write %s://HOST:PORT", named, u.Scheme)
	case u.Path != "" && u.Path != "/":
		return Location{}, fmt.Errorf("%s has a path, %s; to choose a database, set %s", named, u.Path, EnvDatabase)
	case u.Fragment != "":
		return Location{}, fmt.Errorf("%s has a fragment; write %s://HOST:PORT", named, u.Scheme)
	}
	u.Path = ""
	l := Location{uri: u.String(), username: getenv(EnvUsername), database: getenv(EnvDatabase)}
	if l.password, err = password(getenv); err != nil {
		return Location{}, err
	}
	switch {
	case l.username == "" && l.password != "":
		l.username = "neo4j" // as Neo4j's own tools have it
	case l.username != "" && l.password == "":
		return Location{}, fmt.Errorf("%s is set, and %s is not", EnvUsername, EnvPassword)
	}
	return l, nil
}

func password(getenv func(string) string) (string, error) {
	file := getenv(EnvPasswordFile)
	if file == "" {
		return getenv(EnvPassword), nil
	}
	if getenv(EnvPassword) != "" {
		return "", fmt.Errorf("%s and %s are both set; keep one", EnvPassword, EnvPasswordFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", EnvPasswordFile, err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s: %s is empty", EnvPasswordFile, file)
	}
	return secret, nil
}

// String names the store for people and logs, without any secret.
func (l Location) String() string {
	switch {
	case l.path != "":
		return "the file " + l.path
	case l.database != "":
		return "database " + l.database + " of Neo4j at " + l.uri
	}
	return "Neo4j at " + l.uri
}

// GoString keeps the secret out of %#v.
func (l Location) GoString() string { return "open.Location(" + l.String() + ")" }

// Missing reports whether the store is a file that is not there yet, so that
// opening it would make it.
func (l Location) Missing() bool {
	if l.path == "" {
		return false
	}
	_, err := os.Stat(l.path)
	return errors.Is(err, fs.ErrNotExist)
}

// Open opens the store. Its errors name it.
func (l Location) Open(ctx context.Context, logger *slog.Logger) (graph.Store, error) {
	if l.path != "" {
		store, err := sqlitestore.Open(ctx, l.path)
		if err != nil {
			return nil, err
		}
		return store, nil
	}
	store, err := neo4jstore.Open(ctx, neo4jstore.Options{
		URI: l.uri, Username: l.username, Password: l.password, Database: l.database, Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	return store, nil
}
