// Package neo4jtest gives tests a Neo4j database to themselves.
package neo4jtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"chancery/graph/neo4jstore"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// Marker is the label of the node that says: tests may wipe this database.
const Marker = "ChanceryTestDatabase"

// Options returns where the tests' server is, from NEO4J_URI, NEO4J_USERNAME,
// NEO4J_PASSWORD and NEO4J_DATABASE. Without NEO4J_URI the test is skipped, or
// fails where CHANCERY_TEST_NEO4J is "required".
func Options(t testing.TB) neo4jstore.Options {
	t.Helper()
	opts := neo4jstore.Options{URI: os.Getenv("NEO4J_URI"), Username: os.Getenv("NEO4J_USERNAME"),
		Password: os.Getenv("NEO4J_PASSWORD"), Database: os.Getenv("NEO4J_DATABASE")}
	if opts.URI == "" {
		if os.Getenv("CHANCERY_TEST_NEO4J") == "required" {
			t.Fatal("NEO4J_URI is not set, and CHANCERY_TEST_NEO4J=required: start a server with neo4j/server start, and eval \"$(neo4j/server env)\"")
		}
		t.Skip("NEO4J_URI is not set: no Neo4j to test with")
	}
	return opts
}

// Open wipes the tests' database and opens a store in it, which is closed when
// the test ends. Until then no other test has the database, of whatever
// package: Open waits. A database that holds anything which tests did
// not make is not touched; the test fails.
func Open(t testing.TB) *neo4jstore.Store {
	t.Helper()
	opts := Options(t)
	Wipe(t, opts)
	return Reopen(t, opts)
}

// Reopen opens a store in the database as it is. The caller holds the lock of
// [Wipe].
func Reopen(t testing.TB, opts neo4jstore.Options) *neo4jstore.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	store, err := neo4jstore.Open(ctx, opts)
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return store
}

// Wipe locks the database until the test ends, and empties it. Its schema
// stays.
func Wipe(t testing.TB, opts neo4jstore.Options) {
	t.Helper()
	lock(t, opts)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	auth := neo4j.NoAuth()
	if opts.Username != "" {
		auth = neo4j.BasicAuth(opts.Username, opts.Password, "")
	}
	driver, err := neo4j.NewDriverWithContext(opts.URI, auth)
	if err != nil {
		t.Fatal("NEO4J_URI is no address of a Neo4j server")
	}
	defer driver.Close(ctx)
	session := driver.NewSession(ctx, neo4j.SessionConfig{DatabaseName: opts.Database})
	defer session.Close(ctx)
	run := func(text string) *neo4j.Record {
		t.Helper()
		result, err := session.Run(ctx, text, nil)
		if err != nil {
			t.Fatalf("wiping the test database: %v", err)
		}
		var record *neo4j.Record
		if result.Next(ctx) {
			record = result.Record()
		}
		if _, err := result.Consume(ctx); err != nil {
			t.Fatalf("wiping the test database: %v", err)
		}
		return record
	}
	state := run("RETURN EXISTS { MATCH (n) }, EXISTS { MATCH (n:" + Marker + ") }")
	filled, ours := state.Values[0].(bool), state.Values[1].(bool)
	if filled && !ours {
		t.Fatal("the database that NEO4J_URI and NEO4J_DATABASE name holds data, and no :" + Marker +
			" node says that tests may wipe it: give the tests an empty database of their own")
	}
	if !ours {
		run("MERGE (:" + Marker + " {name: 'Tests wipe this database'})")
	}
	if filled {
		run("MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 20000 ROWS")
		run("MATCH (n) WHERE NOT n:" + Marker + " CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 20000 ROWS")
	}
}

// locked are the tests of this process that have the lock.
var locked sync.Map

// lock keeps other processes, and other tests of this one, from the database
// until the test ends.
func lock(t testing.TB, opts neo4jstore.Options) {
	t.Helper()
	if _, has := locked.LoadOrStore(t, true); has {
		return
	}
	sum := sha256.Sum256([]byte(opts.URI + "\x00" + opts.Database))
	path := filepath.Join(os.TempDir(), "chancery-test-neo4j-"+hex.EncodeToString(sum[:6])+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatalf("locking the test database: %v", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("locking the test database: %v", err)
	}
	t.Cleanup(func() {
		locked.Delete(t)
		_ = file.Close() // which unlocks
	})
}
