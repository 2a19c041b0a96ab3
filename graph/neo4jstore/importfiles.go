package neo4jstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chancery/graph"
)

// ImportOptions are the circumstances of [ImportFiles].
type ImportOptions struct {
	// Progress, if set, is told when n more nodes, statements or versions of
	// relations are written.
	Progress func(n int)
}

// Imported says what the files of an import hold.
type Imported struct {
	Nodes, Statements, Relations int // versions of relations, former ones included
	// Arguments are those of "neo4j-admin database import full neo4j", for the
	// folder of the files as the working directory. The file
	// import.args in it has them too, one a line.
	Arguments []string
}

// importPage is how much is read at once.
const importPage = 5000

// errImportChanged says that the store did not stand still.
var errImportChanged = errors.New("the store was changed by a load while it was read; export it again")

// ImportFiles writes all that a store holds, former versions included, into a
// folder, as the files that "neo4j-admin database import full" of Neo4j 5.26
// and later makes a database of. The database is as if all had been
// loaded into it, but for constraints and indexes: [Open] makes those. What is
// in memory at once does not grow with the store, but for the holders of
// offices.
func ImportFiles(ctx context.Context, tx graph.Reader, dir string, o ImportOptions) (*Imported, error) {
	f := &importFiles{ctx: ctx, tx: tx, dir: dir, progress: o.Progress, roles: map[string][]graph.Role{}}
	defer f.abandon()
	f.meta, f.datasets = f.nodes("meta", ":LABEL"), f.nodes("datasets", ":LABEL")
	f.journal, f.statements = f.nodes("journal", ":LABEL"), f.nodes("statements", ":LABEL")
	f.loaded, f.tombstones = f.nodes("loaded", ":LABEL"), f.nodes("tombstones", ":LABEL")
	f.entities = f.nodes("entities", "id:ID(Entity)", ":LABEL")
	f.events = f.nodes("events", "id:ID(Event)", ":LABEL")
	f.sources = f.nodes("sources", "id:ID(Source)", ":LABEL")
	f.twins = f.nodes("former", "id:ID(Former)", ":LABEL")
	f.standing = f.relationships("relations", ":START_ID(Entity)", ":END_ID(Entity)", ":TYPE")
	f.former = f.relationships("former-relations", ":START_ID(Former)", ":END_ID(Former)", ":TYPE")
	f.parts = f.relationships("participants", ":START_ID(Entity)", ":END_ID(Event)", ":TYPE")
	f.mentions = f.relationships("mentions", ":START_ID(Source)", ":END_ID(Entity)", ":TYPE")
	for _, write := range []func() error{f.writeDatasets, f.writeMemory, f.writeJournal, f.writeRelations, f.writeNodes, f.writeMentions, f.writeTwins, f.writeMeta} {
		if err := write(); err != nil {
			return nil, err
		}
	}
	return &f.out, f.finish()
}

type importFiles struct {
	ctx      context.Context //nolint:containedctx // of the one call
	tx       graph.Reader
	dir      string
	progress func(n int)
	out      Imported

	tables                              []*importTable
	links                               int // how many of the tables, from the end, are of relationships
	meta, datasets, journal, statements *importTable
	loaded, tombstones                  *importTable
	salt                                graph.Salt
	entities, events, sources, twins    *importTable
	standing, former, parts, mentions   *importTable
	last                                graph.Instant
	batches                             int64
	roles                               map[string][]graph.Role // by entity
	merged                              bool
	cited, ended                        sorter
}

func (f *importFiles) nodes(name string, special ...string) *importTable {
	t := &importTable{dir: f.dir, name: name, special: special}
	f.tables = append(f.tables, t)
	return t
}

func (f *importFiles) relationships(name string, special ...string) *importTable {
	f.links++
	return f.nodes(name, special...)
}

func (f *importFiles) abandon() {
	for _, t := range f.tables {
		t.abandon()
	}
	f.cited.remove()
	f.ended.remove()
}

func (f *importFiles) told(n int) error {
	if f.progress != nil {
		f.progress(n)
	}
	return f.ctx.Err()
}

func (f *importFiles) writeDatasets() error {
	datasets, err := f.tx.Datasets(f.ctx)
	if err != nil {
		return err
	}
	for _, d := range datasets {
		f.last = max(f.last, d.RecordedAt)
		if err := f.datasets.row([]string{"Dataset"}, encodeDataset(&d)); err != nil {
			return err
		}
	}
	return nil
}

