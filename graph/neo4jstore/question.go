package neo4jstore

import (
	"slices"
	"strings"

	"chancery/graph"
)

// question is the text of a query with its parameters.
type question struct {
	text       strings.Builder
	parameters map[string]any
}

func (q *question) write(parts ...string) {
	for _, p := range parts {
		q.text.WriteString(p)
	}
}

// relationQuestion puts a question about relations into Cypher. ok is false
// where nothing can match. The answer is one row, with a list of pages: the
// anchor, the number of all matches, and the rows.
func relationQuestion(v *graph.Vocabulary, rq *graph.RelationQuery) (q *question, ok bool) {
	f := &rq.Filter
	types, directed, symmetric, natures := chosenTypes(v, f)
	if len(types) == 0 || rq.Anchor != graph.AnchorNone && len(rq.IDs) == 0 || matchesNothing(f) {
		return nil, false
	}
	q = &question{parameters: map[string]any{}}
	all := f.Types == nil && f.Nature == nil
	p := page(rq, q.parameters)
	switch rq.Anchor {
	case graph.AnchorEntity:
		q.parameters["ids"] = rq.IDs
		where := relationFilter(f, rq.AsOf, natures, true, q.parameters).where()
		q.write("UNWIND $ids AS anchor\nMATCH (n:Entity {id: anchor})\nCALL (n) {\n")
		step := func(left string, types []string, right string) string {
			return "MATCH (n)" + left + "[r:" + pattern(types) + "]" + right + "(m)" + where
		}
		switch {
		case f.Direction != graph.Out && f.Direction != graph.In || len(directed) == 0:
			q.write("  ", step("-", types, "-"), "\n")
		case len(symmetric) == 0:
			q.write("  ", step(arrow(f.Direction, true), directed, arrow(f.Direction, false)), "\n")
		default:
			q.write("  CALL (n) {\n    ", step(arrow(f.Direction, true), directed, arrow(f.Direction, false)), " RETURN r\n    UNION ALL\n    ",
				step("-", symmetric, "-"), " RETURN r\n  }\n")
		}
		p.write(q, "  ", true)
		q.write("}\nRETURN collect([anchor, total, page])")
	case graph.AnchorNone:
		where := relationFilter(f, rq.AsOf, natures, false, q.parameters)
		lead := looseLead(f, types, all, where, q.parameters)
		if rq.Count {
			q.write("CALL () {\n", lead, "  RETURN count(r) AS total\n}\n")
		} else {
			q.write("WITH null AS total\n")
		}
		if rq.Limit > 0 {
			q.write("CALL () {\n", lead)
			p.write(q, "  ", false)
			q.write("}\n")
		} else {
			q.write("WITH total, [] AS page\n")
		}
		q.write("RETURN [['', total, page]]")
	default:
		where := relationFilter(f, rq.AsOf, natures, false, q.parameters)
		if !all {
			q.parameters["types"] = types
			where = slices.Insert(where, 0, cyTypes)
		}
		q.parameters["ids"] = rq.IDs
		field := map[graph.Anchor]string{graph.AnchorID: "id", graph.AnchorEvent: "event", graph.AnchorAbout: "about"}[rq.Anchor]
		q.parameters["finding"] = phrases(field, rq.IDs)
		if rq.Anchor == graph.AnchorAbout {
			q.write(cyFind, "UNWIND r.about AS anchor\nWITH DISTINCT r, anchor")
		} else {
			q.write(cyFind, "WITH r, r.", field, " AS anchor")
		}
		where = slices.Insert(where, 0, "anchor IN $ids")
		q.write(where.where(), "\nWITH anchor, collect(r) AS matched\nCALL (matched) {\n  UNWIND matched AS r\n")
		p.write(q, "  ", true)
		q.write("}\nRETURN collect([anchor, total, page])")
	}
	return q, true
}

func arrow(d graph.Direction, left bool) string {
	switch {
	case d == graph.In && left:
		return "<-"
	case d == graph.Out && !left:
		return "->"
	}
	return "-"
}

// chosenTypes are the types that pass the filter, and of these the directed
// and the symmetric ones, and which natures they have.
func chosenTypes(v *graph.Vocabulary, f *graph.RelationFilter) (all, directed, symmetric []string, natures map[graph.Nature]bool) {
	natures = map[graph.Nature]bool{}
	for _, t := range v.Types() {
		if f.Types != nil && !slices.Contains(f.Types, t.Name) || f.Nature != nil && t.Nature != *f.Nature {
			continue
		}
		all = append(all, t.Name)
		natures[t.Nature] = true
		if t.Symmetric {
			symmetric = append(symmetric, t.Name)
		} else {
			directed = append(directed, t.Name)
		}
	}
	return all, directed, symmetric, natures
}

