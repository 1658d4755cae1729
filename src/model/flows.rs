//! Agreements and flows, from names to references: those of many files side by side.
//!
//! What is wrong with them is noted where they stand and told in their order.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use super::build::{Builder, keys, unique};
use super::{
    Agreement, AgreementId, Flow, FlowId, Id, Model, OnwardTo, PartyId, Purposes, Shared, States, SystemId,
};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::Diagnostic;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Kind, Status, Transform};
use crate::declare::inventory::{self, Terms};
use crate::read::decode::{Name, Spanned, Words};

impl Builder<'_> {
    /// Resolves all agreements and flows, once parties and systems are.
    pub(super) fn agreements_and_flows(
        &mut self,
        mut agreements: Vec<inventory::Agreement>,
        mut loose: Vec<Vec<inventory::Flow>>,
    ) {
        unique("agreement", agreements.iter().map(|a| &a.id), self.diagnostics);
        agreements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        agreements.dedup_by(|a, b| a.id.value == b.id.value);
        loose.retain(|flows| !flows.is_empty());
        if !apart(&loose) {
            unique("flow", loose.iter().flatten().map(|f| &f.id), self.diagnostics);
        }
        let known = Known {
            model: &self.model,
            parties: &self.parties,
            systems: &self.systems,
            none: Arc::default(),
            all: Arc::new(LeafSet::full(self.model.data.leaf_count())),
            leaves: Mutex::default(),
        };
        let mut groups: Vec<Declared> = loose.into_iter().map(Declared::Loose).collect();
        groups.extend(agreements.into_iter().enumerate().map(|(at, a)| Declared::Agreement(at, a.into())));
        let resolved = resolve(groups, &known);
        let Resolved { flows, agreements, mistakes } = resolved;
        mistakes.into_iter().flat_map(|(_, mistakes)| mistakes).for_each(|mistake| self.tell(mistake));
        self.model.agreements = agreements.into_iter().map(|(_, agreement)| agreement).collect();
        let mut first = 0;
        for same in flows.chunk_by(|a, b| a.agreement == b.agreement) {
            let ids = (first..first + same.len()).map(FlowId::from_index);
            if let Some(agreement) = same.first().and_then(|flow| flow.agreement) {
                self.model.agreements[agreement].flows.extend(ids);
            }
            first += same.len();
        }
        self.model.flows = flows.into_iter().collect();
    }

    fn tell(&mut self, mistake: Mistake) {
        match mistake {
            // Asked once more, they are reported.
            Mistake::Party(name) => _ = self.party(&name),
            Mistake::System(name) => _ = self.system(&name),
            Mistake::Told(diagnostic) => self.diagnostics.push(*diagnostic),
        }
    }
}

/// Whether no two flows have the same id, for sure: their hashes differ.
fn apart(lists: &[Vec<inventory::Flow>]) -> bool {
    let hash = |flow: &inventory::Flow| FxBuildHasher.hash_one(flow.id.value.as_str());
    let mut hashes: Vec<u64> = lists.par_iter().flat_map_iter(|list| list.iter().map(hash)).collect();
    hashes.par_sort_unstable();
    hashes.is_sorted_by(|a, b| a < b)
}

/// What is resolved together.
enum Declared {
    /// The flows of a document that are under no agreement.
    Loose(Vec<inventory::Flow>),
    /// An agreement, by its place.
    Agreement(usize, Box<inventory::Agreement>),
}

/// What it comes to.
#[derive(Default)]
struct Resolved {
    /// In the order of their names.
    flows: Vec<Flow>,
    /// By their places.
    agreements: Vec<(usize, Agreement)>,
    /// By the places of what they are in.
    mistakes: Vec<(usize, Vec<Mistake>)>,
}

/// How many groups are resolved at once: each takes the place of what was declared before the next
/// are, so that not all is there twice.
const AT_ONCE: usize = 512;

fn resolve(groups: Vec<Declared>, known: &Known) -> Resolved {
    let mut all = Resolved::default();
    let under = |group: &Declared| match group {
        Declared::Loose(flows) => flows.len(),
        Declared::Agreement(_, agreement) => agreement.flows.len(),
    };
    all.flows.reserve_exact(groups.iter().map(under).sum());
    let mut groups: Vec<(String, usize, Declared)> =
        groups.into_iter().enumerate().map(|(at, group)| (group.before(), at, group)).collect();
    // Most often all flows are in the order of their names then.
    groups.par_sort_by(|a, b| a.0.cmp(&b.0));
    let mut groups = groups.into_iter();
    loop {
        let some: Vec<_> = groups.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let resolve = |resolver: &mut Resolver, (_, at, group)| {
            let (agreement, flows) = resolver.group(group);
            (at, agreement, flows, std::mem::take(&mut resolver.mistakes))
        };
        let some: Vec<_> = some.into_par_iter().map_init(|| Resolver::new(known), resolve).collect();
        for (at, agreement, flows, mistakes) in some {
            all.flows.extend(flows);
            all.agreements.extend(agreement);
            if !mistakes.is_empty() {
                all.mistakes.push((at, mistakes));
            }
        }
    }
    if !all.flows.par_windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name)) {
        all.flows.par_sort_by(|a, b| a.name.cmp(&b.name));
        all.flows.dedup_by(|a, b| a.name == b.name);
    }
    all.agreements.sort_unstable_by_key(|(at, _)| *at);
    all.mistakes.sort_unstable_by_key(|(at, _)| *at);
    all
}

