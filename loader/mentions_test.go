package loader_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

// mentionRow makes a row of GDELT's table of mentions.
func mentionRow(event, moment, document, confidence string) string {
	_, publisher, _ := strings.Cut(document, "//")
	publisher, _, _ = strings.Cut(publisher, "/")
	return strings.Join([]string{event, "20180602101500", moment, "1", strings.TrimPrefix(publisher, "www."), document,
		"1", "-1", "10", "20", "1", confidence, "2000", "-0.5", "", ""}, "\t")
}

// mentionText has reports of the events 7001 and 7004 of gdeltText, and of one
// that is not in it.
var mentionText = strings.Join([]string{
	mentionRow("7001", "20180602101500", "https://www.daily.example/a", "40"), // which the table of events names
	mentionRow("7001", "20180603000000", "https://news.example/b", "70"),
	strings.Replace(mentionRow("7001", "20180603000000", "https://zeit.example/c", "60"), "-0.5\t", "-0.5\tsrclc:deu;eng:Moses 2.1", 1),
	mentionRow("7001", "20180603000000", "https://news.example/b", "70"), // once more
	mentionRow("7999", "20180603000000", "https://news.example/b", "10"),
	strings.Replace(mentionRow("7004", "20180604", "10.2307/12345", ""), "\t1\t", "\t5\t", 1),
	mentionRow("7004", "20180604", "https://news.example/d", "x"),
	mentionRow("700", "20180604", "https://news.example/d", "1"), // no event, though another number begins so
}, "\n") + "\n"

func TestMentions(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		mentions, events := write(t, "20180602.mentions.CSV", mentionText), write(t, "20180602.export.CSV", gdeltText)
		// The events are loaded first, in whatever order the files are named.
		var rejects bytes.Buffer
		result := loadFiles(t, store, loader.Options{Rejects: &rejects}, mentions, events)
		if len(result.Loads) != 2 || result.Loads[0].File != events || result.Loads[1].Dataset != "gdelt" {
			t.Fatalf("%+v", result.Loads)
		}
		rowsAddUp(t, result)
		if got, want := *result.Loads[1].Rows, (loader.Rows{Read: 8, Created: 3, Changed: 1, Duplicate: 1, Rejected: 3, Unmatched: 2, Kinds: map[graph.Kind]int{}}); !cmp.Equal(want, got) {
			t.Errorf("%+v", got)
		}
		if r := result.Loads[1].Relations; r != (graph.Tally{Changed: 2}) {
			t.Errorf("%+v", r)
		}
		for _, want := range []string{"\n7,Confidence,", "\n5,GLOBALEVENTID,the data set gdelt has no record of this event,7999", "\n8,GLOBALEVENTID,"} {
			if !strings.Contains(strings.ReplaceAll(rejects.String(), "\n"+mentions, "\n"), strings.Replace(want, "\n", "\n,", 1)) {
				t.Errorf("the list of bad rows lacks %q:\n%s", want, rejects.String())
			}
		}
		check := func(when string) {
			t.Helper()
			read(t, store, func(ctx context.Context, tx graph.Reader) {
				act := recordedAs(t, ctx, tx, "7001")
				if act.Confidence == nil || *act.Confidence != 0.7 || act.Type != "CONSULTED" || act.Event == "" || *act.Goldstein != 1 || act.Source != "gdelt/norway" {
					t.Errorf("%s: %+v", when, act)
				}
				got := sourcesOf(t, ctx, tx, act)
				want := []string{"news.example/b|https://news.example/b|news.example|2018-06-03||",
					"www.daily.example/a|https://www.daily.example/a|daily.example|2018-06-02||", "zeit.example/c|https://zeit.example/c|zeit.example|2018-06-03|translatedFrom=deu|"}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", when, diff)
				}
				other := recordedAs(t, ctx, tx, "7004")
				if got := sourcesOf(t, ctx, tx, other); other.Confidence != nil || !cmp.Equal([]string{"10.2307/12345|||2018-06-04||doi:10.2307/12345", "BBC Monitoring|||||"}, got) {
					t.Errorf("%s: %+v %q", when, other, got)
				}
				held, err := tx.Held(ctx, &graph.HeldQuery{Relations: []string{act.ID}, History: true})
				if err != nil || len(held.Versions[act.ID]) != 2 || len(held.Versions[act.ID][0].Citations) != 1 {
					t.Errorf("%s: %v, %d versions", when, err, len(held.Versions[act.ID]))
				}
			})
		}
		check("loaded")
		again := loadFiles(t, store, loader.Options{}, events, mentions)
		if again.Changes() != 0 || again.Loads[1].Rows.Unchanged != 4 || again.Loads[1].Rows.Unmatched != 2 {
			t.Errorf("the second time: %+v", again.Loads[1].Rows)
		}
		rechecked := loadFiles(t, store, loader.Options{Recheck: true}, events, mentions)
		other := loadFiles(t, store, loader.Options{}, write(t, "20180603.export.CSV", gdeltText+gdeltRow(map[int]string{0: "7010", 26: "012", 27: "012", 28: "01"})+"\n"))
		if rechecked.Changes() != 0 || other.Loads[0].Relations.Changed != 0 || other.Loads[0].Relations.Created != 1 {
			t.Errorf("%+v %+v", rechecked.Loads, other.Loads[0].Relations)
		}
		check("with other events")
		// An edition that is all of the data set has no mentions; they are added again.
		loadFiles(t, store, loader.Options{Edition: loader.EditionWhole}, events)
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			if act := recordedAs(t, ctx, tx, "7001"); len(act.Citations) != 1 || act.Confidence != nil {
				t.Errorf("%+v", act)
			}
		})
		if got := loadFiles(t, store, loader.Options{}, mentions).Loads[0]; got.Rows.Created != 3 || got.Relations.Changed != 2 {
			t.Errorf("after a whole edition: %+v", got.Rows)
		}
	})
}

