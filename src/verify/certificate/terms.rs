//! The terms that agreements put data under, and what breaks them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::world::{Edge, Ground};
use crate::base::bits::LeafSet;
use crate::base::duration::Duration;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Kind, Onward};
use crate::declare::inventory::Terms;
use crate::model::{AgreementId, FlowId, OnwardTo, PartyId};
use crate::read::decode::Spanned;

/// The four checks of terms that follow data.
pub const TERMS: [&str; 4] = ["terms/purpose", "terms/onward", "terms/retention", "terms/safeguards"];

/// The terms that some flows of an agreement put data under.
#[derive(Debug, Clone)]
pub struct Under<'m> {
    /// The agreement.
    pub agreement: AgreementId,
    /// The flows.
    pub flows: BTreeSet<FlowId>,
    terms: &'m Terms,
    onward: Onward,
    onward_to: &'m [OnwardTo],
    said: Arc<Said>,
    /// Where the terms end, whosever the data: at who shares, and at providers.
    pub homes: BTreeSet<Home>,
    /// Whether they end at parties, not at their groups, since all that signed are of one group.
    within: bool,
}

/// Where terms end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// At a group of parties.
    Group(PartyId),
    /// At a party.
    Party(PartyId),
}

impl Home {
    /// Whether a flow leads there.
    pub fn is_entered(self, edge: &Edge) -> bool {
        match self {
            Home::Group(group) => edge.entered == group,
            Home::Party(party) => edge.receiver == party,
        }
    }
}

/// What terms say.
#[derive(Debug)]
struct Said {
    permitted: Option<Vec<Key>>,
    prohibited: Vec<Key>,
    /// All of it: equal where they say the same.
    text: String,
}

impl Said {
    fn new(terms: &Terms, implied: Option<&[Key]>, within: bool, passing: (Onward, &[OnwardTo])) -> Self {
        let keys = |list: &[Spanned<Key>]| {
            let mut keys: Vec<Key> = list.iter().map(|key| key.value).collect();
            keys.sort_unstable();
            keys
        };
        let mut safeguards: Vec<&str> = terms.safeguards.iter().map(|name| name.value.as_str()).collect();
        safeguards.sort_unstable();
        let stated = terms.purposes.as_deref().map(keys);
        let (permitted, prohibited) =
            (stated.or(implied.map(<[Key]>::to_vec)), keys(&terms.prohibited_purposes));
        let purposes = (&permitted, &prohibited);
        let releasing = terms.releasing();
        let text = format!(
            "{purposes:?} {passing:?} {:?} {safeguards:?} {releasing:?} {within}",
            terms.retention.map(|kept| kept.hours())
        );
        Said { permitted, prohibited, text }
    }
}