impl Declared {
    /// A name that its flows' names do not come before.
    fn before(&self) -> String {
        match self {
            Declared::Loose(flows) => {
                flows.iter().map(|f| f.id.value.as_str()).min().unwrap_or_default().to_owned()
            }
            Declared::Agreement(_, agreement) => [&agreement.id.value, "/"].concat(),
        }
    }
}

/// What there is before flows are resolved.
struct Known<'k> {
    model: &'k Model,
    parties: &'k FxHashMap<String, PartyId>,
    systems: &'k FxHashMap<String, SystemId>,
    /// What flows have of their agreement if there is none.
    none: Arc<Shared>,
    /// All leaves.
    all: Arc<LeafSet>,
    /// The leaves of the categories that flows name: one set for all that name the same.
    leaves: Mutex<FxHashMap<Named, Arc<LeafSet>>>,
}

type Named = SmallVec<[Key; 4]>;

/// What is wrong with a declaration.
enum Mistake {
    /// It names a party that nobody declares.
    Party(Spanned<String>),
    /// It names a system that nobody declares.
    System(Spanned<Name>),
    /// Something else.
    Told(Box<Diagnostic>),
}

/// Resolves some groups, one after the other.
struct Resolver<'k> {
    known: &'k Known<'k>,
    /// The part of [`Known::leaves`] that it has met.
    leaves: FxHashMap<Named, Arc<LeafSet>>,
    mistakes: Vec<Mistake>,
}

impl<'k> Resolver<'k> {
    fn new(known: &'k Known<'k>) -> Self {
        Resolver { known, leaves: FxHashMap::default(), mistakes: Vec::new() }
    }

    /// What a group comes to, its flows in the order of their names.
    fn group(&mut self, group: Declared) -> (Option<(usize, Agreement)>, Vec<Flow>) {
        let (agreement, mut flows) = match group {
            Declared::Loose(flows) => (None, self.loose(flows)),
            Declared::Agreement(at, declared) => {
                let (agreement, flows) = self.agreement(at, *declared);
                (Some((at, agreement)), flows)
            }
        };
        flows.sort_by(|a, b| a.name.cmp(&b.name));
        (agreement, flows)
    }

    fn loose(&mut self, declared: Vec<inventory::Flow>) -> Vec<Flow> {
        let shared = Arc::clone(&self.known.none);
        let flows = declared.into_iter().filter_map(|mut flow| {
            let name = std::mem::take(&mut flow.id.value);
            self.flow(flow, name, None, &shared)
        });
        flows.collect()
    }

    fn agreement(&mut self, at: usize, mut declared: inventory::Agreement) -> (Agreement, Vec<Flow>) {
        let own = std::mem::take(&mut declared.flows);
        if !own.is_sorted_by(|a, b| a.id.value < b.id.value) {
            let mut twice = Vec::new();
            unique(&format!("flow of `{}`", declared.id.value), own.iter().map(|f| &f.id), &mut twice);
            self.mistakes.extend(twice.into_iter().map(|diagnostic| Mistake::Told(diagnostic.into())));
        }
        let parties: Vec<PartyId> = declared.parties.iter().filter_map(|name| self.party(name)).collect();
        let onward_to = self.onward_to(&declared.terms);
        let shared = Arc::new(Shared {
            terms: Arc::clone(&declared.terms),
            own_terms: None,
            onward_to: onward_to.into(),
            legal_basis: Words::clone(&declared.legal_basis),
        });
        let flows = own.into_iter().filter_map(|flow| {
            let name = [&declared.id.value, "/", &flow.id.value].concat();
            self.flow(flow, name, Some(AgreementId::from_index(at)), &shared)
        });
        let flows: Vec<Flow> = flows.collect();
        let kind = declared.kind.unwrap_or(Kind::Sharing);
        let named = declared.provider.iter().filter_map(|name| self.known.parties.get(&name.value));
        let mut providers: Vec<PartyId> = named.copied().collect();
        if declared.provider.is_empty() {
            providers.extend(parties.first());
        }
        providers.sort_unstable();
        providers.dedup();
        let group = |party: &PartyId| self.known.model.parties[*party].group;
        let within_group = parties.iter().all(|party| parties.first().map(group) == Some(group(party)));
        let runs = |system: SystemId| self.known.model.systems[system].party;
        let implied = (kind == Kind::Processing).then(|| {
            let leaves =
                |flow: &&Flow| providers.contains(&runs(flow.from)) && runs(flow.from) != runs(flow.to);
            let mut purposes: Vec<Key> =
                flows.iter().filter(leaves).flat_map(|flow| flow.purposes.iter().copied()).collect();
            purposes.sort_unstable();
            purposes.dedup();
            purposes.into()
        });
        let agreement = Agreement {
            kind,
            status: declared.status.unwrap_or(Status::Active),
            providers,
            implied,
            within_group,
            parties,
            flows: Vec::new(),
            declared,
        };
        (agreement, flows)
    }

