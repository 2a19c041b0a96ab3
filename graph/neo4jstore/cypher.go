package neo4jstore

import (
	"strings"

	"chancery/graph"
)

// Every query text is put together from these constants, in one order, and
// from relation types in theirs. All values are parameters. Neo4j plans a text
// once and remembers some thousand texts, so the same question must always
// have the same text, and a clause that would let everything pass is left out.
//
// In all of them r is a relation, n the node asked about, and m the node at
// the relation's other end.

// Names in the schema.
const (
	indexFinding = "chancery_finding" // full text over relations: id, event, about
	indexSearch  = "chancery_search"  // full text over entities: search terms, external ids
)

// What is returned of a relation, in the order in which decodeRelation reads it.
const (
	cyRelation = "[r.id, type(r), startNode(r).id, endNode(r).id, " + cyRelationDate + "]"

	cyRelationDetail = "[r.id, type(r), startNode(r).id, endNode(r).id, " + cyRelationDate + ", " + cyRelationRest + "]"

	cyFormerDetail = "[r.id, r.type, startNode(r).id, endNode(r).id, " + cyRelationDate + ", " + cyRelationRest + "]"

	cyRelationDate = "r.status, r.date, r.earliest, r.certainFrom, r.certainTo, r.latest, " +
		"r.startKind, r.endKind, r.dateBasis, r.sortDay"

	cyRelationRest = "r.claimedBy, r.sourceAs, r.targetAs, r.accreditedTo, r.about, r.event, r.places, " +
		"r.quantity, r.unit, r.note, r.cameo, r.goldstein, r.family, r.confidence, r.sources, r.quotes, " +
		"r.dataset, r.hash, r.recordedAt, r.supersededAt"

	cyEntry = "[r.id, type(r), startNode(r).id, endNode(r).id, r.dataset, r.hash, r.recordedAt]"
)

// What is returned of a node, in the order in which decodeNode and
// decodeStatement read it.
const (
	cyNode = "n.id, n.kind, n.name, n.canonical, n.datasets"

	cyContent = "n.aliases, n.description, n.externalIds, " +
		"n.date, n.earliest, n.certainFrom, n.certainTo, n.latest, n.startKind, n.endKind, n.dateBasis, n.sortDay, " +
		"n.point, [k IN keys(n) WHERE k STARTS WITH 'p_' | [k, n[k]]], " +
		"n.participants, n.participantRoles, n.places, n.url, n.publisher"

	cyStatement = "[n.id, n.form, n.kind, n.name, n.dataset, n.hash, n.recordedAt, n.supersededAt, " + cyContent + "]"
)

// Filters of relations.
const (
	cyTypes         = "type(r) IN $types"
	cyFamilies      = "r.family IN $families"
	cyFarIDs        = "m.id IN $with"
	cyFarKinds      = "m.kind IN $withKinds"
	cyWithin        = "m.canonical = n.canonical"
	cyEitherIDs     = "(startNode(r).id IN $with OR endNode(r).id IN $with)"
	cyEitherKinds   = "(startNode(r).kind IN $withKinds OR endNode(r).kind IN $withKinds)"
	cySource        = "startNode(r).id IN $source"
	cyTarget        = "endNode(r).id IN $target"
	cyDuring        = "r.earliest <= $to AND r.latest >= $from"
	cyDuringSurely  = "r.certainFrom <= $to AND r.certainTo >= $from"
	cyAsOf          = "r.earliest <= $asOf"
	cyAsOfSurely    = "r.certainFrom <= $asOf"
	cyHolds         = "r.latest >= $asOf"
	cyHoldsSurely   = "r.certainTo >= $asOf"
	cyEnded         = "(r.standing = false OR r.latest >= $asOf)"
	cyEndedSurely   = "(r.standing = false OR r.certainTo >= $asOf)"
	cyStatus        = "r.status IN $status"
	cyDateBasis     = "r.dateBasis IN $dateBasis"
	cyAbout         = "any(x IN r.about WHERE x IN $about)"
	cyPlace         = "any(x IN r.places WHERE x IN $place)"
	cyCAMEO         = "any(x IN $cameo WHERE r.cameo STARTS WITH x)"
	cyDataset       = "r.dataset IN $dataset"
	cyMinConfidence = "r.confidence >= $minConfidence"
	cyEvent         = "r.event = $event"
)

