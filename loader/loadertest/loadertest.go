// Package loadertest makes data sets for tests of loading.
package loadertest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
)

// Generate writes a data set of random relations between about one entity for
// every ten of them. The same numbers give the same data set.
func Generate(w io.Writer, relations int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 0))
	b := bufio.NewWriterSize(w, 1<<16)
	persons := max(relations/20, 4)
	states := max(relations/100, 3)
	places := max(relations/100, 3)
	events := max(relations/50, 2)
	sources := max(relations/500, 2)
	day := func() string {
		return fmt.Sprintf("%d-%02d-%02d", 1990+random.IntN(35), 1+random.IntN(12), 1+random.IntN(28))
	}
	fmt.Fprintf(b, "dataset: generated-%d\ntitle: %d generated relations\ndefaults: {sources: [s0]}\nsources:\n", seed, relations)
	for i := range sources {
		fmt.Fprintf(b, "  s%d: {name: Source %d, published: %s, publisher: Nobody}\n", i, i, day())
	}
	b.WriteString("entities:\n")
	for i := range persons {
		fmt.Fprintf(b, "  p%d: {kind: Person, name: Person %d, aliases: [P. %d], description: The person number %d}\n", i, i, i, i)
	}
	for i := range states {
		fmt.Fprintf(b, "  c%d: {kind: State, name: State %d}\n", i, i)
	}
	for i := range places {
		fmt.Fprintf(b, "  l%d: {kind: Place, name: Place %d, point: {latitude: %d, longitude: %d}}\n", i, i, random.IntN(181)-90, random.IntN(361)-180)
	}
	b.WriteString("events:\n")
	for i := range events {
		fmt.Fprintf(b, "  e%d: {name: Event %d, date: %s, places: [l%d], participants: [p%d, c%d]}\n",
			i, i, day(), random.IntN(places), random.IntN(persons), random.IntN(states))
	}
	b.WriteString("relations:\n")
	acts := []string{"CONDEMNED", "ACCUSED", "PRAISED", "THREATENED", "COMMENTED_ON", "APPEALED_TO"}
	statuses := []string{"REPORTED", "CONFIRMED", "CLAIMED", "DISPUTED", "DENIED", "PLANNED"}
	offices := []string{"LEADS", "MINISTER_OF", "SPEAKS_FOR", "ENVOY_OF"}
	named := 0
	for i := range relations {
		switch random.IntN(6) {
		case 0, 1: // symmetric; the second person differs from the first
			p := random.IntN(persons)
			q := (p + 1 + random.IntN(persons-1)) % persons
			fmt.Fprintf(b, "  - {type: MET_WITH, source: p%d, target: p%d, date: %s, event: e%d, places: [l%d], note: Meeting %d}\n",
				p, q, day(), random.IntN(events), random.IntN(places), i)
		case 2:
			fmt.Fprintf(b, "  - {type: %s, source: p%d, target: c%d, date: %s/.., sourceAs: Office %d}\n",
				offices[random.IntN(len(offices))], random.IntN(persons), random.IntN(states), day(), i)
		case 3:
			fmt.Fprintf(b, "  - {id: n%d, type: STRUCK, source: c%d, target: c%d, dateBasis: PUBLICATION, quantity: %d, unit: missiles, sources: [s%d], note: Strike %d}\n",
				named, random.IntN(states), random.IntN(states), 1+random.IntN(100), random.IntN(sources), i)
			named++
		case 4:
			if named > 0 {
				fmt.Fprintf(b, "  - {type: CONDEMNED, source: p%d, about: [n%d], date: %s, citations: [{source: s%d, quote: word %d}]}\n",
					random.IntN(persons), random.IntN(named), day(), random.IntN(sources), i)
				break
			}
			fallthrough
		default:
			fmt.Fprintf(b, "  - {type: %s, source: p%d, target: c%d, date: %s~, status: %s, confidence: 0.%d, note: Act %d}\n",
				acts[random.IntN(len(acts))], random.IntN(persons), random.IntN(states), day(), statuses[random.IntN(len(statuses))], random.IntN(10), i)
		}
	}
	return b.Flush()
}
