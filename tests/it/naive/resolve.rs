//! What each declaration comes to: defaults, terms, groups, and which flows
//! count.

use super::taxonomy::{Tree, at_or_below};
use super::world::{self, Agreement, Assurance, Day, Duration, FlowBody, Terms, Wanted, World};
use std::collections::BTreeSet;

/// An index into the leaves of the data tree.
pub type Leaf = usize;

/// How a world is judged.
#[derive(Clone, Debug)]
pub struct Options {
    pub day: Day,
    pub as_of: Option<Day>,
    /// Only agreements of these statuses; none is all.
    pub status: Option<Vec<String>>,
    /// Leaves out agreements that are over on the day judged, and ghosts.
    pub running: bool,
}

impl Options {
    /// The day that assurances and disposals are compared with.
    pub fn on(&self) -> Day {
        self.as_of.unwrap_or(self.day)
    }
}

#[derive(Debug)]
pub struct System<'w> {
    /// `party/system`.
    pub name: String,
    pub party: usize,
    pub declared: &'w world::System,
    pub originates: BTreeSet<Leaf>,
    pub derives: Vec<Derive>,
    pub regions: Vec<String>,
}

#[derive(Debug)]
pub struct Derive {
    pub categories: Vec<String>,
    pub from: BTreeSet<Leaf>,
    pub into: BTreeSet<Leaf>,
    pub reidentifies: bool,
    /// By what comes out alone, it would re-identify.
    pub identifying: bool,
}

#[derive(Debug)]
pub struct Flow {
    pub id: String,
    pub agreement: Option<usize>,
    pub from: usize,
    pub to: usize,
    /// What it states or its agreement states for it.
    pub written: FlowBody,
    pub data: BTreeSet<Leaf>,
    pub purposes: Vec<String>,
    /// The parties named; none is all.
    pub only_from: Option<BTreeSet<usize>>,
    /// As stated on it or on its receiving system; none is unlimited.
    pub retention: Option<Duration>,
    /// Its own, else its agreement's.
    pub legal_basis: Vec<String>,
    pub terms: Terms,
    pub effective: world::Effective,
    pub counts: bool,
    /// It would count if it or its agreement were not disposed.
    pub left_out_as_disposed: bool,
    /// The day on which the receiver disposed of what it brought, where that leaves a ghost.
    pub gone: Option<Day>,
    /// It would count if its retention had not ended.
    pub left_out_as_expired: bool,
}

impl Flow {
    pub fn consent(&self) -> &str {
        self.written.consent.as_deref().unwrap_or("none")
    }

    pub fn transform(&self) -> &str {
        self.written.transform.as_deref().unwrap_or("none")
    }
}

/// none < opt_out < opt_in.
pub fn consent_rank(consent: &str) -> usize {
    ["none", "opt_out", "opt_in"].iter().position(|c| *c == consent).expect("a consent")
}

#[derive(Debug)]
pub struct Model<'w> {
    pub world: &'w World,
    pub options: Options,
    pub data: Tree,
    pub leaves: Vec<String>,
    pub systems: Vec<System<'w>>,
    pub flows: Vec<Flow>,
}

impl<'w> Model<'w> {
    /// Whether a category, one above it or one below it singles people out.
    fn identifying(&self, category: &str) -> bool {
        let marked = self.world.taxonomy.data.iter().filter(|(_, entry)| entry.identifying == Some(true));
        let mut marked = marked.map(|(key, _)| key.as_str());
        marked.any(|key| at_or_below(key, category) || at_or_below(category, key))
    }