// Places of relations in a list.
const (
	cyNewest         = "r.sortDay DESC, r.id"
	cyNewestBackward = "r.sortDay, r.id DESC"
	cyOldest         = "r.sortDay, r.id"
	cyOldestBackward = "r.sortDay DESC, r.id DESC"

	cyEarlierAfter  = "(r.sortDay < $afterDay OR r.sortDay = $afterDay AND "
	cyLaterAfter    = "(r.sortDay > $afterDay OR r.sortDay = $afterDay AND "
	cyLaterBefore   = "(r.sortDay > $beforeDay OR r.sortDay = $beforeDay AND "
	cyEarlierBefore = "(r.sortDay < $beforeDay OR r.sortDay = $beforeDay AND "
)

// Finding relations of all types at once through the full-text index.
const cyFind = "UNWIND $finding AS wanted\n" +
	"CALL db.index.fulltext.queryRelationships('" + indexFinding + "', wanted) YIELD relationship AS found\n" +
	"WITH DISTINCT found AS r\n"

// Nodes of each form.
const (
	cyNodes = "CALL () {\n" +
		"  MATCH (n:Entity) WHERE n.id IN $ids RETURN 'ENTITY' AS form, n\n" +
		"  UNION ALL MATCH (n:Event) WHERE n.id IN $ids RETURN 'EVENT' AS form, n\n" +
		"  UNION ALL MATCH (n:Source) WHERE n.id IN $ids RETURN 'SOURCE' AS form, n\n" +
		"}\n"
	cyNodesPlain  = cyNodes + "RETURN collect([form, " + cyNode + "])"
	cyNodesDetail = cyNodes + "RETURN collect([form, " + cyNode + ", " + cyContent + "])"
)

// Entities. Only entities that are not withdrawn have a sortName.
const (
	cyStated       = "n.sortName IS NOT NULL"
	cyEntityIDs    = "n.id IN $ids"
	cyEntityKinds  = "n.kind IN $kinds"
	cyExternal     = "$externalID IN n.externalIds"
	cyEntityData   = "any(x IN n.datasets WHERE x IN $dataset)"
	cyExisted      = "(n.date IS NULL OR n.earliest <= $asOf AND n.latest >= $asOf)"
	cyOfficeStatus = "r.status IN $factual"
	cyOfficeHeld   = "r.earliest <= $asOf AND r.latest >= $asOf"

	// Of ids for which another one stands, $merged has the lists by that one.
	cyMergedHolds = "EXISTS { MATCH (h:Entity)-[r:"
	cyMergedFrom  = "]->() WHERE h.id IN $merged[n.id] AND "

	cyByName         = "n.sortName, n.id"
	cyByNameBackward = "n.sortName DESC, n.id DESC"
	cyByID           = "n.id"
	cyByIDBackward   = "n.id DESC"

	cyFindEntities = "UNWIND $finding AS wanted\n" +
		"CALL db.index.fulltext.queryNodes('" + indexSearch + "', wanted) YIELD node AS found\n" +
		"WITH DISTINCT found AS n\n"
)

