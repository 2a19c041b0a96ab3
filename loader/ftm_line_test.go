package loader

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"chancery/graph"
)

// FuzzFTM: whatever a line holds, it is refused with a reason, or mapped to
// what the record takes; and what is read of it reads the same again.
func FuzzFTM(f *testing.F) {
	for _, line := range []string{
		`{"id":"a","schema":"Person","caption":"Ada Lund","properties":{"name":["Ada Lund"],"birthDate":["1970","1970-02"],"addressEntity":["b"]},"datasets":["x"],"target":true}`,
		`{"id":"a","schema":"Address","properties":{"full":["1 Quay"],"latitude":["NaN"],"longitude":["1e400"],"parent":["a"]}}`,
		`{"id":"a","schema":"Ownership","properties":{"owner":["b","c"],"asset":["d"],"percentage":["50 %"],"startDate":["0000","2012-03-04T10:00"],"endDate":["2010"]}}`,
		`{"id":"a","schema":"Payment","properties":{"payer":["b","c"],"beneficiary":["d"],"amount":["1e9"],"currency":["NOK"],"date":["9999"]}}`,
		`{"id":"a","schema":"Sanction","properties":{"entity":["b"],"authority":["…"],"listingDate":["2020"],"sourceUrl":["https://x.example/","ftp://y"]}}`,
		`{"id":"\u00e4/","schema":"Occupancy","properties":{"holder":"b","post":["p"],"periodEnd":["2001"],"proof":null}}`,
		`{"id":"a","schema":"Ownership","properties":{"owner":["b\nc"],"asset":["d"]}}`,
		`{"id":"a\tb","schema":"Person","properties":{"addressEntity":["b\nc"]}}`,
		`{"id":"a","schema":"Wormhole","properties":{"x":[["y"]]},"z":{"deep":[1,null]}}`,
	} {
		f.Add(line)
	}
	vocab, err := graph.BuiltinVocabulary()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if unfit(line, false) != nil {
			return
		}
		l, bad := parseFTM(line)
		if bad != nil {
			if bad.Reason == "" {
				t.Errorf("%q is refused for nothing", line)
			}
			return
		}
		parsesAgain(t, l)
		e := &ftmFile{rowFile: rowFile{rows: &Rows{}}, vocab: vocab, ids: map[recordID]ftmKnown{}, missing: map[string]graph.Kind{},
			posts: map[string]string{}, kept: map[string]int{}, unread: map[string]int{}, loose: map[string]int{}}
		e.edition.Dataset = "ftm"
		fate, bad := e.learn(l)
		if bad != nil {
			return
		}
		b := newFeedBatch()
		if fate&^ftmLinked == ftmRelation {
			rows := []ftmRow{{line: l}}
			rows[0].pairs, _ = ftmSchemaOf(l.Schema).Edge.pairs(l)
			if err := e.number(rows); err != nil {
				t.Fatal(err)
			}
			e.relate(b, &rows[0])
		} else {
			b.state(e.entity(l.ID), e.content(l))
			e.link(b, l)
		}
		if fate == ftmRelation && len(b.Records) != 1 {
			t.Errorf("%q: %d records", line, len(b.Records))
		}
		for _, s := range b.Statements {
			fits(t, s.ID, s.Content.Name)
			if s.Content.Name == "" || s.Content.Form == graph.FormEntity && s.Content.Date.Latest < s.Content.Date.Earliest {
				t.Errorf("%+v", s)
			}
			for _, p := range s.Content.Properties {
				if p.Name == "" || p.Value == "" || utf8.RuneCountInString(p.Value) > maxText {
					t.Errorf("%s: %+v", s.ID, p)
				}
			}
		}
		for _, r := range append(b.Records, b.Relations...) {
			fits(t, r.ID, r.SourceAs)
			typ, ok := vocab.Lookup(r.Type)
			if !ok || r.Source == r.Target || utf8.RuneCountInString(r.Note) > maxText {
				t.Errorf("%+v", r)
				continue
			}
			if again, err := graph.ResolveDate(r.Date.EDTF, typ.Nature, graph.Stated, 0, false); err != nil || again != r.Date {
				t.Errorf("%+v: %v", r.Date, err)
			}
		}
	})
}

// parsesAgain: a line written from what was read says the same.
func parsesAgain(t *testing.T, l *ftmLine) {
	t.Helper()
	whole := map[string]any{"id": l.ID, "schema": l.Schema, "caption": l.Caption, "properties": l.Properties}
	for key, name := range ftmBeside {
		if values, ok := l.Beside[name]; ok {
			whole[key] = values
		}
	}
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	again, bad := parseFTM(string(text))
	if bad != nil || again.digest() != l.digest() {
		t.Errorf("%s: %+v", text, bad)
	}
	if !detectFTM(text) {
		t.Errorf("%s is not detected", text)
	}
	joined := &ftmLine{ID: l.ID, Schema: l.Schema, Properties: map[string][]string{}, Beside: maps.Clone(l.Beside)}
	joined.add(l)
	if joined.digest() != l.digest() {
		t.Errorf("%s is not what it is united with nothing", text)
	}
}

func fits(t *testing.T, id, line string) {
	t.Helper()
	if utf8.RuneCountInString(id) > maxID || strings.ContainsAny(id, " \t\n") || strings.Contains(line, "\n") || utf8.RuneCountInString(line) > maxLine {
		t.Errorf("%q, %q", id, line)
	}
}