// writeMemory writes what loads go by: which inputs were loaded, and what was
// forgotten.
func (f *importFiles) writeMemory() error {
	held, err := f.tx.Held(f.ctx, &graph.HeldQuery{Inputs: true, Tombstones: &graph.TombstoneQuery{All: true}})
	if err != nil {
		return err
	}
	for i := range held.Inputs {
		if err := f.loaded.row([]string{"Loaded"}, encodeLoaded(&held.Inputs[i])); err != nil {
			return err
		}
	}
	for i := range held.Tombstones.List {
		if err := f.tombstones.row([]string{"Tombstone"}, encodeTombstone(&held.Tombstones.List[i])); err != nil {
			return err
		}
	}
	f.salt = held.Tombstones.Salt
	return nil
}

// journalPage is how many batches of the journal are read at once: each may
// name thousands of relations.
const journalPage = 20

func (f *importFiles) writeJournal() error {
	for {
		held, err := f.tx.Held(f.ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{After: f.batches, Limit: journalPage}})
		if err != nil {
			return err
		}
		for _, b := range held.Journal.Batches {
			f.batches = b.Seq
			f.last = max(f.last, b.At)
			if err := f.journal.row([]string{"Journal"}, map[string]any{"seq": b.Seq, "recordedAt": instant(b.At), "relations": b.Relations}); err != nil {
				return err
			}
		}
		if len(held.Journal.Batches) == 0 {
			return f.told(0)
		}
	}
}

// every calls fn with all ids of a sort that have versions, in pages.
func (f *importFiles) every(what graph.Every, fn func(ids []string) error) error {
	after := ""
	for {
		held, err := f.tx.Held(f.ctx, &graph.HeldQuery{Every: what, After: after, Limit: importPage})
		if err != nil {
			return err
		}
		if len(held.IDs) == 0 {
			return nil
		}
		after = held.IDs[len(held.IDs)-1]
		if err := fn(held.IDs); err != nil {
			return err
		}
		if err := f.told(len(held.IDs)); err != nil {
			return err
		}
	}
}