// What the record holds.
const (
	cyHeldStatements = "CALL () {\n" +
		"  MATCH (n:Statement) WHERE n.id IN $nodes\n" +
		"  WITH n ORDER BY n.recordedAt DESC, n.supersededAt DESC\n" +
		"  WITH n.id AS id, n.dataset AS dataset, head(collect(n)) AS n\n" +
		"  RETURN collect(" + cyStatement + ") AS statements\n" +
		"}\n"
	cyHeldHistory = "CALL () {\n" +
		"  MATCH (n:Statement) WHERE n.id IN $nodes\n" +
		"  RETURN collect(" + cyStatement + ") AS statements\n" +
		"}\n"
	cyHeldRelations = "CALL () {\n" +
		cyFind +
		"  RETURN collect(" + cyEntry + ") AS entries\n" +
		"}\n"
	cyHeldStanding = "CALL () {\n" +
		cyFind +
		"  RETURN collect(" + cyRelationDetail + ") AS standing\n" +
		"}\n"
	cyHeldFormer = "CALL () {\n" +
		"  MATCH ()-[r:FORMER]->() WHERE r.id IN $relations\n" +
		"  RETURN collect(" + cyFormerDetail + ") AS former\n" +
		"}\n"

	// The keys of the standing statements of one data set begin with its name,
	// and those of relations are their ids: both are read in order from the
	// indexes of their constraints, and no more of each than may be needed.
	cyEntriesStatements = "  MATCH (n:Statement) USING INDEX n:Statement(key) WHERE n.key > $afterKey AND n.key < $endKey AND n.supersededAt IS NULL\n" +
		"  WITH n ORDER BY n.key LIMIT $"
	cyEntriesStatementRows = "\n  RETURN '" + partStatements + "' AS type, collect([n.id, n.hash]) AS entries\n"

	// The database keeps these counts; db.relationshipTypes gives types of
	// which it has none as well.
	cyTypesUsed = "CALL db.stats.retrieve('GRAPH COUNTS') YIELD data\nUNWIND data.relationships AS kept\n" +
		"WITH kept WHERE kept.relationshipType IS NOT NULL AND kept.startLabel IS NULL AND kept.endLabel IS NULL AND kept.count > 0\n" +
		"RETURN collect(kept.relationshipType)"

	cyEntriesMatch = "  MATCH ()-[r:"
	cyEntriesIndex = "]->() USING INDEX r:"
	cyEntriesAfter = "(key) WHERE r.key > $after"
	cyEntriesOf    = " AND r.dataset = $dataset"
	cyEntriesOrder = " WITH r ORDER BY r.key LIMIT $"
	cyEntriesRows  = " RETURN '"
	cyEntriesEnd   = "' AS type, collect([r.id, r.hash, startNode(r).id, endNode(r).id]) AS entries\n"

	// Of ids that have versions, those of former ones have an index of their own.
	cyEveryFormer = "  MATCH ()-[r:FORMER]->() USING INDEX r:FORMER(id) WHERE r.id > $after\n" +
		"  WITH DISTINCT r.id AS id ORDER BY id LIMIT $"
	cyEveryFormerRows = "\n  RETURN '" + partFormer + "' AS type, collect([id, null, null, null]) AS entries\n"
	cyEveryStatement  = "MATCH (n:Statement) USING INDEX n:Statement(id) WHERE n.id > $after\n" +
		"WITH DISTINCT n.id AS id ORDER BY id LIMIT $limit RETURN collect(id)"

	cyDatasets = "MATCH (n:Dataset) WITH n ORDER BY n.name " +
		"RETURN collect([n.name, n.title, n.priority, n.recordedAt, n.edition, n.complete, coalesce(n.written, 0), n.writtenUnder])"

	cyInputs = "MATCH (n:Loaded) WITH n ORDER BY n.key RETURN collect([n.key, n.recordedAt, n.under])"

	cyLoaded = "OPTIONAL MATCH (n:Loaded {key: $key}) RETURN n.recordedAt, n.under"
)

// The meta node.
const (
	cyMeta = "MATCH (meta:ChanceryMeta {id: 'chancery'}) RETURN meta.version, meta.revision"

	cyMetaVocabulary = "MATCH (meta:ChanceryMeta {id: 'chancery'})\n" + cyMergedNodes +
		"RETURN meta.version, meta.revision, meta.vocabulary, merged"

	// The label tells nodes for which others stand.
	cyMergedNodes = "CALL () { MATCH (n:Merged) RETURN collect([n.id, n.canonical]) AS merged }\n"

	cyMergedOnly = cyMergedNodes + "RETURN merged"

	cyJudgements = "CALL () {\n" +
		"  MATCH (n:IdentityStatement) WHERE n.supersededAt IS NULL\n" +
		"  RETURN collect(" + cyStatement + ") AS judgements\n" +
		"}\n" + cyMergedNodes + "RETURN judgements, merged"

	// Writing to the node first takes the lock that everything else waits for.
	cyMetaLock = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.locked = true"

	cyLeaseRead = "MATCH (meta:ChanceryMeta {id: 'chancery'}) " +
		"RETURN meta.leaseHolder, meta.leaseToken, meta.leaseUntil, meta.lastRecorded, meta.lastBatch"

	cyLeaseSet = "MATCH (meta:ChanceryMeta {id: 'chancery'}) " +
		"SET meta.leaseHolder = $holder, meta.leaseToken = $token, meta.leaseUntil = $until"

	cyBatchSet = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.lastRecorded = $last, meta.lastBatch = $batch"

	// The number of the batch comes from the node whose lock the writer holds.
	cyJournalPut = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.journal = coalesce(meta.journal, 0) + 1 " +
		"CREATE (:Journal {seq: meta.journal, recordedAt: $at, relations: $relations})"

	cyJournalEnd = "MATCH (meta:ChanceryMeta {id: 'chancery'}) RETURN coalesce(meta.journal, 0)"

	// Numbers have no gaps, so that the end of the range bounds the answer.
	cyJournal = "MATCH (meta:ChanceryMeta {id: 'chancery'})\n" +
		"CALL () { MATCH (n:Journal) WHERE n.seq > $after AND n.seq <= $to WITH n ORDER BY n.seq " +
		"RETURN collect([n.seq, n.recordedAt, n.relations]) AS batches }\n" +
		"RETURN coalesce(meta.journal, 0), batches"

	cyVocabularySet = "MATCH (meta:ChanceryMeta {id: 'chancery'}) " +
		"SET meta.vocabulary = $vocabulary, meta.revision = coalesce(meta.revision, 0) + 1"

	cyMetaMake = "MERGE (meta:ChanceryMeta {id: 'chancery'}) " +
		"ON CREATE SET meta.name = 'Chancery', meta.revision = 0, meta.version = 0"

	cyRevise = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.revision = coalesce(meta.revision, 0) + 1"

	cyVersionSet = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.version = $version"

	// The marker of test databases is not Chancery's, but does not keep it out.
	cyForeign = "OPTIONAL MATCH (meta:ChanceryMeta {id: 'chancery'})\n" +
		"RETURN meta IS NOT NULL, EXISTS { MATCH (n) WHERE NOT n:ChanceryTestDatabase }, meta.version"

	cyShowIndexes = "SHOW INDEXES YIELD name, state, labelsOrTypes, properties " +
		"RETURN collect([name, state, labelsOrTypes, properties])"
)