    fn flow(
        &mut self,
        mut declared: inventory::Flow,
        name: String,
        agreement: Option<AgreementId>,
        shared: &Arc<Shared>,
    ) -> Option<Flow> {
        let (from, to) = (self.system(&declared.from), self.system(&declared.to));
        let exceptions = declared.exceptions.take().map(|exceptions| *exceptions).unwrap_or_default();
        let only_from = exceptions.only_from.map(|names| {
            let mut parties: Vec<PartyId> = names.iter().filter_map(|name| self.party(name)).collect();
            parties.sort_unstable();
            parties.dedup();
            parties.into()
        });
        let (retention, own_legal_basis) = (exceptions.retention, !exceptions.legal_basis.is_empty());
        let shared = if exceptions.terms.is_some() || own_legal_basis {
            Arc::new(self.own(shared, exceptions.terms, exceptions.legal_basis))
        } else {
            Arc::clone(shared)
        };
        let (from, to) = (from?, to?);
        let inventory::Flow { id, purposes: stated, .. } = &declared;
        if from == to {
            self.report(
                Diagnostic::new(
                    "self-flow",
                    format!("the flow `{name}` goes from a system to itself"),
                    declared.to.span,
                )
                .label("expected another system")
                .also(declared.from.span, "it starts here")
                .help("what a system makes of its own data goes under its `derives`"),
            );
            return None;
        }
        let receiving = &self.known.model.systems[to];
        let purposes: Purposes = match stated {
            Some(stated) => (**stated).into(),
            None => receiving.purposes.as_slice().into(),
        };
        if stated.is_none() && purposes.is_empty() {
            self.report(
                Diagnostic::new(
                    "no-purpose",
                    format!("neither the flow `{name}` nor its receiving system states a purpose"),
                    id.span,
                )
                .label("expected `purposes`")
                .also(receiving.declared.id.span, "the receiving system states none either")
                .help("add `purposes` to the flow or to the system"),
            );
        }
        let kept = retention.or(receiving.declared.retention.as_ref().map(|r| r.value));
        Some(Flow {
            span: id.span,
            states: States {
                purposes: stated.is_some(),
                retention: retention.is_some(),
                legal_basis: own_legal_basis,
            },
            agreement,
            from,
            to,
            leaves: match declared.stated.held {
                true => Arc::clone(&self.known.all),
                false => self.leaves(&declared.stated.data),
            },
            purposes,
            only_from,
            consent: declared.stated.consent.unwrap_or(Consent::None),
            transform: declared.stated.transform.unwrap_or(Transform::None),
            retention: kept,
            shared,
            name,
            declared: declared.stated,
        })
    }

    /// What a flow has that states terms or a legal basis of its own.
    fn own(&mut self, of: &Shared, terms: Option<Box<Terms>>, legal_basis: Words) -> Shared {
        let mut own = of.clone();
        if !legal_basis.is_empty() {
            own.legal_basis = legal_basis;
        }
        if let Some(stated) = &terms {
            let terms = of.terms.overridden_by(stated);
            own.onward_to = self.onward_to(&terms).into();
            own.terms = Arc::new(terms);
        }
        own.own_terms = terms;
        own
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.mistakes.push(Mistake::Told(diagnostic.into()));
    }

    fn party<T: AsRef<str>>(&mut self, name: &Spanned<T>) -> Option<PartyId> {
        let value = name.value.as_ref();
        let found = self.known.parties.get(value).copied();
        if found.is_none() {
            self.mistakes.push(Mistake::Party(Spanned::new(value.to_owned(), name.span)));
        }
        found
    }

    fn system(&mut self, name: &Spanned<Name>) -> Option<SystemId> {
        let found = self.known.systems.get(&*name.value).copied();
        if found.is_none() {
            self.mistakes.push(Mistake::System(name.clone()));
        }
        found
    }

    fn leaves(&mut self, data: &[Spanned<Key>]) -> Arc<LeafSet> {
        let named: Named = data.iter().map(|key| key.value).collect();
        if let Some(known) = self.leaves.get(&named) {
            return Arc::clone(known);
        }
        let mut all = self.known.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        let leaves =
            all.entry(named.clone()).or_insert_with(|| Arc::new(self.known.model.data.leaves(&named)));
        self.leaves.insert(named, Arc::clone(leaves));
        Arc::clone(leaves)
    }

    fn onward_to(&mut self, terms: &Terms) -> Vec<OnwardTo> {
        let data = &self.known.model.data;
        let allowed = |allowed: &inventory::OnwardTo| {
            let leaves: Option<LeafSet> =
                (!allowed.data.is_empty()).then(|| data.leaves(&keys(&allowed.data)));
            Some(OnwardTo { party: self.party(&allowed.party)?, leaves, purposes: keys(&allowed.purposes) })
        };
        terms.onward_to.iter().filter_map(allowed).collect()
    }
}