    pub fn new(world: &'w World, options: Options) -> Model<'w> {
        let data = Tree::new(world.taxonomy.data.keys());
        let mut model =
            Model { world, options, leaves: data.leaves(), data, systems: Vec::new(), flows: Vec::new() };
        for (party, declared) in world.parties.iter().enumerate() {
            for system in &declared.systems {
                let resolved = System {
                    name: format!("{}/{}", declared.id, system.id),
                    party,
                    declared: system,
                    originates: model.leaves_of(&system.originates),
                    derives: system
                        .derives
                        .iter()
                        .map(|d| Derive {
                            categories: d.from.clone(),
                            from: model.leaves_of(&d.from),
                            into: model.leaves_of(std::slice::from_ref(&d.into)),
                            reidentifies: d.reidentifies.unwrap_or(model.identifying(&d.into)),
                            identifying: model.identifying(&d.into),
                        })
                        .collect(),
                    regions: match &system.region[..] {
                        [] => declared.jurisdiction.iter().cloned().collect(),
                        own => own.to_vec(),
                    },
                };
                model.systems.push(resolved);
            }
        }
        for (index, agreement) in world.agreements.iter().enumerate() {
            for flow in &agreement.flows {
                let flow = model.flow(flow, Some((index, agreement)));
                model.flows.push(flow);
            }
        }
        for flow in &world.flows {
            let flow = model.flow(flow, None);
            model.flows.push(flow);
        }
        model
    }

    fn flow(&self, flow: &world::Flow, under: Option<(usize, &Agreement)>) -> Flow {
        let agreement = under.map(|(_, agreement)| agreement);
        let written = match agreement {
            Some(agreement) => or_default(&flow.body, &agreement.flow_defaults),
            None => flow.body.clone(),
        };
        let from = self.system(written.from.as_deref().expect("from"));
        let to = self.system(written.to.as_deref().expect("to"));
        let receiver = self.systems[to].declared;
        let purposes =
            if written.purposes.is_empty() { receiver.purposes.clone() } else { written.purposes.clone() };
        assert!(!purposes.is_empty(), "a flow without purposes");
        let own = written.effective.unwrap_or_default();
        let whole = agreement.and_then(|a| a.effective).unwrap_or_default();
        let effective = world::Effective {
            from: own.from.into_iter().chain(whole.from).max(),
            until: own.until.into_iter().chain(whole.until).min(),
        };
        let retention = written.retention.clone().or_else(|| receiver.retention.clone());
        let mut resolved = Flow {
            id: match agreement {
                Some(agreement) => format!("{}/{}", agreement.id, flow.id),
                None => flow.id.clone(),
            },
            agreement: under.map(|(index, _)| index),
            from,
            to,
            data: match &written.data[..] {
                [held] if held == "held" => (0..self.leaves.len()).collect(),
                data => self.leaves_of(data),
            },
            purposes,
            only_from: (!written.only_from.is_empty())
                .then(|| written.only_from.iter().map(|p| self.party(p)).collect()),
            retention,
            legal_basis: match &written.legal_basis[..] {
                [] => agreement.map(|a| a.legal_basis.clone()).unwrap_or_default(),
                own => own.to_vec(),
            },
            terms: override_terms(
                &written.terms.clone().unwrap_or_default(),
                &agreement.map(|a| a.terms.clone()).unwrap_or_default(),
            ),
            effective,
            counts: false,
            left_out_as_disposed: false,
            gone: None,
            left_out_as_expired: false,
            written,
        };
        let live = self.counts_but_for_disposal(&resolved);
        let (disposed, expired) = (self.disposed(&resolved), self.expired(&resolved));
        resolved.counts = live && disposed.is_none() && expired.is_none();
        resolved.left_out_as_disposed = live && disposed.is_some();
        resolved.left_out_as_expired = live && disposed.is_none() && expired.is_some();
        resolved.gone = disposed.or(expired).filter(|_| live && !self.options.running);
        resolved
    }

    fn counts_but_for_disposal(&self, flow: &Flow) -> bool {
        if flow.agreement.is_some_and(|a| !self.looked_at(a)) {
            return false;
        }
        let Some(day) = self.options.as_of else {
            return true;
        };
        flow.effective.from.is_none_or(|from| from <= day)
    }

    /// With `--as-of` only: until and retention, both stated, are over since this day.
    fn expired(&self, flow: &Flow) -> Option<Day> {
        let last = flow.effective.until?.after(flow.retention.as_ref()?)?;
        (last < self.options.as_of?).then(|| last.after(&Duration("1d".to_owned())))?
    }

    fn disposed(&self, flow: &Flow) -> Option<Day> {
        let own = flow.written.disposed.as_ref();
        let whole = flow.agreement.and_then(|a| self.world.agreements[a].disposed.as_ref());
        let first = own.into_iter().chain(whole).map(|disposed| disposed.date.expect("a date")).min();
        first.filter(|day| *day <= self.options.on())
    }

    /// Whether `--status` leaves an agreement in.
    pub fn looked_at(&self, agreement: usize) -> bool {
        let status = self.status(agreement);
        self.options.status.as_ref().is_none_or(|list| list.iter().any(|s| s == status))
            && !(self.options.running && self.ended(agreement, self.options.day))
    }

    pub fn status(&self, agreement: usize) -> &str {
        let status = &self.world.agreements[agreement].status;
        status.as_deref().unwrap_or("active")
    }

    pub fn kind(&self, agreement: usize) -> &str {
        let kind = &self.world.agreements[agreement].kind;
        kind.as_deref().unwrap_or("sharing")
    }

    /// Terminated, or past its last day.
    pub fn ended(&self, agreement: usize, day: Day) -> bool {
        let until = self.world.agreements[agreement].effective.and_then(|e| e.until);
        self.status(agreement) == "terminated" || until.is_some_and(|until| until < day)
    }

    /// The indexes of the providers.
    pub fn providers(&self, agreement: usize) -> Vec<usize> {
        let agreement = &self.world.agreements[agreement];
        let stated = &agreement.provider[..];
        let named = if stated.is_empty() { &agreement.parties[..1] } else { stated };
        named.iter().map(|id| self.party(id)).collect()
    }

    /// Whether a flow is under a processing agreement of which the first party is a provider and
    /// the second is none.
    pub fn processed(&self, e: usize, provider: usize, other: usize) -> bool {
        self.flows[e].agreement.is_some_and(|a| {
            let providers = self.providers(a);
            self.kind(a) == "processing" && providers.contains(&provider) && !providers.contains(&other)
        })
    }

    /// X is in, and no provider of, a processing agreement with a counting flow of which Y is a
    /// provider, or acts for one that acts for Y.
    pub fn acts_for(&self, x: usize, y: usize) -> bool {
        let mut reached = vec![x];
        let mut open = vec![x];
        while let Some(party) = open.pop() {
            for a in 0..self.world.agreements.len() {
                let counts = self.counting().any(|e| self.flows[e].agreement == Some(a));
                let providers = self.providers(a);
                if self.kind(a) != "processing"
                    || !counts
                    || !self.is_party_to(party, a)
                    || providers.contains(&party)
                {
                    continue;
                }
                if providers.contains(&y) {
                    return true;
                }
                for provider in providers {
                    if !reached.contains(&provider) {
                        reached.push(provider);
                        open.push(provider);
                    }
                }
            }
        }
        false
    }

    pub fn is_party_to(&self, party: usize, agreement: usize) -> bool {
        let id = &self.world.parties[party].id;
        self.world.agreements[agreement].parties.contains(id)
    }

    /// The ids of an agreement's assurances that hold on the day.
    pub fn assurances(&self, agreement: usize) -> Vec<String> {
        self.holding(agreement, None).map(|a| a.id.clone()).collect()
    }

    /// The assurances of an agreement, and of one of its flows, that hold.
    fn holding(&self, agreement: usize, flow: Option<usize>) -> impl Iterator<Item = &Assurance> {
        let of_flow = flow.map(|e| &self.flows[e].written.assurances[..]).unwrap_or_default();
        let all = self.world.agreements[agreement].assurances.iter().chain(of_flow);
        let runs = !self.ended(agreement, self.options.on());
        all.filter(move |a| runs && self.holds(a))
    }

    fn holds(&self, assurance: &Assurance) -> bool {
        let today = self.options.on();
        assurance.date.is_none_or(|given| given <= today)
            && assurance.valid_until.is_none_or(|until| until >= today)
    }

    /// Whether an agreement, or one of its flows, has an assurance, given not too long ago.
    pub fn attested(&self, agreement: usize, flow: Option<usize>, wanted: &Wanted) -> bool {
        let today = self.options.on();
        self.holding(agreement, flow).any(|a| match wanted {
            Wanted::Named(id) => a.id == *id,
            Wanted::Dated { id, at_most } => {
                let recent = |given: Day| given.after(at_most).is_none_or(|last| today <= last);
                a.id == *id && a.date.is_some_and(recent)
            }
        })
    }

    pub fn leaves_of(&self, keys: &[String]) -> BTreeSet<Leaf> {
        let below: BTreeSet<String> = keys.iter().flat_map(|k| self.data.leaves_of(k)).collect();
        (0..self.leaves.len()).filter(|i| below.contains(&self.leaves[*i])).collect()
    }

    pub fn leaf_names(&self, leaves: impl IntoIterator<Item = Leaf>) -> BTreeSet<String> {
        leaves.into_iter().map(|l| self.leaves[l].clone()).collect()
    }

    pub fn party(&self, id: &str) -> usize {
        let found = self.world.parties.iter().position(|p| p.id == id);
        found.unwrap_or_else(|| panic!("no party {id}"))
    }

    pub fn system(&self, name: &str) -> usize {
        let found = self.systems.iter().position(|s| s.name == name);
        found.unwrap_or_else(|| panic!("no system {name}"))
    }

    pub fn role(&self, party: usize) -> &str {
        let role = &self.world.parties[party].role;
        role.as_deref().unwrap_or("other")
    }

    /// The topmost parent: parties with the same one are one group.
    pub fn group(&self, party: usize) -> usize {
        match &self.world.parties[party].affiliate_of {
            Some(parent) => self.group(self.party(parent)),
            None => party,
        }
    }

    /// The party of a system.
    pub fn owner(&self, system: usize) -> usize {
        self.systems[system].party
    }

    /// Whose data starts at some systems.
    pub fn origins_of(&self, systems: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
        systems.into_iter().map(|s| self.world.parties[self.origin(s)].id.clone()).collect()
    }

    /// Whose data starts at a system: its controller's, else its party's.
    pub fn origin(&self, system: usize) -> usize {
        match &self.systems[system].declared.controller {
            Some(controller) => self.party(controller),
            None => self.owner(system),
        }
    }

    pub fn owner_id(&self, system: usize) -> &str {
        &self.world.parties[self.owner(system)].id
    }

    pub fn group_of(&self, system: usize) -> usize {
        self.group(self.owner(system))
    }

    /// The flows that count.
    pub fn counting(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.flows.len()).filter(|e| self.flows[*e].counts)
    }