// Writing.
const (
	cyDatasetPut = "MERGE (n:Dataset {name: $name}) " +
		"SET n.title = $title, n.priority = $priority, n.recordedAt = $recordedAt, n.edition = $edition, n.complete = $complete, " +
		"n.written = $written, n.writtenUnder = $writtenUnder"

	cyLoadedPut = "WITH $row AS row MERGE (n:Loaded {key: row.key}) SET n = row"

	cyLoadedDoubt = "MATCH (n:Loaded) REMOVE n.under"

	// A statement that this very batch has written already is left alone.
	cySupersede = "UNWIND $rows AS row\n" +
		"MATCH (n:Statement {key: row[0]})\n" +
		"WITH row, n, n.recordedAt = $at AND n.hash = row[1] AS same\n" +
		"FOREACH (_ IN CASE WHEN same THEN [] ELSE [1] END |\n" +
		"  SET n.supersededAt = $at, n.key = row[0] + '\\t' + toString(n.recordedAt) + CASE WHEN n.recordedAt = $at THEN '#' + n.hash ELSE '' END)\n" +
		"RETURN collect(CASE WHEN same THEN row[0] END)"

	cyStatementsOf   = "UNWIND $rows AS row CREATE (n:Statement:"
	cyStatementsFrom = ") SET n = row"

	cyNodesNew        = "UNWIND $rows AS row\nCREATE (e:"
	cyNodesNewFrom    = ") SET e = row[0]\n"
	cyParticipantsNew = "WITH e, row UNWIND row[1] AS part\n" +
		"MATCH (n:Entity {id: part[0]})\n" +
		"CREATE (n)-[x:TOOK_PART_IN]->(e) SET x.role = part[1]"

	cyNodePut       = "UNWIND $rows AS row\nMERGE (n:"
	cyNodePutFrom   = " {id: row.id})\nSET n = row\n"
	cyEntityUnkind  = "REMOVE n:Actor:Person:State:Organization:Group:Facility:Place:Instrument:Merged\n"
	cyNodesMerged   = "UNWIND $rows AS id MATCH (n:Entity {id: id}) SET n:Merged"
	cyFormerRenamed = "WITH n MATCH (f:Former {id: n.id}) SET f.name = n.name"

	cyParticipants = "UNWIND $rows AS row\n" +
		"MATCH (e:Event {id: row[0]})\n" +
		"CALL (e) { MATCH (e)<-[x:TOOK_PART_IN]-() DELETE x }\n" +
		cyParticipantsNew
	// Each end is looked up once, however many relations it has. Where one is
	// missing, nothing is created.
	cyEnds = "UNWIND range(0, size($ends) - 1) AS i\n" +
		"MATCH (n:Entity {id: $ends[i]})\n" +
		"WITH n, i ORDER BY i\n" +
		"WITH collect(n) AS ends WHERE size(ends) = size($ends)\n" +
		"UNWIND $rows AS row\n"

	cyRelationsPut = "WITH ends[row[0]] AS a, ends[row[1]] AS b, row\n" +
		"CREATE (a)-[r:$(row[2])]->(b) SET r = row[3]"

	cyMissingEnds = "UNWIND $ids AS id WITH id WHERE NOT EXISTS { MATCH (n:Entity {id: id}) } RETURN collect(id)[..5]"

	// Former versions run between twins, so that Browser does not draw them
	// between the entities themselves. What this very batch has written already
	// (row: key and hash of the new version) is left alone.
	cyRetireOf   = "UNWIND $rows AS row\nMATCH (a)-[r:"
	cyRetireFrom = " {key: row[0]}]->(b)\n" +
		"WHERE NOT (r.recordedAt = $at AND r.hash = row[1])\n" +
		"MERGE (x:Former {id: a.id}) ON CREATE SET x.name = a.name\n" +
		"MERGE (y:Former {id: b.id}) ON CREATE SET y.name = b.name\n" +
		"CREATE (x)-[f:FORMER]->(y)\n" +
		"SET f = properties(r), f.type = type(r), f.supersededAt = $at,\n" +
		"  f.key = r.id + '@' + toString(r.recordedAt) + CASE WHEN r.recordedAt = $at THEN '#' + r.hash ELSE '' END\n" +
		"WITH r, a.id AS source, b.id AS target, r.id AS id, r.sources AS sources, r.role AS role\n" +
		"DELETE r\n" +
		"RETURN collect([id, source, target, sources, role])"

	cyPresent = "UNWIND $finding AS wanted\n" +
		"CALL db.index.fulltext.queryRelationships('" + indexFinding + "', wanted) YIELD relationship AS r\n" +
		"WITH r WHERE r.recordedAt = $at RETURN collect([r.id, type(r), r.hash])"

	cyMention = "UNWIND $rows AS row\n" +
		"MATCH (s:Source {id: row[0]}) MATCH (n:Entity {id: row[1]})\n" +
		"MERGE (s)-[x:MENTIONS]->(n)\n" +
		"SET x.relations = coalesce(x.relations, 0) + row[2]"

	cyUnmention = "UNWIND $rows AS row\n" +
		"MATCH (s:Source {id: row[0]}) MATCH (n:Entity {id: row[1]})\n" +
		"MATCH (s)-[x:MENTIONS]->(n)\n" +
		"SET x.relations = x.relations + row[2]\n" +
		"WITH x WHERE x.relations <= 0 DELETE x"

	// Row: an entity, and the ids whose offices are its own.
	cyRolesOf   = "UNWIND $rows AS row\nMATCH (n:Entity {id: row[0]})\nCALL (row) {\n  UNWIND row[1] AS id MATCH (:Entity {id: id})-[r:"
	cyRolesFrom = "]->() WHERE r.role IS NOT NULL AND r.status IN $factual\n" +
		"  RETURN collect(DISTINCT r.role) AS roles\n" +
		"}\n" +
		"FOREACH (_ IN CASE WHEN 'LEADER' IN roles THEN [1] ELSE [] END | SET n:Leader)\n" +
		"FOREACH (_ IN CASE WHEN 'LEADER' IN roles THEN [] ELSE [1] END | REMOVE n:Leader)\n" +
		"FOREACH (_ IN CASE WHEN 'ENVOY' IN roles THEN [1] ELSE [] END | SET n:Envoy)\n" +
		"FOREACH (_ IN CASE WHEN 'ENVOY' IN roles THEN [] ELSE [1] END | REMOVE n:Envoy)\n" +
		"FOREACH (_ IN CASE WHEN 'SPOKESPERSON' IN roles THEN [1] ELSE [] END | SET n:Spokesperson)\n" +
		"FOREACH (_ IN CASE WHEN 'SPOKESPERSON' IN roles THEN [] ELSE [1] END | REMOVE n:Spokesperson)"
)

