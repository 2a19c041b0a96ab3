package graph

// Kind says what an entity is.
type Kind string

// The kinds of entities. Person, State, Organization, Group and Undecided are
// actors; the others are what actors act on, in or with.
const (
	KindPerson       Kind = "PERSON"       // a natural person
	KindState        Kind = "STATE"        // a sovereign or de-facto state
	KindOrganization Kind = "ORGANIZATION" // a government body, alliance, company, armed group
	KindGroup        Kind = "GROUP"        // people acting without one organisation
	KindUndecided    Kind = "UNDECIDED"    // an actor whose feed does not say what it is
	KindFacility     Kind = "FACILITY"     // a thing that can be met in, struck or halted
	KindPlace        Kind = "PLACE"        // a location
	KindInstrument   Kind = "INSTRUMENT"   // a proposal, treaty, resolution, sanction list
)

// Kinds lists every kind in its fixed order.
var Kinds = [...]Kind{KindPerson, KindState, KindOrganization, KindGroup, KindUndecided, KindFacility, KindPlace, KindInstrument}

// Actor reports whether entities of the kind act.
func (k Kind) Actor() bool {
	switch k {
	case KindPerson, KindState, KindOrganization, KindGroup, KindUndecided:
		return true
	}
	return false
}

// Valid reports whether k is one of [Kinds].
func (k Kind) Valid() bool {
	return k.Actor() || k == KindFacility || k == KindPlace || k == KindInstrument
}

// Nature tells acts, which happen, from standings, which last.
type Nature string

// The two natures of relation types.
const (
	Act      Nature = "ACT"
	Standing Nature = "STANDING"
)

// Status says how firmly a relation is asserted.
type Status string

// The statuses of relations.
const (
	Planned   Status = "PLANNED"   // announced, not due or not known to have happened
	Claimed   Status = "CLAIMED"   // one interested party says so
	Reported  Status = "REPORTED"  // a source says so
	Confirmed Status = "CONFIRMED" // the acting party admits it, or two independent sources agree
	Disputed  Status = "DISPUTED"
	Denied    Status = "DENIED"
	Cancelled Status = "CANCELLED"
)

// Statuses lists every status in its fixed order.
var Statuses = [...]Status{Planned, Claimed, Reported, Confirmed, Disputed, Denied, Cancelled}

// Factual lists the statuses that reasoning over facts (offices, roles, paths,
// aggregates) keeps when no other are asked for: all but PLANNED, DENIED and
// CANCELLED.
var Factual = [...]Status{Claimed, Reported, Confirmed, Disputed}

// Factual reports whether s is one of the statuses in [Factual].
func (s Status) Factual() bool {
	return s == Claimed || s == Reported || s == Confirmed || s == Disputed
}

// Valid reports whether s is one of [Statuses].
func (s Status) Valid() bool { return s.Factual() || s == Planned || s == Denied || s == Cancelled }

// DateBasis says where a date comes from.
type DateBasis string

// The bases of dates.
const (
	Stated      DateBasis = "STATED"      // the source gives the date
	Inferred    DateBasis = "INFERRED"    // worked out from the source ("last week")
	Publication DateBasis = "PUBLICATION" // only the source's own date is known
)

// DateBases lists every basis in its fixed order.
var DateBases = [...]DateBasis{Stated, Inferred, Publication}

// Valid reports whether b is one of [DateBases].
func (b DateBasis) Valid() bool { return b == Stated || b == Inferred || b == Publication }

// EndKind says what is known of one end of a period.
type EndKind string

// The kinds of ends, after EDTF (ISO 8601-2): a date, "..", or nothing.
const (
	EndKnown   EndKind = "KNOWN"
	EndOpen    EndKind = "OPEN"
	EndUnknown EndKind = "UNKNOWN"
)

// Certainty is the answer to "does this hold in that window?".
type Certainty string

// The certainties. The empty string is "impossible", or "nothing was asked".
const (
	Possible Certainty = "POSSIBLE"
	Certain  Certainty = "CERTAIN"
)

// Direction says which end of a relation an entity is looked for at.
type Direction string

// The directions, seen from the entity. Symmetric types match whatever is asked.
const (
	Any Direction = "ANY"
	Out Direction = "OUT" // the entity is the source
	In  Direction = "IN"  // the entity is the target
)

// Role is a label that an office gives its holder.
type Role string

// The roles; they are the extra Neo4j labels of persons.
const (
	Leader       Role = "LEADER"
	Envoy        Role = "ENVOY"
	Spokesperson Role = "SPOKESPERSON"
)