    pub fn crosses_parties(&self, e: usize) -> bool {
        self.owner(self.flows[e].from) != self.owner(self.flows[e].to)
    }
}

fn list(own: &[String], other: &[String]) -> Vec<String> {
    if own.is_empty() { other } else { own }.to_vec()
}

/// What a flow states, else what its agreement states for its flows.
fn or_default(flow: &FlowBody, default: &FlowBody) -> FlowBody {
    FlowBody {
        from: flow.from.clone().or(default.from.clone()),
        to: flow.to.clone().or(default.to.clone()),
        data: list(&flow.data, &default.data),
        purposes: list(&flow.purposes, &default.purposes),
        consent: flow.consent.clone().or(default.consent.clone()),
        transform: flow.transform.clone().or(default.transform.clone()),
        only_from: list(&flow.only_from, &default.only_from),
        safeguards: list(&flow.safeguards, &default.safeguards),
        retention: flow.retention.clone().or(default.retention.clone()),
        terms: flow.terms.clone().or(default.terms.clone()),
        effective: flow.effective.or(default.effective),
        disposed: flow.disposed.clone().or(default.disposed.clone()),
        legal_basis: list(&flow.legal_basis, &default.legal_basis),
        assurances: if flow.assurances.is_empty() {
            default.assurances.clone()
        } else {
            flow.assurances.clone()
        },
        tags: list(&flow.tags, &default.tags),
        // The map as a whole.
        labels: if flow.labels.is_empty() { default.labels.clone() } else { flow.labels.clone() },
    }
}

/// A flow's terms override the agreement's, key by key.
fn override_terms(own: &Terms, agreement: &Terms) -> Terms {
    Terms {
        purposes: own.purposes.clone().or(agreement.purposes.clone()),
        prohibited_purposes: list(&own.prohibited_purposes, &agreement.prohibited_purposes),
        onward_transfer: own.onward_transfer.clone().or(agreement.onward_transfer.clone()),
        onward_to: if own.onward_to.is_empty() { agreement.onward_to.clone() } else { own.onward_to.clone() },
        retention: own.retention.clone().or(agreement.retention.clone()),
        consent: own.consent.clone().or(agreement.consent.clone()),
        safeguards: list(&own.safeguards, &agreement.safeguards),
        released_by: own.released_by.clone().or(agreement.released_by.clone()),
    }
}