// kindLabels are the labels of each kind.
var kindLabels = [...]struct {
	kind   graph.Kind
	labels string
}{
	{graph.KindPerson, ":Actor:Person"},
	{graph.KindState, ":Actor:State"},
	{graph.KindOrganization, ":Actor:Organization"},
	{graph.KindGroup, ":Actor:Group"},
	{graph.KindUndecided, ":Actor"},
	{graph.KindFacility, ":Facility"},
	{graph.KindPlace, ":Place"},
	{graph.KindInstrument, ":Instrument"},
}

// kindLabel are the labels of a kind.
func kindLabel(kind graph.Kind) string {
	for _, k := range kindLabels {
		if k.kind == kind {
			return k.labels
		}
	}
	return ""
}

// conjunction gathers the clauses of a WHERE.
type conjunction []string

func (c *conjunction) add(clause string) { *c = append(*c, clause) }

// where is the whole clause, or nothing.
func (c conjunction) where() string {
	if len(c) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c, " AND ")
}

// pattern lists types as they stand in a pattern. The order is the caller's.
func pattern(types []string) string {
	var b strings.Builder
	for i, t := range types {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(identifier(t))
	}
	return b.String()
}

// identifier quotes a name where Cypher needs it.
func identifier(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c != '_' && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "`" + strings.ReplaceAll(name, "`", "``") + "`"
		}
	}
	return name
}

