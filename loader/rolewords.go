package loader

import (
	"slices"
	"strings"

	"chancery/graph"
)

// Names of roles are also put together of common words: FEDERAL POLICE, ENERGY
// MINIST, COURT OF APPEALS, SECURITY OFFICIALS. Such a name ends in a word for
// somebody or for a body, and has no word but those below; GDELT itself leaves
// the ends of some words out.
var roleHeads = map[graph.Kind]string{
	graph.KindOrganization: `academy; agencies; agency; airline; airport; army; assembly; authority; bank; base; battalion; board; brigade; bureau; cabinet;
		cartel; chamber; church; clinic; coalition; college; commission; committee; companies; company; congress; consulate; corporation;
		council; court; department; directorate; embassy; factory; firm; fleet; force; forces; gang; government; guard; headquarters;
		hospital; industry; institute; intelligence; judiciary; junta; laboratory; legislature; magazine; military; militia; ministry;
		ministries; monarchy; mosque; navy; newspaper; opposition; palace; parliament; parties; party; police; radio; regime; regiment;
		secretariat; senate; service; services; squad; station; tabloid; television; treasury; tribunal; troops; union; university; website`,
	graph.KindGroup: `activists; advisers; advisors; aides; ambassadors; analysts; attackers; bandits; bishops; bombers; businessmen; candidates; children; citizens; civilians;
		clergymen; clerics; combatants; commanders; communities; constables; consumers; convicts; criminals; dealers; delegates; demonstrators; deputies;
		detainees; detectives; diplomats; dissidents; doctors; economists; employees; employers; engineers; entrepreneurs; envoys; executives; experts; extremists;
		farmers; fighters; firefighters; fishermen; gangs; generals; governors; groups; guards; guerrillas; gunmen; hostages; immigrants; inmates; insurgency;
		insurgents; investigators; investors; islamists; journalists; judges; kidnappers; laborers; lawmakers; lawyers; leaders; legislators;
		manufacturers; mayors; men; mercenaries; migrants; militants; militias; miners; ministers; monks; nationalists; nationals; negotiators;
		nurses; observers; officers; officials; parliamentarians; peasants; people; personnel; pilgrims; pilots; pirates; policemen; politicians;
		priests; prisoners; producers; professors; prosecutors; protesters; rebels; refugees; reporters; representatives; residents; scholars;
		schools; scientists; secretaries; senators; separatists; settlers; smugglers; soldiers; spokesmen; students; supporters; teachers;
		terrorists; tourists; traders; traffickers; tribes; unions; veterans; villagers; voters; women; workers`,
	"": `activist; administration; administrator; admiral; adviser; advisor; aide; ambassador; analyst; archbishop; assailant; attacker; attorney; automaker; bandit; bishop; bomber; bureaucrat;
		businessman; candidate; chairman; chief; citizen; civilian; clergyman; cleric; colonel; combatant; commander; commissioner; community;
		constable; consul; consumer; convict; criminal; dealer; defender; delegate; delegation; demonstrator; deputy; detainee;
		detective; diplomat; director; dissident; doctor; economist; editor; employee; employer; engineer; entrepreneur; envoy; executive; expert;
		extremist; farmer; fighter; firefighter; fisherman; general; governor; group; guerrilla; gunman; hostage; imam; immigrant; inmate; inspector; insurgent;
		investigator; investor; islamist; journalist; judge; kidnapper; laborer; lawmaker; lawyer; leader; legislator; lieutenant; manufacturer; mayor;
		mediator; migrant; militant; miner; minist; minister; monk; nationalist; negotiator; nurse; observer; office; officer; official; parliamentarian;
		peasant; pilgrim; pilot; pirate; policeman; policewoman; politician; premier; president; priest; prisoner; producer; professor; prosecutor; protester; publisher;
		rabbi; rebel; refugee; reporter; representative; resident; scholar; scientist; secretary; senator; separatist; sergeant; settler; sheriff; smuggler;
		society; soldier; speaker; spokesman; spokesperson; spokeswoman; student; superintendent; supporter; tank; teacher; terrorist; tourist;
		trader; trafficker; tribe; veteran; villager; voter; warship; worker`,
}

// roleQualifiers are the words that may stand before and behind those.
const roleQualifiers = `acting; affairs; agricultural; agriculture; air; aircraft; anti; appeal; appeals; appellate; armed; arms; assistant; aviation; battle; border; budget; business;
	caretaker; central; chief; city; civil; coast; commerce; commercial; constitutional; construction; corruption; counter; crown; culture; customs; defence; defense; deputy;
	development; district; domestic; drug; economic; economics; economy; education; election; electoral; emergency; energy; enforcement; environment;
	external; family; farm; federal; finance; financial; fire; fisheries; fishing; foreign; forestry; former; general; government; ground; health; high;
	higher; highway; home; homeland; house; housing; human; immigration; industrial; information; infantry; intelligence; interim; interior; internal;
	international; investigation; investment; job; judicial; junior; justice; labor; labour; land; law; leading; legal; legislative; local; lower; main; majority; marine; maritime;
	medical; migrant; military; minority; municipal; national; naval; navy; news; oil; opposition; orthodox; parliament; parliamentary; party; peace; planning;
	police; political; power; presidential; press; prime; prison; private; provincial; public; radio; rail; railway; rebel; regional; relations; religious; rescue; reserve; rights;
	riot; royal; ruling; rural; science; secret; security; senior; separatist; social; special; spiritual; sports; spy; staff; state; student; suicide; supreme; tax; technology; telecommunications;
	telephone; television; terrorism; top; tourism; trade; traffic; training; transitional; transport; transportation; treasury; tribal; under; undercover; union; upper; urban; veterans; vice;
	war; water; welfare; women; youth`

var roleHeadKinds, roleBeside = func() (heads map[string]graph.Kind, beside map[string]bool) {
	heads, beside = map[string]graph.Kind{}, map[string]bool{}
	for kind, list := range roleHeads {
		for word := range listed(list) {
			heads[word] = kind
		}
	}
	for word := range listed(roleQualifiers) {
		beside[word] = true
	}
	return heads, beside
}()

// composedRole reads a name, in lower case, that is put together of words for
// roles alone. What it is shows by its head, which stands last, or before "of".
func composedRole(name string) (namedRole, bool) {
	words := strings.Fields(name)
	of := slices.Index(words, "of")
	if of < 0 {
		of = slices.Index(words, "for")
	}
	head := len(words) - 1
	if of >= 0 {
		head = of - 1
	}
	if head < 0 || of == len(words)-1 {
		return namedRole{}, false
	}
	kind, is := roleHeadKinds[words[head]]
	if !is {
		return namedRole{}, false
	}
	for i, word := range words {
		switch {
		case i == of || i > 0 && (word == "and" || word == "the"):
		case i != head && !roleBeside[word]:
			return namedRole{}, false
		default:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return namedRole{strings.Join(words, " "), kind}, true
}