func recordedAs(t *testing.T, ctx context.Context, tx graph.Reader, event string) *graph.Relation {
	t.Helper()
	held, err := tx.Held(ctx, &graph.HeldQuery{Beginnings: []string{"gdelt/record/" + event + "-"}})
	if err != nil || len(held.Relations) != 1 {
		t.Fatalf("%s: %v %v", event, held, err)
	}
	for id := range held.Relations {
		pages, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorID, IDs: []string{id}, Order: graph.NewestFirst, Limit: 1, Detail: true})
		if err != nil {
			t.Fatal(err)
		}
		return pages[0].Rows[0]
	}
	return nil
}

// sourcesOf tells of each source its name, address, publisher, day, properties and ids.
func sourcesOf(t *testing.T, ctx context.Context, tx graph.Reader, rel *graph.Relation) (out []string) {
	t.Helper()
	var ids []string
	for _, c := range rel.Citations {
		ids = append(ids, c.Source)
	}
	nodes, err := tx.Nodes(ctx, ids, true)
	if err != nil || len(nodes) != len(ids) {
		t.Fatal(err, len(nodes), ids)
	}
	for _, n := range nodes {
		text := n.Name + "|" + n.URL + "|" + n.Publisher + "|" + n.Date.EDTF + "|"
		for _, p := range n.Properties {
			text += p.Name + "=" + p.Value
		}
		text += "|"
		for _, id := range n.ExternalIDs {
			text += id.Scheme + ":" + id.Value
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// TestMentionsOrder: it does not matter in which order mentions come, nor in how
// many files and transactions.
func TestMentionsOrder(t *testing.T) {
	events := write(t, "events.csv", gdeltText)
	rows := strings.SplitAfter(strings.TrimSuffix(mentionText, "\n"), "\n")
	rows[len(rows)-1] += "\n"
	r := rand.New(rand.NewPCG(11, 4))
	var want exports
	for i := range 12 {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, events)
		parts := make([]string, 1+i%3)
		for _, row := range rows {
			parts[r.IntN(len(parts))] += row
		}
		for _, part := range parts {
			o := loader.Options{BatchSize: 1 + r.IntN(3), Format: "gdelt-mentions"}
			_, err := loader.Load(t.Context(), store, []string{write(t, "m.csv", part)}, o)
			if err != nil && strings.ContainsAny(strings.ReplaceAll(part, mentionRow("7004", "20180604", "https://news.example/d", "x"), ""), "0123456789") {
				t.Fatal(err) // a row of it is good
			}
		}
		got := export(t, store, loader.ExportOptions{})
		if i == 0 {
			want = got
		}
		sameExports(t, want, got)
		r.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
	}
}

// TestMentionsForms: files that went through other programs say the same.
func TestMentionsForms(t *testing.T) {
	events := write(t, "events.csv", gdeltText)
	header := "GlobalEventID\tEventTimeDate\tMentionTimeDate\tMentionType\tMentionSourceName\tMentionIdentifier\tSentenceID\tActor1CharOffset\t" +
		"Actor2CharOffset\tActionCharOffset\tInRawText\tConfidence\tMentionDocLen\tMentionDocTone\tMentionDocTranslationInfo\tExtras\n"
	var turned []string // the columns in the opposite order, but for the first
	for line := range strings.Lines(header + mentionText) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		slices.Reverse(fields[1:])
		turned = append(turned, strings.Join(fields, "\t"))
	}
	var want exports
	for i, text := range []string{mentionText, header + mentionText, header + mentionText + header, strings.Join(turned, "\n"), "\ufeff" + mentionText,
		strings.ReplaceAll(mentionText, "\n", "\r\n"), strings.ReplaceAll(mentionText, "\t\t\n", "\n"), strings.ReplaceAll(mentionText, "\n", "\t\n"),
		strings.ReplaceAll(mentionText, "\t\t\n", "\tNULL\t\\N\n")} {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, events)
		result := loadFiles(t, store, loader.Options{}, write(t, "m", text))
		rowsAddUp(t, result)
		if rows := result.Loads[0].Rows; rows.Created != 3 || rows.Unmatched != 2 || rows.Rejected != 3 {
			t.Errorf("%d: %+v", i, rows)
		}
		got := export(t, store, loader.ExportOptions{})
		if i == 0 {
			want = got
		}
		sameExports(t, want, got)
	}
}

func TestMentionsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		o          loader.Options
	}{
		"whole":         {mentionText, "without --edition whole", loader.Options{Edition: loader.EditionWhole}},
		"column":        {"GLOBALEVENTID\tMentionIdentifier\n1\thttps://a.example/b\n", "the header lacks the column MentionTimeDate", loader.Options{}},
		"too many bad":  {strings.Replace(mentionText, "20180603000000", "20181303000000", 1), "more than 1 rows are bad", loader.Options{MaxRejects: new(int)}},
		"nothing good":  {strings.Repeat(mentionRow("7001", "20180602101500", "", "40")+"\n", 2), "none of its 2 rows can be read", loader.Options{}},
		"not this one":  {gdeltText, "this is not of the format gdelt-mentions; it looks like gdelt", loader.Options{Format: "gdelt-mentions"}},
		"not the other": {mentionText, "this is not of the format gdelt; it looks like gdelt-mentions", loader.Options{Format: "gdelt"}},
		"no data set":   {mentionText, "data set", loader.Options{Dataset: "a/b"}},
	} {
		if c.o.MaxRejects != nil {
			*c.o.MaxRejects = 1
		}
		store := every.SQLite(t)
		_, err := loader.Load(t.Context(), store, []string{write(t, "m", c.text)}, c.o)
		var problems graph.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMentionsAside: many mentions are set aside in several files, and nothing of
// them is left behind.
func TestMentionsAside(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var events, mentions strings.Builder
	const n, reports = 400, 120
	for i := range n {
		events.WriteString(gdeltRow(map[int]string{0: itoa(i), 60: "https://first.example/" + itoa(i)}) + "\n")
	}
	for j := range reports {
		for i := range n {
			mentions.WriteString(mentionRow(itoa(i), "20180603000000", "https://news.example/"+itoa(j)+strings.Repeat("/long", 20), strconv.Itoa(j%100)) + "\n")
		}
	}
	if mentions.Len() < 8<<20 {
		t.Fatal(mentions.Len())
	}
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "e", events.String()))
	rows := rowsAddUp(t, loadFiles(t, store, loader.Options{BatchSize: 90}, write(t, "m", mentions.String())))
	if rows.Created != n*reports {
		t.Errorf("%+v", rows)
	}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		for _, i := range []int{0, 17, n - 1} {
			if rel := recordedAs(t, ctx, tx, itoa(i)); len(rel.Citations) != 1+reports || *rel.Confidence != 0.99 {
				t.Errorf("%d: %d citations, %v", i, len(rel.Citations), *rel.Confidence)
			}
		}
	})
	if left, err := filepath.Glob(filepath.Join(temp, "chancery-load-*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestMentionsReal: mentions of events that GDELT published.
func TestMentionsReal(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("CHANCERY_DATA does not name the folder of the data")
	}
	sample := filepath.Join(data, "gdelt", "gdeltpyr_gdelt2_events_sample50.tsv")
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	var mentions strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		event, _, _ := strings.Cut(line, "\t")
		mentions.WriteString(mentionRow(event, "20160729000000", "https://wire.example/"+itoa(i/7), "50") + "\n")
	}
	every.Store(t, func(t *testing.T, store graph.Store) {
		result := loadFiles(t, store, loader.Options{}, sample, write(t, "m", mentions.String()))
		events, rows := result.Loads[0].Rows, result.Loads[1].Rows
		rowsAddUp(t, result)
		if rows.Created != rows.Read-rows.Rejected-rows.Duplicate || rows.Created < 40 || events.Created == 0 || result.Loads[1].Relations.Changed != rows.Created {
			t.Errorf("%+v %+v %+v", events, rows, result.Loads[1].Relations)
		}
		if again := loadFiles(t, store, loader.Options{Recheck: true}, sample, write(t, "m", mentions.String())); again.Changes() != 0 {
			t.Errorf("%+v", again.Loads)
		}
	})
}