// maxClauses is the largest number of terms in one full-text query; Lucene
// refuses more than 1,024.
const maxClauses = 500

// phrases are full-text queries for any of these values in a field.
func phrases(field string, values []string) []string { return anyOf(writePhrase, field, values) }

// beginnings are full-text queries for values of a field that begin with any of
// these texts.
func beginnings(field string, texts []string) []string { return anyOf(writePrefix, field, texts) }

// anyOf are full-text queries with a clause for each value but empty ones.
func anyOf(write func(b *strings.Builder, field, value string), field string, values []string) []string {
	queries := make([]string, 0, (len(values)+maxClauses-1)/maxClauses)
	var b strings.Builder
	n := 0
	for _, v := range values {
		if v == "" {
			continue
		}
		if n == maxClauses {
			queries = append(queries, b.String())
			b.Reset()
			n = 0
		}
		n++
		write(&b, field, v)
	}
	if n > 0 {
		queries = append(queries, b.String())
	}
	return queries
}

// writePhrase writes one field:"value" clause. Inside quotes only the quote
// and the backslash mean anything.
func writePhrase(b *strings.Builder, field, value string) {
	b.WriteString(field)
	b.WriteString(`:"`)
	for i := 0; i < len(value); i++ {
		if value[i] == '"' || value[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(value[i])
	}
	b.WriteString(`" `)
}

// writePrefix writes one field:value* clause.
func writePrefix(b *strings.Builder, field, prefix string) {
	b.WriteString(field)
	b.WriteByte(':')
	for _, c := range prefix {
		if strings.ContainsRune("+-&|!(){}[]^\"~*?:\\/<>= \t\r\n\u3000", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	b.WriteString("* ")
}

// Neo4j sorts stored texts, and seeks in indexes, by code point, but compares a
// stored text with a parameter by UTF-16 units. The two orders differ where, at
// the first difference, one text has a character from U+10000 on and the other
// one from U+E000 to U+FFFF. So the comparison with a key that has such
// characters is corrected by two regular expressions; hardly any key has.

// after and before compare an expression with the parameter of that name,
// which is given the value.
func after(expression, name, value string, parameters map[string]any) string {
	parameters[name] = value
	if !high(value) {
		return expression + " > $" + name
	}
	parameters[name+"Above"], parameters[name+"Below"] = exceptions(value)
	return "(" + expression + " > $" + name + " OR " + expression + " =~ $" + name + "Above) AND NOT " + expression + " =~ $" + name + "Below"
}

func before(expression, name, value string, parameters map[string]any) string {
	parameters[name] = value
	if !high(value) {
		return expression + " < $" + name
	}
	parameters[name+"Above"], parameters[name+"Below"] = exceptions(value)
	return "(" + expression + " < $" + name + " OR " + expression + " =~ $" + name + "Below) AND NOT " + expression + " =~ $" + name + "Above"
}

const firstHigh = '\uE000'

func high(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c >= firstHigh })
}

// exceptions are regular expressions for the texts that are above and below s
// by code point, but not by UTF-16 units.
func exceptions(s string) (above, below string) {
	var up, down []string
	for i, c := range s {
		prefix := `\Q` + strings.ReplaceAll(s[:i], `\E`, `\E\\E\Q`) + `\E`
		switch {
		case c >= 0x10000:
			down = append(down, prefix+`[\x{E000}-\x{FFFF}].*`)
		case c >= firstHigh:
			up = append(up, prefix+`[\x{10000}-\x{10FFFF}].*`)
		}
	}
	join := func(alternatives []string) string {
		if len(alternatives) == 0 {
			return "(?!)" // matches nothing
		}
		return "(?s)" + strings.Join(alternatives, "|")
	}
	return join(up), join(down)
}
