package neo4jstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chancery/graph"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// migration brings a database from one version to the next.
type migration func(ctx context.Context, s *Store) error

// migrations in their order; the version of a database is how many of them it
// has seen. New ones are appended, and must be safe to repeat.
var migrations = []migration{
	func(context.Context, *Store) error { return nil }, // 1: the first layout; the schema is made by ensureSchema
}

// prepare makes an empty database ours, and one that is ours up to date.
func (s *Store) prepare(ctx context.Context) error {
	ours, version, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	if version > int64(len(s.opts.migrations)) {
		return graph.ErrNewerStore
	}
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		return err
	}
	if ours {
		if err := s.Read(ctx, func(r graph.Reader) error { vocabulary = r.Vocabulary(); return nil }); err != nil {
			return err
		}
	}
	if err := s.ensureSchema(ctx, vocabulary); err != nil {
		return err
	}
	if !ours {
		if err := s.write(ctx, func(t *transaction) error { return t.exec(ctx, cyMetaMake, nil) }); err != nil {
			return err
		}
	}
	return s.migrate(ctx)
}

// inspect looks at a database without changing it.
func (s *Store) inspect(ctx context.Context) (ours bool, version int64, err error) {
	t, err := s.begin(ctx, neo4j.AccessModeRead)
	if err != nil {
		return false, 0, mapped(ctx, err)
	}
	defer t.end(ctx)
	values, err := t.one(ctx, cyForeign, nil)
	if err != nil {
		return false, 0, mapped(ctx, err)
	}
	in := row{values: values}
	ours, filled := in.flag(), in.flag()
	version = in.integer()
	if in.err == nil && filled && !ours {
		return false, 0, fmt.Errorf("%w; give Chancery an empty database", graph.ErrForeignStore)
	}
	return ours, version, in.err
}

// migrate runs the migrations that the database has not seen, one process at a
// time.
func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, func(t *transaction) error {
		if err := t.exec(ctx, cyMetaLock, nil); err != nil {
			return err
		}
		values, err := t.one(ctx, cyMeta, nil)
		if err != nil {
			return err
		}
		if values == nil {
			return errNoMeta
		}
		in := row{values: values}
		version := in.integer()
		if in.err != nil {
			return in.err
		}
		newest := int64(len(s.opts.migrations))
		if version > newest {
			return graph.ErrNewerStore
		}
		if version == newest {
			return nil
		}
		for _, step := range s.opts.migrations[version:] {
			s.log.Info("neo4j: the database is brought to a new version", "from", version, "to", newest)
			if err := step(ctx, s); err != nil {
				return err
			}
		}
		return t.exec(ctx, cyVersionSet, map[string]any{"version": newest})
	})
}

// schemaItem is a constraint or an index, made by statement.
type schemaItem struct {
	name      string
	statement string
}

// schemaItems lists all but the full-text index over relations.
func schemaItems(v *graph.Vocabulary) []schemaItem {
	var items []schemaItem
	unique := func(label, property string) {
		name := "chancery_" + strings.ToLower(label) + "_" + property
		items = append(items, schemaItem{name, "CREATE CONSTRAINT " + name + " IF NOT EXISTS FOR (n:" + label + ") REQUIRE n." + property + " IS UNIQUE"})
	}
	index := func(name, on string) {
		name = "chancery_" + name
		items = append(items, schemaItem{name, "CREATE INDEX " + name + " IF NOT EXISTS FOR " + on})
	}
	key := func(relationType string) {
		name := "chancery_key_" + relationType
		items = append(items, schemaItem{name, "CREATE CONSTRAINT " + identifier(name) + " IF NOT EXISTS FOR ()-[r:" + identifier(relationType) + "]-() REQUIRE r.key IS UNIQUE"})
	}
	unique("ChanceryMeta", "id")
	unique("Dataset", "name")
	unique("Entity", "id")
	unique("Event", "id")
	unique("Source", "id")
	unique("Statement", "key")
	unique("Former", "id")
	unique("Journal", "seq")
	unique("Loaded", "key")
	unique("Tombstone", "key")
	index("statement_id", "(n:Statement) ON (n.id)")
	index("entity_sortname", "(n:Entity) ON (n.sortName, n.id)")
	index("former_relation_id", "()-[r:FORMER]-() ON (r.id)")
	items = append(items, schemaItem{indexSearch, "CREATE FULLTEXT INDEX " + indexSearch +
		" IF NOT EXISTS FOR (n:Entity) ON EACH [n.search, n.externalIds] OPTIONS {indexConfig: {`fulltext.analyzer`: 'keyword'}}"})
	key("FORMER")
	for _, t := range v.Types() {
		key(t.Name)
	}
	return items
}

// findingStatement makes the full-text index over relations of these types.
func findingStatement(types []string) string {
	return "CREATE FULLTEXT INDEX " + indexFinding + " IF NOT EXISTS FOR ()-[r:" + pattern(types) +
		"]-() ON EACH [r.id, r.event, r.about] OPTIONS {indexConfig: {`fulltext.analyzer`: 'keyword'}}"
}