func FuzzMentions(f *testing.F) {
	for line := range strings.Lines(mentionText) {
		f.Add(line)
	}
	f.Add("GLOBALEVENTID\tMentionTimeDate\tMentionIdentifier\n7001\t20180602\tx")
	events := strings.Split(gdeltText, "\n")[0] + "\n"
	f.Fuzz(func(t *testing.T, text string) {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, write(t, "e", events))
		file := write(t, "m", text+"\n"+mentionText)
		result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{Format: "gdelt-mentions"})
		var problems graph.Problems
		switch {
		case err == nil:
			rowsAddUp(t, result)
			if again := loadFiles(t, store, loader.Options{Format: "gdelt-mentions"}, file); again.Changes() != 0 {
				t.Errorf("the second load changed %d things", again.Changes())
			}
		case !errors.As(err, &problems):
			t.Error(err)
		}
	})
}

// TestMentionsInterrupted: loaded once more after an interruption, mentions are
// those of one load.
func TestMentionsInterrupted(t *testing.T) {
	events, mentions := write(t, "events.csv", gdeltText), write(t, "m.csv", mentionText)
	var want exports
	for i := range 5 {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, events)
		if i > 0 {
			ctx, stop := context.WithCancel(t.Context())
			_, err := loader.Load(ctx, store, []string{mentions}, loader.Options{BatchSize: 1, Progress: &stopping{after: i, cancel: stop}})
			var interrupted *loader.InterruptedError
			if stop(); !errors.As(err, &interrupted) {
				t.Fatal(i, err)
			}
		}
		result := loadFiles(t, store, loader.Options{BatchSize: 1}, mentions)
		if rows := rowsAddUp(t, result); rows.Created+rows.Unchanged+rows.Changed != 4 || result.Loads[0].Resumed != (i > 0) {
			t.Errorf("%d: %+v %+v", i, rows, result.Loads[0])
		}
		got := export(t, store, loader.ExportOptions{})
		if i == 0 {
			want = got
		}
		sameExports(t, want, got)
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			id := recordedAs(t, ctx, tx, "7001").ID
			held, err := tx.Held(ctx, &graph.HeldQuery{Relations: []string{id}, History: true})
			if err != nil || len(held.Versions[id]) != 2 {
				t.Errorf("%d: %d versions, %v", i, len(held.Versions[id]), err)
			}
		})
	}
}

// TestMentionsOfForgotten: where something was forgotten, what adds to nothing is
// in no list, since it may be about that.
func TestMentionsOfForgotten(t *testing.T) {
	events, mentions := write(t, "events.csv", gdeltText), write(t, "m.csv", mentionRow("9999", "20180604", "https://news.example/vladimir-example", "40"))
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadFiles(t, store, loader.Options{}, events)
		rejects := func() (string, string) {
			var list bytes.Buffer
			result := loadFiles(t, store, loader.Options{Rejects: &list, Format: "gdelt-mentions", Recheck: true}, mentions)
			if rows := result.Loads[0].Rows; rows.Unmatched != 1 || rows.Rejected != 1 {
				t.Errorf("%+v", rows)
			}
			return list.String(), notesOf(result)
		}
		if list, notes := rejects(); !strings.Contains(list, "vladimir-example") || strings.Contains(notes, "forgotten") {
			t.Errorf("%s\n%s", list, notes)
		}
		forget(t, store, "gdelt/norway")
		if list, notes := rejects(); strings.Contains(list, "vladimir-example") || !strings.Contains(notes, "unless it names what was forgotten") {
			t.Errorf("%s\n%s", list, notes)
		}
	})
}
