// Who met whom this week (the week that ends with the newest meeting of the record)
MATCH ()-[m:MET_WITH]->()
WITH max(m.sortDay) AS newest
MATCH (who:Actor)-[met:MET_WITH]->(whom)
WHERE met.sortDay > newest - duration('P7D')
RETURN who, met, whom;

// What Peskov condemned, and what that was about
MATCH (who:Person {id: 'person/dmitry-peskov'})-[did:CONDEMNED]->(whom)
OPTIONAL MATCH (doer:Actor)-[act:STRUCK]->(hit) WHERE act.id IN did.about
RETURN who, did, whom, doer, act, hit;

// Envoys, whom they serve, and whom they are sent to
MATCH (envoy:Envoy)-[office:ENVOY_OF]->(sender)
OPTIONAL MATCH (host:Entity {id: office.accreditedTo})
RETURN envoy, office, sender, host;

// What two data sets say of one person
MATCH (one:Statement {form: 'ENTITY', kind: 'PERSON'})
WHERE one.supersededAt IS NULL
WITH one.id AS id, collect(one) AS statements
WHERE size(statements) > 1
MATCH (person:Person {id: id})
UNWIND statements AS statement
RETURN person, statement;

// Strikes, what was struck, and who says so
MATCH (who:Actor)-[struck:STRUCK]->(what)
OPTIONAL MATCH (claimant:Entity {id: struck.claimedBy})
RETURN who, struck, what, claimant;

// What is claimed by one side, planned, disputed or denied
MATCH (who:Actor)-[did]->(whom:Entity)
WHERE did.status IN ['CLAIMED', 'PLANNED', 'DISPUTED', 'DENIED', 'CANCELLED']
RETURN who, did, whom;

// Who held which office on 1 December 2025
WITH date('2025-12-01') AS day
MATCH (holder:Person)-[office:LEADS|MINISTER_OF|ENVOY_OF|SPEAKS_FOR]->(of)
WHERE office.earliest <= day AND office.latest >= day AND office.status IN ['REPORTED', 'CONFIRMED']
RETURN holder, office, of;

// The Paris meeting: who took part, and all that happened there
MATCH (event:Event {id: 'paris-talks-2025/paris-meeting'})<-[part:TOOK_PART_IN]-(who)
OPTIONAL MATCH (one)-[did {event: 'paris-talks-2025/paris-meeting'}]->(other:Entity)
RETURN event, part, who, one, did, other;

// All that Macron did, and that was done to him
MATCH (macron:Person {id: 'person/emmanuel-macron'})-[did]-(other:Entity)
WHERE did.sortDay IS NOT NULL
RETURN macron, did, other;

// What belongs to what: ministries, places and delegations of each state
MATCH (part:Entity)-[in:PART_OF|LOCATED_IN]->(whole:Entity)
RETURN part, in, whole;

// Hostile acts, by the Goldstein scale below -5
MATCH (who:Actor)-[did]->(whom:Entity)
WHERE did.goldstein < -5
RETURN who, did, whom;

// A source, and whom it mentions
MATCH (source:Source)-[mentions:MENTIONS]->(who:Person)
RETURN source, mentions, who;

// What was corrected or withdrawn: former versions, newest first
MATCH (from:Former)-[former:FORMER]->(to:Former)
RETURN from, former, to
ORDER BY former.supersededAt DESC LIMIT 50;

// Acts in the order of time, with their sources (a table)
MATCH (who:Entity)-[did]->(whom:Entity)
WHERE did.sortDay IS NOT NULL AND NOT coalesce(did.standing, false)
RETURN toString(did.sortDay) AS day, who.name AS who, did.caption AS act, whom.name AS whom, did.status AS status, did.sources AS sources
ORDER BY did.sortDay DESC, did.id LIMIT 100;
