package loader

import "chancery/graph"

// ftmSchema says what becomes of the entities of one schema of FollowTheMoney.
// The names of schemata and properties are those of followthemoney 4.11.
type ftmSchema struct {
	// Kind is that of the entity; "" for schemata that are relations.
	Kind graph.Kind
	// Homeless says that the model has no kind for it, so that it is undecided
	// for want of a better one.
	Homeless bool
	// Links are the properties that name other entities.
	Links map[string]ftmLink
	// Begin and End are the properties that bound its existence, the first that
	// is given.
	Begin, End []string
	// Edge is what it is as a relation; nil for entities.
	Edge *ftmEdge
}

// ftmLink is the undated relation that a property of an entity stands for.
type ftmLink struct {
	Type string
	// Inward says that it runs from the one who is named.
	Inward bool
}

// ftmEdge is the relation that a row stands for.
type ftmEdge struct {
	Type           string
	Source, Target string   // the properties that name the ends
	Begin, End     []string // the properties that bound it, the first that is given
	Role           string   // the property with the office or part of the source
	Amounts        bool     // it is of a sum
	// Authority says that Source holds a name, and need not be there.
	Authority bool
}

// ftmOther stands for schemata that are not listed.
var ftmOther = ftmSchema{Kind: graph.KindUndecided, Homeless: true}

// ftmThing are the properties of any thing that name another.
var ftmThing = map[string]ftmLink{
	"addressEntity": {Type: "HAS_ADDRESS"}, "proof": {Type: ftmLoose}, "riskSource": {Type: ftmLoose},
}

// ftmLoose is the type of what no other type fits.
const ftmLoose = "LINKED_WITH"

// ftmParent is the property with what an entity is part of. The parent of a file or
// of a message is none in that sense.
const ftmParent = "parent"

// ftmPost is that of holding a post, of which the name of the post is the title.
const ftmPost = "HOLDS_POST"

var ftmSchemata = func() map[string]*ftmSchema {
	schemata := map[string]*ftmSchema{}
	thing := func(kind graph.Kind, begin, end []string, links map[string]ftmLink, names ...string) {
		for _, name := range names {
			s := &ftmSchema{Kind: kind, Begin: begin, End: end, Links: map[string]ftmLink{}}
			for _, from := range []map[string]ftmLink{ftmThing, links} {
				for property, link := range from {
					s.Links[property] = link
				}
			}
			schemata[name] = s
		}
	}
	homeless := func(name string, begin, end []string, loose ...string) {
		links := map[string]ftmLink{}
		for _, property := range loose {
			links[property] = ftmLink{Type: ftmLoose}
		}
		thing(graph.KindUndecided, begin, end, links, name)
		schemata[name].Homeless = true
	}
	edge := func(name string, e ftmEdge) {
		if e.Begin == nil {
			e.Begin, e.End = []string{"startDate"}, []string{"endDate"}
		}
		schemata[name] = &ftmSchema{Edge: &e}
	}
	of := func(properties ...string) []string { return properties }

	// Things that the model has.
	founded, dissolved := of("incorporationDate"), of("dissolutionDate")
	parent := map[string]ftmLink{ftmParent: {Type: "PART_OF"}}
	thing(graph.KindPerson, of("birthDate"), of("deathDate"), parent, "Person")
	thing(graph.KindOrganization, founded, dissolved, parent, "Organization", "Company", "PublicBody")
	thing(graph.KindUndecided, founded, dissolved, parent, "LegalEntity")
	owned := map[string]ftmLink{"owner": {Type: "OWNS", Inward: true}, "operator": {Type: "OPERATES", Inward: true}}
	thing(graph.KindFacility, of("buildDate"), nil, owned, "Vessel", "Airplane", "Vehicle")
	thing(graph.KindFacility, nil, nil, parent, "RealEstate")
	thing(graph.KindPlace, nil, nil, nil, "Address")
	thing(graph.KindPlace, nil, nil, map[string]ftmLink{"partOf": {Type: "PART_OF"}}, "Territory")
	thing(graph.KindInstrument, of("contractDate"), nil, map[string]ftmLink{"authority": {Type: ftmLoose}, "project": {Type: ftmLoose}}, "Contract", "License")
	thing(graph.KindInstrument, of("publicationDate"), nil, map[string]ftmLink{
		"authority": {Type: ftmLoose}, "onBehalfOf": {Type: ftmLoose}, "tenderers": {Type: ftmLoose}}, "CallForTenders")

	// Things that it has no kind for.
	homeless("Position", of("inceptionDate"), of("dissolutionDate"))
	schemata["Position"].Links["organization"] = ftmLink{Type: "PART_OF"}
	homeless("Asset", nil, nil)
	homeless("BankAccount", of("openingDate"), of("closingDate"), "bank")
	homeless("CourtCase", of("fileDate"), of("closeDate"))
	homeless("CryptoWallet", of("creationDate"), nil, "holder")
	homeless("EconomicActivity", of("startDate", "date"), of("endDate"), "contract", "declarant", "sender", "receiver", "contractHolder", "bankAccount", "bankRub", "bankForeign", "transport")
	homeless("Event", of("startDate", "date"), of("endDate"), "organizer", "involved")
	homeless("Identification", of("startDate"), of("endDate"), "holder")
	homeless("Passport", of("startDate"), of("endDate"), "holder")
	homeless("Mention", nil, nil, "document", "resolved")
	homeless("Message", of("startDate", "date"), of("endDate"), "parent", "ancestors", "sender", "senderAccount", "recipients", "recipientAccount", "inReplyToMessage")
	homeless("Note", nil, nil, "entity")
	homeless("Page", nil, nil, "document")
	homeless("Project", of("startDate"), of("endDate"))
	homeless("Risk", of("startDate", "listingDate"), of("endDate"), "entity")
	homeless("Security", of("issueDate"), of("maturityDate"), "issuer")
	homeless("TaxRoll", nil, nil, "taxee")
	homeless("Trip", of("startDate", "date"), of("endDate"), "organizer", "involved", "startLocation", "endLocation", "vehicle")
	homeless("UserAccount", nil, nil)
	schemata["UserAccount"].Links["owner"] = ftmLink{Type: "OWNS", Inward: true}
	for _, name := range of("Document", "Article", "Audio", "Email", "Folder", "HyperText", "Image", "Package", "Pages", "PlainText", "Table", "Video", "Workbook") {
		homeless(name, nil, nil, "parent", "ancestors", "emitters", "recipients", "inReplyToEmail", "pictured")
	}

	// Relations.
	edge("Ownership", ftmEdge{Type: "OWNS", Source: "owner", Target: "asset"})
	edge("Control", ftmEdge{Type: "CONTROLS", Source: "controller", Target: "controlled"})
	edge("Directorship", ftmEdge{Type: "DIRECTS", Source: "director", Target: "organization", Role: "role"})
	edge("Membership", ftmEdge{Type: "MEMBER_OF", Source: "member", Target: "organization", Role: "role"})
	edge("Employment", ftmEdge{Type: "EMPLOYED_BY", Source: "employee", Target: "employer", Role: "role"})
	edge("Occupancy", ftmEdge{Type: ftmPost, Source: "holder", Target: "post", Begin: of("startDate", "periodStart"), End: of("endDate", "periodEnd")})
	edge("Representation", ftmEdge{Type: "REPRESENTS", Source: "agent", Target: "client", Role: "role"})
	edge("Family", ftmEdge{Type: "RELATED_TO", Source: "person", Target: "relative"})
	edge("Associate", ftmEdge{Type: "ASSOCIATED_WITH", Source: "person", Target: "associate"})
	edge("UnknownLink", ftmEdge{Type: ftmLoose, Source: "subject", Target: "object"})
	edge("Debt", ftmEdge{Type: "OWES", Source: "debtor", Target: "creditor", Amounts: true})
	edge("ContractAward", ftmEdge{Type: "PARTY_TO", Source: "supplier", Target: "contract", Role: "role", Amounts: true})
	edge("CourtCaseParty", ftmEdge{Type: ftmLoose, Source: "party", Target: "case"})
	edge("ProjectParticipant", ftmEdge{Type: ftmLoose, Source: "participant", Target: "project"})
	edge("Documentation", ftmEdge{Type: ftmLoose, Source: "document", Target: "entity"})
	edge("Similar", ftmEdge{Type: ftmLoose, Source: "candidate", Target: "match"})
	edge("Sanction", ftmEdge{Type: "SANCTIONED", Source: "authority", Target: "entity", Begin: of("startDate", "listingDate", "date"), End: of("endDate"), Authority: true})
	edge("Payment", ftmEdge{Type: "PAID", Source: "payer", Target: "beneficiary", Amounts: true})
	edge("Succession", ftmEdge{Type: "SUCCEEDED", Source: "successor", Target: "predecessor"})
	edge("Call", ftmEdge{Type: "SPOKE_WITH", Source: "caller", Target: "receiver"})
	return schemata
}()