// ensureSchema makes what is not there yet. When all is there, it is one query.
func (s *Store) ensureSchema(ctx context.Context, v *graph.Vocabulary) error {
	have, covered, failed, err := s.showIndexes(ctx)
	if err != nil {
		return err
	}
	var statements []string
	for _, name := range failed {
		statements = append(statements, "DROP INDEX "+identifier(name)+" IF EXISTS")
	}
	for _, item := range schemaItems(v) {
		if !have[item.name] {
			statements = append(statements, item.statement)
		}
	}
	types := slices.Clone(covered)
	for _, t := range v.Types() {
		if !slices.Contains(types, t.Name) {
			types = append(types, t.Name)
		}
	}
	stale := len(types) > len(covered)
	if stale && len(covered) > 0 {
		statements = append(statements, "DROP INDEX "+indexFinding+" IF EXISTS")
	}
	if len(statements) > 0 {
		if err := s.alterSchema(ctx, statements); err != nil {
			return err
		}
	}
	if stale { // of its own, since one transaction cannot drop and make a name
		slices.Sort(types)
		if err := s.alterSchema(ctx, []string{findingStatement(types)}); err != nil {
			return err
		}
	}
	if len(statements) == 0 && !stale {
		return nil
	}
	return s.awaitIndexes(ctx)
}

// showIndexes names the indexes, those of constraints included, the types
// that the full-text index over relations covers, and the indexes that failed.
func (s *Store) showIndexes(ctx context.Context) (have map[string]bool, covered, failed []string, err error) {
	t, err := s.begin(ctx, neo4j.AccessModeRead)
	if err != nil {
		return nil, nil, nil, mapped(ctx, err)
	}
	defer t.end(ctx)
	values, err := t.one(ctx, cyShowIndexes, nil)
	if err != nil {
		return nil, nil, nil, mapped(ctx, err)
	}
	have = map[string]bool{}
	answer := row{values: values}
	for _, v := range answer.list() {
		in := rowOf(v)
		name, state, types := in.text(), in.text(), in.texts()
		if in.err != nil {
			return nil, nil, nil, in.err
		}
		if state == "FAILED" && strings.HasPrefix(name, "chancery_") && !strings.HasPrefix(name, "chancery_key_") {
			failed = append(failed, name)
			continue
		}
		have[name] = true
		if name == indexFinding {
			covered = types
		}
	}
	return have, covered, failed, answer.err
}

// alterSchema runs statements in one transaction: a hundred of them take
// little longer than one.
func (s *Store) alterSchema(ctx context.Context, statements []string) error {
	began := time.Now()
	tries := 0
	err := s.write(ctx, func(t *transaction) error {
		for _, statement := range statements {
			err := t.exec(ctx, statement, nil)
			var known *neo4j.Neo4jError
			if errors.As(err, &known) && strings.HasSuffix(known.Code, ".EquivalentSchemaRuleAlreadyExists") && tries < 5 {
				tries++ // another process makes the same at this moment
				return errAgain
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.log.Debug("neo4j: the schema has changed", "statements", len(statements), "took", time.Since(began))
	return err
}

func (s *Store) awaitIndexes(ctx context.Context) error {
	t, err := s.begin(ctx, neo4j.AccessModeRead)
	if err != nil {
		return mapped(ctx, err)
	}
	defer t.end(ctx)
	return mapped(ctx, t.exec(ctx, "CALL db.awaitIndexes(600)", nil))
}

// Learn implements [graph.Store]. The lock on the meta node is held while the
// schema changes in other transactions, so that two processes that learn at
// once do so one after the other.
func (s *Store) Learn(ctx context.Context, types []graph.RelationType) (*graph.Vocabulary, error) {
	s.learning.Lock()
	defer s.learning.Unlock()
	var known knowledge
	err := s.write(ctx, func(t *transaction) error {
		if err := t.exec(ctx, cyMetaLock, nil); err != nil {
			return err
		}
		before, err := readKnowledge(ctx, t)
		if err != nil {
			return err
		}
		known = before
		if known.vocabulary, err = before.vocabulary.Extend(types); err != nil {
			return vocabularyError{err}
		}
		extension := string(known.vocabulary.Extension())
		if extension == string(before.vocabulary.Extension()) {
			return nil
		}
		if err := s.ensureSchema(ctx, known.vocabulary); err != nil {
			return err
		}
		known.revision++
		return t.exec(ctx, cyVocabularySet, map[string]any{"vocabulary": extension})
	})
	var refused vocabularyError
	if errors.As(err, &refused) {
		return nil, refused.error
	}
	if err != nil {
		return nil, err
	}
	s.remember(known, s.opts.Now())
	return known.vocabulary, nil
}

// vocabularyError is what is wrong with types to learn.
type vocabularyError struct{ error }

func (e vocabularyError) Unwrap() error { return e.error }