// matchesNothing reports whether one of the lists is empty, or the event is
// none.
func matchesNothing(f *graph.RelationFilter) bool {
	if f.Event != nil && *f.Event == "" {
		return true
	}
	for _, list := range [][]string{f.Families, f.With, f.Source, f.Target, f.AccreditedTo, f.About, f.ClaimedBy, f.Place, f.CAMEO, f.Dataset} {
		if list != nil && len(list) == 0 {
			return true
		}
	}
	return f.WithKinds != nil && len(f.WithKinds) == 0 || f.Status != nil && len(f.Status) == 0 || f.DateBasis != nil && len(f.DateBasis) == 0
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// relationFilter gives the clauses of all filters but that of types, the
// cheap and the choosy ones first.
func relationFilter(f *graph.RelationFilter, asOf *graph.Day, natures map[graph.Nature]bool, anchored bool, parameters map[string]any) conjunction {
	var c conjunction
	list := func(name, clause string, values []string) {
		if values == nil {
			return
		}
		parameters[name] = values
		// What a relation does not have is not stored; the filters see it as
		// the empty text that it is everywhere else.
		if property, ok := strings.CutSuffix(clause, " IN $"+name); ok && strings.HasPrefix(clause, "r.") && slices.Contains(values, "") {
			clause = "coalesce(" + property + ", '') IN $" + name
		}
		c.add(clause)
	}
	list("status", cyStatus, nilOr(f.Status))
	if f.During != nil {
		parameters["from"], parameters["to"] = day(f.During.From), day(f.During.To)
		c.add(cyDuring)
		if f.Certainty == graph.Certain {
			c.add(cyDuringSurely)
		}
	}
	if asOf != nil {
		parameters["asOf"] = day(*asOf)
		c.add(cyAsOf)
		surely := f.Certainty == graph.Certain
		if surely {
			c.add(cyAsOfSurely)
		}
		switch {
		case !natures[graph.Standing]:
		case !natures[graph.Act]:
			c.add(cyHolds)
			if surely {
				c.add(cyHoldsSurely)
			}
		default:
			c.add(cyEnded)
			if surely {
				c.add(cyEndedSurely)
			}
		}
	}
	if f.Event != nil {
		parameters["event"] = *f.Event
		c.add(cyEvent)
	}
	list("families", cyFamilies, f.Families)
	list("dateBasis", cyDateBasis, nilOr(f.DateBasis))
	list("dataset", cyDataset, f.Dataset)
	list("claimedBy", "r.claimedBy IN $claimedBy", f.ClaimedBy)
	list("accreditedTo", "r.accreditedTo IN $accreditedTo", f.AccreditedTo)
	if f.MinConfidence != nil {
		parameters["minConfidence"] = *f.MinConfidence
		c.add(cyMinConfidence)
	}
	if slices.Contains(f.CAMEO, "") {
		// Every code is below the empty one.
	} else {
		list("cameo", cyCAMEO, f.CAMEO)
	}
	list("about", cyAbout, f.About)
	list("place", cyPlace, f.Place)
	if anchored {
		list("with", cyFarIDs, f.With)
		list("withKinds", cyFarKinds, nilOr(f.WithKinds))
	} else {
		list("with", cyEitherIDs, f.With)
		list("withKinds", cyEitherKinds, nilOr(f.WithKinds))
	}
	if f.Within && anchored {
		c.add(cyWithin)
	}
	list("source", cySource, f.Source)
	list("target", cyTarget, f.Target)
	return c
}

func nilOr[T ~string](values []T) []string {
	if values == nil {
		return nil
	}
	return texts(values)
}

// looseLead finds relations without an anchor, over the narrowest way in.
func looseLead(f *graph.RelationFilter, types []string, all bool, where conjunction, parameters map[string]any) string {
	found := func(field string, values []string) string {
		if !all {
			parameters["types"] = types
			where = slices.Insert(slices.Clone(where), 0, cyTypes)
		}
		parameters["finding"] = phrases(field, values)
		return "  " + cyFind + "  WITH r" + where.where() + "\n"
	}
	in := "[r:" + pattern(types) + "]"
	switch {
	case f.Event != nil:
		return found("event", []string{*f.Event})
	case f.About != nil:
		return found("about", f.About)
	case f.Source != nil:
		return "  MATCH (s:Entity)-" + in + "->() " + prepend(where, "s.id IN $source").where() + "\n"
	case f.Target != nil:
		return "  MATCH (t:Entity)<-" + in + "-() " + prepend(where, "t.id IN $target").where() + "\n"
	case f.With != nil:
		return "  MATCH (w:Entity)-" + in + "-() WHERE w.id IN $with WITH DISTINCT r" + where.where() + "\n"
	}
	if things := labelsOfThings(f.WithKinds); things != "" {
		return "  MATCH (w:" + things + ")-" + in + "-() WITH DISTINCT r" + where.where() + "\n"
	}
	return "  MATCH ()-" + in + "->()" + where.where() + "\n"
}

// labelsOfThings are the labels of kinds none of which are actors: few relations
// have such ends, as a rule, while most have actors. It is "" for all others.
func labelsOfThings(kinds []graph.Kind) string {
	var labels []string
	for _, kind := range kinds {
		if kind.Actor() {
			return ""
		}
		_, label, _ := strings.Cut(kindLabel(kind), ":")
		labels = append(labels, label)
	}
	return strings.Join(labels, "|")
}

// prepend puts a clause before the others, in place of the one that says the
// same of the relation's end.
func prepend(c conjunction, clause string) conjunction {
	end := cySource
	if strings.HasPrefix(clause, "t.") {
		end = cyTarget
	}
	return append(conjunction{clause}, slices.DeleteFunc(slices.Clone(c), func(s string) bool { return s == end })...)
}

// paging is what of the matches is returned.
type paging struct {
	order   string
	within  conjunction
	columns string
	count   bool
	limit   int
}

func page(rq *graph.RelationQuery, parameters map[string]any) paging {
	oldest := rq.Order == graph.OldestFirst
	p := paging{order: cyNewest, columns: cyRelation, count: rq.Count, limit: rq.Limit}
	switch {
	case oldest && rq.Backward:
		p.order = cyOldestBackward
	case oldest:
		p.order = cyOldest
	case rq.Backward:
		p.order = cyNewestBackward
	}
	if rq.Detail {
		p.columns = cyRelationDetail
	}
	if p.limit <= 0 {
		return p
	}
	parameters["limit"] = p.limit
	if k := rq.After; k != nil {
		parameters["afterDay"] = day(k.SortDay)
		p.within.add(either(oldest, cyLaterAfter, cyEarlierAfter) + after("r.id", "afterID", k.ID, parameters) + ")")
	}
	if k := rq.Before; k != nil {
		parameters["beforeDay"] = day(k.SortDay)
		p.within.add(either(oldest, cyEarlierBefore, cyLaterBefore) + before("r.id", "beforeID", k.ID, parameters) + ")")
	}
	return p
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// write ends a subquery that has found r: it returns total and page. Without
// both, only the page is returned, and is not empty because of the limit.
func (p paging) write(q *question, indent string, both bool) {
	cut := "WITH r" + p.within.where() + " ORDER BY " + p.order + " LIMIT $limit "
	rows := "collect(" + p.columns + ") AS page"
	if !both {
		q.write(indent, cut, "RETURN ", rows, "\n")
		return
	}
	switch {
	case p.limit <= 0:
		q.write(indent, "RETURN count(r) AS total, [] AS page\n")
	case p.count:
		q.write(indent, "WITH collect(r) AS found\n", indent, "CALL (found) {\n", indent, "  UNWIND found AS r\n",
			indent, "  ", cut, "RETURN ", rows, "\n", indent, "}\n", indent, "RETURN size(found) AS total, page\n")
	default:
		// Not in one RETURN: beside the null, nothing would be collected to no row.
		q.write(indent, cut, "WITH ", rows, " RETURN null AS total, page\n")
	}
}

// entityQuestion puts a question about entities into Cypher. The answer is one
// row: the number of all matches, and the rows.
func entityQuestion(v *graph.Vocabulary, g *graph.Identities, eq *graph.EntityQuery) (q *question, ok bool) {
	f := &eq.Filter
	if f.IDs != nil && len(f.IDs) == 0 || f.Kinds != nil && len(f.Kinds) == 0 ||
		f.Office != nil && len(f.Office) == 0 || f.Dataset != nil && len(f.Dataset) == 0 {
		return nil, false
	}
	q = &question{parameters: map[string]any{}}
	where := conjunction{cyStated}
	if f.IDs != nil {
		q.parameters["ids"] = f.IDs
		where.add(cyEntityIDs)
	}
	if f.Kinds != nil {
		q.parameters["kinds"] = texts(f.Kinds)
		where.add(cyEntityKinds)
	}
	lead := "  MATCH (n:Entity)"
	if f.ExternalID != nil {
		q.parameters["externalID"] = f.ExternalID.String()
		q.parameters["finding"] = phrases("externalIds", []string{f.ExternalID.String()})
		where.add(cyExternal)
		lead = "  " + cyFindEntities + "  WITH n"
	}
	if f.Dataset != nil {
		q.parameters["dataset"] = f.Dataset
		where.add(cyEntityData)
	}
	if eq.AsOf != nil {
		q.parameters["asOf"] = day(*eq.AsOf)
		where.add(cyExisted)
	}
	if f.Office != nil {
		types := v.Select(f.Office, nil, "")
		if len(types) == 0 {
			return nil, false
		}
		q.parameters["factual"] = texts(graph.Factual[:])
		held := conjunction{cyOfficeStatus}
		if eq.AsOf != nil {
			held.add(cyOfficeHeld)
		}
		holds := "EXISTS { (n)-[r:" + pattern(types) + "]->()" + held.where() + " }"
		if !g.Empty() {
			merged := map[string]any{}
			for id, members := range g.Groups() {
				merged[id] = members
			}
			q.parameters["merged"] = merged
			holds = "(" + holds + " OR " + cyMergedHolds + pattern(types) + cyMergedFrom + strings.Join(held, " AND ") + " })"
		}
		where.add(holds)
	}
	lead += where.where() + "\n"
	if eq.Count {
		q.write("CALL () {\n", lead, "  RETURN count(n) AS total\n}\n")
	} else {
		q.write("WITH null AS total\n")
	}
	if eq.Limit <= 0 {
		q.write("RETURN total, []")
		return q, true
	}
	q.parameters["limit"] = eq.Limit
	byID := eq.Order == graph.ByID
	order := either(byID, either(eq.Backward, cyByIDBackward, cyByID), either(eq.Backward, cyByNameBackward, cyByName))
	var within conjunction
	key := func(k *graph.EntityKey, side string, beyond func(expression, name, value string, parameters map[string]any) string) {
		if k == nil {
			return
		}
		id := beyond("n.id", side+"ID", k.ID, q.parameters)
		if byID {
			within.add(id)
			return
		}
		name := beyond("n.sortName", side+"Name", k.Name, q.parameters)
		within.add("(" + name + " OR n.sortName = $" + side + "Name AND " + id + ")")
	}
	key(eq.After, "after", after)
	key(eq.Before, "before", before)
	columns := "[" + cyNode + "]"
	if eq.Detail {
		columns = "[" + cyNode + ", " + cyContent + "]"
	}
	q.write("CALL () {\n", lead, "  WITH n", within.where(), " ORDER BY ", order, " LIMIT $limit\n  RETURN collect(", columns, ") AS page\n}\nRETURN total, page")
	return q, true
}

// candidateQuestion puts a search into Cypher.
func candidateQuestion(sq *graph.SearchQuery) (q *question, ok bool) {
	if sq.Kinds != nil && len(sq.Kinds) == 0 {
		return nil, false
	}
	q = &question{parameters: map[string]any{}}
	where := conjunction{cyStated}
	if sq.Kinds != nil {
		q.parameters["kinds"] = texts(sq.Kinds)
		where.add(cyEntityKinds)
	}
	finding, every := candidateTerms(sq)
	switch {
	case every:
		q.write("MATCH (n:Entity)")
	case len(finding) == 0:
		return nil, false
	default:
		q.parameters["finding"] = finding
		q.write(cyFindEntities, "WITH n")
	}
	q.write(where.where(), "\nRETURN collect([", cyNode, ", n.aliases])")
	return q, true
}

// candidateTerms are full-text queries for a search; every says that all
// entities are candidates. Words that do not fit into one query are left out
// where all must match: that finds more, not less.
func candidateTerms(sq *graph.SearchQuery) (finding []string, every bool) {
	var b strings.Builder
	clauses := 0
	for _, w := range sq.Words {
		if w.Prefix == "" { // every term begins with nothing
			if sq.AnyWord {
				return nil, true
			}
			continue
		}
		size := 1 + len(w.Exact)
		if !sq.AnyWord && clauses > 0 && clauses+size > maxClauses {
			break
		}
		if sq.AnyWord && clauses > 0 {
			finding = append(finding, b.String())
			b.Reset()
		}
		if !sq.AnyWord {
			b.WriteString("+")
		}
		b.WriteString("(")
		writePrefix(&b, "search", w.Prefix)
		for _, term := range w.Exact[:min(len(w.Exact), maxClauses)] {
			writePhrase(&b, "search", term)
		}
		b.WriteString(") ")
		clauses += size
	}
	if clauses == 0 {
		return nil, !sq.AnyWord
	}
	return append(finding, b.String()), false
}
