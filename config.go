package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chancery/graph"
	"chancery/graph/open"

	"github.com/spf13/cobra"
)

func (c *cli) storeFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.dsn, "store", "",
		"`STORE` to use: sqlite:PATH, or neo4j://HOST:PORT (also bolt, and each with +s or +ssc); default $NEO4J_URI, else "+open.DefaultDSN)
}

func (c *cli) vocabularyFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.vocabulary, "vocabulary", "", "add the relation types in `FILE` to the store, which remembers them")
}

// locate finds out which store is meant.
func (c *cli) locate() (open.Location, error) {
	location, err := open.Locate(c.dsn, c.getenv)
	if err != nil {
		return open.Location{}, usageError{err}
	}
	return location, nil
}

// open opens a store, and teaches it the vocabulary that was given.
func (c *cli) open(ctx context.Context, location open.Location) (graph.Store, error) {
	types, err := c.types()
	if err != nil {
		return nil, err
	}
	store, err := c.openAt(ctx, location)
	if err != nil {
		return nil, err
	}
	if types != nil {
		if _, err := store.Learn(ctx, types); err != nil {
			c.close(store)
			if ctx.Err() != nil {
				return nil, errInterruptedOpening
			}
			return nil, fmt.Errorf("%s: %w", c.vocabulary, err)
		}
	}
	return store, nil
}

var errInterruptedOpening = errors.New("interrupted while the store was being opened; nothing was read from it or changed in it")

// openAt opens a store as it is.
func (c *cli) openAt(ctx context.Context, location open.Location) (graph.Store, error) {
	store, err := location.Open(ctx, c.logger())
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, errInterruptedOpening
	}
	return store, err
}

// types reads the vocabulary that was given, if one was.
func (c *cli) types() ([]graph.RelationType, error) {
	if c.vocabulary == "" {
		return nil, nil
	}
	text, err := readFile(c.vocabulary)
	if err != nil {
		return nil, err
	}
	return graph.ParseVocabulary(c.vocabulary, text)
}

// openDry opens a store for finding out what would happen: a file that is not
// there yet is not made, and the vocabulary is not remembered.
func (c *cli) openDry(ctx context.Context, location open.Location) (_ graph.Store, done func(), err error) {
	types, err := c.types()
	if err != nil {
		return nil, nil, err
	}
	remove := func() {}
	if location.Missing() {
		dir, err := os.MkdirTemp("", "chancery-dry-run-")
		if err != nil {
			return nil, nil, err
		}
		remove = func() { _ = os.RemoveAll(dir) }
		if location, err = open.Locate("sqlite:"+filepath.Join(dir, "chancery.db"), c.getenv); err != nil {
			remove()
			return nil, nil, err
		}
	}
	store, err := c.openAt(ctx, location)
	if err != nil {
		remove()
		return nil, nil, err
	}
	done = func() {
		c.close(store)
		remove()
	}
	return knowing{store, types}, done, nil
}

// knowing is a store that seems to have learned relation types.
type knowing struct {
	graph.Store
	types []graph.RelationType
}

// Read lets fn see the types as if the store knew them.
func (k knowing) Read(ctx context.Context, fn func(graph.Reader) error) error {
	return k.Store.Read(ctx, func(tx graph.Reader) error {
		vocabulary, err := tx.Vocabulary().Extend(k.types)
		if err != nil {
			return err
		}
		return fn(knowingReader{tx, vocabulary})
	})
}

type knowingReader struct {
	graph.Reader
	vocabulary *graph.Vocabulary
}

func (r knowingReader) Vocabulary() *graph.Vocabulary { return r.vocabulary }

// close releases a store even after an interruption.
func (c *cli) close(store graph.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := store.Close(ctx); err != nil {
		fmt.Fprintln(c.stderr, "error: closing the store:", err)
	}
}

// readFile reads a file that a user named.
func readFile(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("cannot read %s: %w", e.Path, e.Err)
	}
	return text, err
}