impl<'m> Under<'m> {
    /// The terms of all flows of agreements that move data: equal ones of the same agreement and
    /// the same sending group together.
    pub fn all(ground: &Ground<'m>) -> Vec<Under<'m>> {
        let mut all: Vec<Under> = Vec::new();
        for agreement in ground.model.agreements.ids() {
            let before = all.len();
            let flows = ground.model.agreements[agreement].flows.iter();
            for &flow in flows.filter(|&&flow| ground.counting.moves(flow)) {
                let known = all.get_mut(before..).unwrap_or_default();
                if let Some(known) = known.iter_mut().find(|known| known.is_of(ground, flow)) {
                    known.flows.insert(flow);
                    continue;
                }
                let one = Under::of(ground, agreement, flow);
                let same = |known: &&mut Under| known.homes == one.homes && known.says() == one.says();
                match known.iter_mut().find(same) {
                    Some(known) => known.flows.extend([flow]),
                    None => all.push(one),
                }
            }
        }
        all
    }

    /// Whether they are a flow's, seen by where they are kept. If not, they may still be.
    fn is_of(&self, ground: &Ground, flow: FlowId) -> bool {
        let declared = &ground.model.flows[flow];
        let kept =
            std::ptr::eq(self.terms, &*declared.terms) && std::ptr::eq(self.onward_to, &*declared.onward_to);
        kept && self.homes == homes(ground, flow)
    }

    fn of(ground: &Ground<'m>, agreement: AgreementId, flow: FlowId) -> Self {
        let declared = &ground.model.flows[flow];
        let (onward, onward_to) = (declared.onward(), &*declared.onward_to);
        let within = within(ground, agreement);
        Under {
            agreement,
            flows: [flow].into(),
            terms: &declared.terms,
            onward,
            onward_to,
            said: Arc::new(Said::new(
                &declared.terms,
                implied(ground, agreement).as_deref(),
                within,
                (onward, onward_to),
            )),
            homes: homes(ground, flow),
            within,
        }
    }

    /// Whether a flow brings data home, whosever it is.
    pub fn brings_home(&self, edge: &Edge) -> bool {
        self.homes.iter().any(|home| home.is_entered(edge))
    }

    /// Whether a flow brings data of a party's home.
    pub fn is_origin(&self, ground: &Ground, edge: &Edge, whose: PartyId) -> bool {
        home(ground, whose, self.within).is_entered(edge)
    }

    /// What the terms say, of any agreement: equal where they say the same.
    pub fn says(&self) -> &str {
        &self.said.text
    }

    /// The terms that a flow breaks whatever it carries: all but where it passes data on. A bit for
    /// each; the same for all flows of a manner.
    pub fn wholly_broken(&self, ground: &Ground, flow: FlowId) -> u8 {
        let f = &ground.model.flows[flow];
        if self.terms.releasing().contains(&f.transform) {
            return 0;
        }
        let kept = f.retention.unwrap_or(Duration::Unlimited);
        let lacking = |s: &Spanned<String>| !f.declared.safeguards.contains(&s.value);
        let wholly = [
            (0, self.wrong_purpose(ground, flow)),
            (2, self.terms.retention.is_some_and(|most| kept > most)),
            (3, self.terms.safeguards.iter().any(lacking)),
        ];
        wholly.into_iter().filter(|(_, broken)| *broken).map(|(check, _)| 1 << check).sum()
    }

    fn wrong_purpose(&self, ground: &Ground, flow: FlowId) -> bool {
        let (model, f) = (ground.model, &ground.model.flows[flow]);
        let purposes = &f.purposes;
        let permitted = self.said.permitted.as_ref();
        let run_for = &model.systems[f.to].purposes;
        let related = |p: Key, q: Key| model.under(p, &[q]) || model.under(q, &[p]);
        let outside = permitted.is_some_and(|named| {
            let apart = |&p: &Key| !named.iter().any(|&q| related(p, q));
            purposes.iter().any(|&p| !model.under(p, named))
                || !run_for.is_empty() && run_for.iter().all(apart)
        });
        let mut used = purposes.iter().chain(run_for);
        outside || used.any(|&p| self.said.prohibited.iter().any(|&q| related(p, q)))
    }

    /// Whether a flow passes data on to somebody whom the terms do not allow, `onward_to` aside.
    pub fn passes_on(&self, ground: &Ground, edge: &Edge) -> bool {
        if !self.may_pass_on(edge) {
            return false;
        }
        let parties = &ground.model.agreements[self.agreement].parties;
        if parties.contains(&edge.receiver) || ground.model.flows[edge.flow].agreement == Some(self.agreement)
        {
            return false;
        }
        let related = || parties.iter().any(|&p| ground.group(p) == edge.entered);
        match self.onward {
            Onward::Affiliates => !related(),
            Onward::Prohibited | Onward::Processors | Onward::Permitted => true,
        }
    }

    /// Whether [`Under::passes_on`] may hold, of any terms that say the same.
    pub fn may_pass_on(&self, edge: &Edge) -> bool {
        edge.counts
            && edge.sender != edge.receiver
            && !self.releases(edge)
            && match self.onward {
                Onward::Permitted => false,
                Onward::Processors | Onward::Affiliates => !edge.to_processor(),
                Onward::Prohibited => true,
            }
    }

    /// What the terms let a flow pass on.
    pub fn allowed(&self, ground: &Ground, edge: &Edge) -> LeafSet {
        let (model, f) = (ground.model, &ground.model.flows[edge.flow]);
        let mut all = ground.nothing();
        for to in self.onward_to.iter().filter(|to| to.party == edge.receiver) {
            if to.purposes.is_empty() || f.purposes.iter().all(|&p| model.under(p, &to.purposes)) {
                all.extend(to.leaves.as_ref().unwrap_or(&f.leaves).row());
            }
        }
        all
    }

    /// Whether what a flow does to data releases it from the terms.
    pub fn releases(&self, edge: &Edge) -> bool {
        self.terms.releasing().contains(&edge.transform)
    }
}

/// Whether all that have signed an agreement are of one group.
fn within(ground: &Ground, agreement: AgreementId) -> bool {
    let parties = &ground.model.agreements[agreement].parties;
    let groups: BTreeSet<PartyId> = parties.iter().map(|&party| ground.group(party)).collect();
    groups.len() == 1
}

fn home(ground: &Ground, party: PartyId, within: bool) -> Home {
    if within { Home::Party(party) } else { Home::Group(ground.group(party)) }
}

/// Where the terms of a flow of an agreement end, whosever the data.
fn homes(ground: &Ground, flow: FlowId) -> BTreeSet<Home> {
    let model = ground.model;
    let within = model.flows[flow].agreement.is_some_and(|agreement| within(ground, agreement));
    let providers = model.processing_providers(flow).iter().copied();
    providers.chain([model.sender(flow)]).map(|party| home(ground, party, within)).collect()
}

/// The purposes that an agreement of processing permits where it states none.
fn implied(ground: &Ground, agreement: AgreementId) -> Option<Vec<Key>> {
    let model = ground.model;
    let agreement = &model.agreements[agreement];
    (agreement.kind == Kind::Processing).then(|| {
        let leaves = |&&flow: &&FlowId| {
            let (from, to) = (model.sender(flow), model.receiver(flow));
            from != to && agreement.providers.contains(&from)
        };
        let purposes = agreement.flows.iter().filter(leaves).flat_map(|&flow| &model.flows[flow].purposes);
        purposes.copied().collect::<BTreeSet<Key>>().into_iter().collect()
    })
}