func (f *importFiles) writeRelations() error {
	vocabulary := f.tx.Vocabulary()
	return f.every(graph.EveryRelation, func(ids []string) error {
		held, err := f.tx.Held(f.ctx, &graph.HeldQuery{Relations: ids, History: true})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if len(held.Versions[id]) == 0 {
				return errImportChanged
			}
			for _, r := range held.Versions[id] {
				t, ok := vocabulary.Lookup(r.Type)
				if !ok {
					return fmt.Errorf("relation %s has the type %s, which the store's vocabulary does not have", id, r.Type)
				}
				w := t.Write(r)
				f.out.Relations++
				if err := f.writeRelation(&w); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (f *importFiles) writeRelation(w *graph.RelationWrite) error {
	if w.SupersededAt != 0 {
		return errors.Join(f.former.row([]string{w.Source, w.Target, "FORMER"}, encodeFormer(w)), f.ended.add(w.Source), f.ended.add(w.Target))
	}
	if w.Role != "" && w.Status.Factual() && !slices.Contains(f.roles[w.Source], w.Role) {
		f.roles[w.Source] = append(f.roles[w.Source], w.Role)
	}
	counts := mentions{}
	sources := make([]string, len(w.Citations))
	for i, c := range w.Citations {
		sources[i] = c.Source
	}
	counts.add(sources, w.Source, w.Target, 1)
	for m := range counts {
		if err := f.cited.add(m.source + "\x00" + m.entity); err != nil {
			return err
		}
	}
	return f.standing.row([]string{w.Source, w.Target, w.Type}, encodeRelation(w))
}

func (f *importFiles) writeNodes() error {
	return f.every(graph.EveryStatement, func(ids []string) error {
		held, err := f.tx.Held(f.ctx, &graph.HeldQuery{Nodes: ids, History: true})
		if err != nil {
			return err
		}
		nodes, err := f.tx.Nodes(f.ctx, ids, true)
		if err != nil {
			return err
		}
		there, err := f.participants(nodes)
		if err != nil {
			return err
		}
		for _, id := range ids {
			for i := range held.Statements[id] {
				s := &held.Statements[id][i]
				p := encodeStatement(s)
				if s.SupersededAt != 0 {
					p = encodeFormerStatement(s)
				}
				f.out.Statements++
				if err := f.statements.row([]string{"Statement" + arrayDelimiter + formLabel(s.Content.Form) + "Statement"}, p); err != nil {
					return err
				}
			}
			if n := nodes[id]; n != nil {
				f.out.Nodes++
				if err := f.writeNode(n, there); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// participants are those of the events among nodes that are there.
func (f *importFiles) participants(nodes map[string]*graph.Node) (map[string]*graph.Node, error) {
	var ids []string
	for _, n := range nodes {
		for _, p := range n.Participants {
			ids = append(ids, p.Entity)
		}
	}
	slices.Sort(ids)
	return f.tx.Nodes(f.ctx, slices.Compact(ids), false)
}

func (f *importFiles) writeNode(n *graph.Node, there map[string]*graph.Node) error {
	p := encodeNode(n)
	delete(p, "id") // which has a column of its own
	switch n.Form {
	case graph.FormSource:
		return f.sources.row([]string{n.ID, "Source"}, p)
	case graph.FormEvent:
		for _, part := range n.Participants {
			if e := there[part.Entity]; e != nil && e.Form == graph.FormEntity {
				if err := f.parts.row([]string{part.Entity, n.ID, "TOOK_PART_IN"}, map[string]any{"role": part.Role}); err != nil {
					return err
				}
			}
		}
		return f.events.row([]string{n.ID, "Event"}, p)
	}
	labels, err := entityLabels(n, f.rolesOf(n))
	if err != nil {
		return err
	}
	f.merged = f.merged || n.Canonical != n.ID
	return f.entities.row([]string{n.ID, strings.Join(labels, arrayDelimiter)}, p)
}

// rolesOf are the roles that a node is labelled with. An entity that stands for
// others has those of them all.
func (f *importFiles) rolesOf(n *graph.Node) []graph.Role {
	if n.Canonical != n.ID {
		return f.roles[n.ID]
	}
	var roles []graph.Role
	for _, id := range f.tx.Identities().Members(n.ID) {
		for _, role := range f.roles[id] {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

func (f *importFiles) writeMentions() error {
	return f.cited.each(func(text []string, n int64) error {
		return f.mentions.row([]string{text[0], text[1], "MENTIONS"}, map[string]any{"relations": n})
	})
}

// writeTwins writes the ends of former versions.
func (f *importFiles) writeTwins() error {
	var ids []string
	flush := func() error {
		nodes, err := f.tx.Nodes(f.ctx, ids, false)
		if err != nil {
			return err
		}
		for _, id := range ids {
			p := props{}
			if n := nodes[id]; n != nil {
				p.text("name", n.Name)
			}
			if err := f.twins.row([]string{id, "Former"}, p); err != nil {
				return err
			}
		}
		ids = ids[:0]
		return nil
	}
	err := f.ended.each(func(text []string, _ int64) error {
		if ids = append(ids, text[0]); len(ids) < importPage {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

func (f *importFiles) writeMeta() error {
	extension := string(f.tx.Vocabulary().Extension())
	p := map[string]any{"id": "chancery", "name": "Chancery", "version": int64(len(migrations)), "revision": int64(0),
		"lastRecorded": instant(f.last), "journal": f.batches}
	if len(f.salt) > 0 {
		p["salt"] = hex.EncodeToString(f.salt)
	}
	if extension != "" {
		p["vocabulary"] = extension
	}
	if extension != "" || f.merged {
		p["revision"] = int64(1)
	}
	return f.meta.row([]string{"ChanceryMeta"}, p)
}

// finish writes the arguments for neo4j-admin.
func (f *importFiles) finish() error {
	args := []string{"--array-delimiter=U+001F"}
	multiline := false
	var files []string
	for i, t := range f.tables {
		option := "--nodes="
		if i >= len(f.tables)-f.links {
			option = "--relationships="
		}
		for of := t; of != nil; of = of.other {
			if of.file == nil {
				continue
			}
			multiline = multiline || of.multiline
			files = append(files, option+of.stem()+"-header.csv,"+of.stem()+".csv")
		}
		if err := t.close(); err != nil {
			return err
		}
	}
	if multiline { // reading is slower then
		args = append(args, "--multiline-fields=true")
	}
	f.out.Arguments = append(args, files...)
	return os.WriteFile(filepath.Join(f.dir, "import.args"), []byte(strings.Join(f.out.Arguments, "\n")+"\n"), 0o666)
}