// ftmSchemes are the properties that are ids in well-known catalogues, or numbers
// of papers and registers.
var ftmSchemes = map[string]string{
	"wikidataId": "wikidata", "leiCode": "lei", "imoNumber": "imo", "mmsi": "mmsi", "isin": "isin", "isinCode": "isin", "figiCode": "figi",
	"innCode": "inn", "ogrnCode": "ogrn", "okpoCode": "okpo", "uscCode": "uscc", "permId": "permid", "bvdId": "bvd", "dunsCode": "duns",
	"swiftBic": "bic", "bic": "bic", "iban": "iban", "cikCode": "cik", "npiCode": "npi", "cageCode": "cage", "osmId": "osm",
	"uniqueEntityId": "uei", "vatCode": "vat", "passportNumber": graph.SchemePassport, "idNumber": graph.SchemeIDNumber,
	"socialSecurityNumber": graph.SchemeIDNumber, "taxNumber": graph.SchemeTax, "registrationNumber": graph.SchemeRegister,
}

// ftmAliases are the properties with further names, and whether they are kept
// as properties too, since they say more of the name.
var ftmAliases = []struct {
	property string
	kept     bool
}{{"name", false}, {"alias", false}, {"abbreviation", true}, {"weakAlias", true}, {"previousName", true}}

// ftmCaptions are the properties that stand for a name where there is none.
var ftmCaptions = []string{"full", "title", "subject", "fileName", "username", "cryptoAddress", "publicKey", "iban", "accountNumber", "isin",
	"passportNumber", "number", "caseNumber", "callId", "projectId", "registrationNumber", "cadastralCode", "summary"}

// ftmLabels are the labels of schemata that are not their names in words.
var ftmLabels = map[string]string{"CourtCaseParty": "Case party", "CryptoWallet": "Cryptocurrency wallet", "Document": "File",
	"EconomicActivity": "Customs declaration", "Email": "E-Mail", "HyperText": "Web page", "Pages": "Document", "PlainText": "Text file", "UnknownLink": "Other link"}

// ftmFirst are the properties with which a note begins.
var ftmFirst = []string{"program", "reason", "role", "relationship", "purpose", "summary", "description"}

// ftmDropped are the keys of a line that are not recorded: moments of the
// export, which would make a new version of everything with each one.
var ftmDropped = map[string]bool{"last_seen": true, "last_change": true}
