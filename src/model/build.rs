//! From names to references; every dangling one and every double id is noted.

use std::hash::Hash;
use std::sync::Arc;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::{
    Agreement, AgreementId, Flow, Id, Model, OnwardTo, Party, PartyId, Purposes, States, System, SystemId,
    Table,
};
use crate::bits::LeafSet;
use crate::decode::{Name, Spanned};
use crate::diagnostic::{Diagnostic, nearest};
use crate::inventory::{self, Inventory, Terms};
use crate::source::Span;
use crate::taxonomy::{Key, Tree};
use crate::vocabulary::{Consent, Kind, Status, Transform};

/// Resolves an inventory. Declarations with mistakes are left out of the model;
/// a model is only good for judging when there are no diagnostics.
pub fn build(inventory: Inventory, data: Tree, purposes: Tree, diagnostics: &mut Vec<Diagnostic>) -> Model {
    let mut b = Builder {
        model: Model { data, purposes, ..Model::default() },
        parties: FxHashMap::default(),
        systems: FxHashMap::default(),
        suggestions: 100,
        shared: None,
        leaves: FxHashMap::default(),
        diagnostics,
    };
    let Inventory { parties, agreements, flows, mut statements, promised, mut waivers, accepted } = inventory;
    b.parties_and_systems(parties);
    b.agreements_and_flows(agreements, flows);
    b.unique("statement", statements.iter().map(|s| &s.id));
    for statement in &statements {
        b.party(&statement.by);
    }
    let ids: Vec<String> = b.model.agreements.values().map(|a| a.id().to_owned()).collect();
    for name in waivers.iter().flat_map(|w| &w.agreements) {
        if ids.binary_search(&name.value).is_err() {
            b.dangling("agreement", name, &|model| model.agreements.values().map(Agreement::id).collect());
        }
    }
    statements.extend(promised);
    statements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    b.model.statements = statements;
    waivers.extend(accepted);
    b.model.waivers = waivers;
    b.model
}

struct Builder<'d> {
    model: Model,
    parties: FxHashMap<String, PartyId>,
    systems: FxHashMap<String, SystemId>,
    /// The terms of the agreement whose flows are being resolved; of none, those that state nothing.
    shared: Option<(Option<AgreementId>, Shared)>,
    /// For how many more names a near one is looked for: each costs a look at all.
    suggestions: usize,
    /// The leaves of the categories that flows name.
    leaves: FxHashMap<Vec<Key>, Arc<LeafSet>>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

/// What flows have of their agreement if they state nothing else.
#[derive(Clone, Default)]
struct Shared {
    terms: Arc<Terms>,
    onward_to: Arc<[OnwardTo]>,
    legal_basis: Option<Arc<str>>,
}

fn keys(list: &[Spanned<Key>]) -> Vec<Key> {
    list.iter().map(|k| k.value).collect()
}

impl Builder<'_> {
    /// Notes each id that has been declared before.
    fn unique<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a Spanned<String>>) {
        let mut first: FxHashMap<&str, Span> = FxHashMap::default();
        for id in ids {
            if let Some(&span) = first.get(id.value.as_str()) {
                self.diagnostics.push(
                    Diagnostic::new(
                        "duplicate-id",
                        format!("the {what} `{}` is declared twice", id.value),
                        id.span,
                    )
                    .label("declared again")
                    .also(span, "first declared here"),
                );
            } else {
                first.insert(&id.value, id.span);
            }
        }
    }

    /// Notes a name that nobody declares; `known` are those that somebody does.
    fn dangling<T: AsRef<str>>(
        &mut self,
        what: &str,
        name: &Spanned<T>,
        known: &dyn Fn(&Model) -> Vec<&str>,
    ) {
        let code = match what {
            "system" => "unknown-system",
            "agreement" => "unknown-agreement",
            _ => "unknown-party",
        };
        let near = match self.suggestions.checked_sub(1) {
            Some(left) => {
                self.suggestions = left;
                nearest(name.value.as_ref(), known(&self.model))
            }
            None => None,
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => match what {
                "system" => "declare it under its party's `systems`, and write `party/system`".to_owned(),
                _ => format!("declare it, or mend the name of the {what}"),
            },
        };
        self.diagnostics.push(
            Diagnostic::new(code, format!("there is no {what} `{}`", name.value.as_ref()), name.span)
                .label(format!("expected the id of {} {what}", if what == "agreement" { "an" } else { "a" }))
                .help(help),
        );
    }

    fn party<T: AsRef<str>>(&mut self, name: &Spanned<T>) -> Option<PartyId> {
        let found = self.parties.get(name.value.as_ref()).copied();
        if found.is_none() {
            self.dangling("party", name, &|model| model.parties.values().map(Party::id).collect());
        }
        found
    }

    fn system(&mut self, name: &Spanned<Name>) -> Option<SystemId> {
        let found = self.systems.get(&*name.value).copied();
        if found.is_none() {
            self.dangling("system", name, &|model| model.systems.values().map(|s| s.name.as_str()).collect());
        }
        found
    }

    fn parties_and_systems(&mut self, mut parties: Vec<inventory::Party>) {
        self.unique("party", parties.iter().map(|p| &p.id));
        parties.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        parties.dedup_by(|a, b| a.id.value == b.id.value);
        for party in &parties {
            self.unique(&format!("system of `{}`", party.id.value), party.systems.iter().map(|s| &s.id));
        }
        self.parties = index(parties.iter().map(|p| p.id.value.clone()));
        let mut systems: Vec<(String, PartyId, inventory::System)> = Vec::new();
        for (at, party) in parties.iter_mut().enumerate() {
            for system in std::mem::take(&mut party.systems) {
                systems.push((
                    format!("{}/{}", party.id.value, system.id.value),
                    PartyId::from_index(at),
                    system,
                ));
            }
        }
        systems.sort_by(|a, b| a.0.cmp(&b.0));
        systems.dedup_by(|a, b| a.0 == b.0);
        self.systems = index(systems.iter().map(|s| s.0.clone()));
        let jurisdictions: Table<PartyId, Option<String>> =
            parties.iter().map(|p| p.jurisdiction.clone()).collect();
        self.model.parties = parties
            .into_iter()
            .enumerate()
            .map(|(at, declared)| Party { declared, group: PartyId::from_index(at), systems: Vec::new() })
            .collect();
        self.groups();
        let data = &self.model.data;
        let resolved = systems.into_iter().map(|(name, party, declared)| System {
            name,
            party,
            group: self.model.parties[party].group,
            purposes: keys(&declared.purposes),
            originates: data.leaves(&keys(&declared.originates)),
            derives: declared
                .derives
                .iter()
                .map(|derive| (data.leaves(&keys(&derive.from)), data.leaves(&keys(&derive.into))))
                .collect(),
            region: declared.region.clone().or_else(|| jurisdictions[party].clone()),
            declared,
        });
        self.model.systems = resolved.collect();
        for id in self.model.systems.ids() {
            let party = self.model.systems[id].party;
            self.model.parties[party].systems.push(id);
        }
    }

    /// Finds each party's topmost parent; a circle is an error, shown once.
    fn groups(&mut self) {
        let names: Vec<_> = self.model.parties.values().map(|p| p.declared.affiliate_of.clone()).collect();
        let parents: Table<PartyId, Option<PartyId>> =
            names.into_iter().map(|name| name.and_then(|name| self.party(&name))).collect();
        let edges = parents.iter().filter_map(|(child, parent)| Some((child.0, (*parent)?.0)));
        let mut graph: DiGraph<(), (), u32> = DiGraph::from_edges(edges);
        while graph.node_count() < parents.len() {
            graph.add_node(());
        }
        // (Tarjan's search in petgraph is recursive: a long chain would overflow the stack.)
        // Components come parents first: a parent's group is known before its children's.
        for component in kosaraju_scc(&graph) {
            let members: Vec<PartyId> =
                component.into_iter().map(|node| PartyId(node.index() as u32)).collect();
            let Some(&first) = members.iter().min() else {
                continue;
            };
            let parent = parents[first];
            if members.len() > 1 || parent == Some(first) {
                self.circle(&parents, first);
                members.iter().for_each(|&party| self.model.parties[party].group = first);
            } else {
                let group = parent.map_or(first, |parent| self.model.parties[parent].group);
                self.model.parties[first].group = group;
            }
        }
    }

    /// A circle of parents, from one of its members.
    fn circle(&mut self, parents: &Table<PartyId, Option<PartyId>>, start: PartyId) {
        let mut names = vec![self.model.parties[start].id().to_owned()];
        let mut at = parents[start];
        while let Some(party) = at.filter(|&p| p != start && names.len() < 12) {
            names.push(self.model.parties[party].id().to_owned());
            at = parents[party];
        }
        names.push(if at == Some(start) {
            self.model.parties[start].id().to_owned()
        } else {
            "…".to_owned()
        });
        if let Some(name) = &self.model.parties[start].declared.affiliate_of {
            self.diagnostics.push(
                Diagnostic::new(
                    "affiliate-circle",
                    format!("a circle of affiliates: {}", names.join(" → ")),
                    name.span,
                )
                .label("closes the circle")
                .help("one of them has no parent"),
            );
        }
    }

    fn agreements_and_flows(
        &mut self,
        mut agreements: Vec<inventory::Agreement>,
        loose: Vec<Vec<inventory::Flow>>,
    ) {
        self.unique("agreement", agreements.iter().map(|a| &a.id));
        agreements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        agreements.dedup_by(|a, b| a.id.value == b.id.value);
        self.unique("flow", loose.iter().flatten().map(|f| &f.id));
        let under = agreements.iter().map(|agreement| agreement.flows.len());
        let declared = loose.iter().map(Vec::len).chain(under).sum();
        let mut flows: Vec<Flow> = Vec::with_capacity(declared);
        for mut flow in loose.into_iter().flatten() {
            let name = std::mem::take(&mut flow.id.value);
            flows.extend(self.flow(flow, name, None));
        }
        let mut resolved: Vec<Agreement> = Vec::new();
        for (at, mut declared) in agreements.into_iter().enumerate() {
            let own = std::mem::take(&mut declared.flows);
            self.unique(&format!("flow of `{}`", declared.id.value), own.iter().map(|f| &f.id));
            let parties: Vec<PartyId> = declared.parties.iter().filter_map(|name| self.party(name)).collect();
            self.onward_to(&declared.terms);
            for flow in own {
                let name = [&declared.id.value, "/", &flow.id.value].concat();
                flows.extend(self.flow(flow, name, Some((AgreementId::from_index(at), &declared))));
            }
            let kind = declared.kind.unwrap_or(Kind::Sharing);
            let provider = match &declared.provider {
                Some(name) => self.parties.get(&name.value).copied(),
                None => parties.first().copied(),
            };
            resolved.push(Agreement {
                kind,
                status: declared.status.unwrap_or(Status::Active),
                provider,
                parties,
                flows: Vec::new(),
                declared,
            });
        }
        flows.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        flows.dedup_by(|a, b| a.name == b.name);
        self.model.agreements = resolved.into_iter().collect();
        self.model.flows = flows.into_iter().collect();
        for id in self.model.flows.ids() {
            if let Some(agreement) = self.model.flows[id].agreement {
                self.model.agreements[agreement].flows.push(id);
            }
        }
    }

    fn flow(
        &mut self,
        declared: inventory::Flow,
        name: String,
        agreement: Option<(AgreementId, &inventory::Agreement)>,
    ) -> Option<Flow> {
        let (from, to) = (self.system(&declared.from), self.system(&declared.to));
        let only_from = declared.only_from.as_ref().map(|names| {
            let mut parties: Vec<PartyId> = names.iter().filter_map(|name| self.party(name)).collect();
            parties.sort_unstable();
            parties.dedup();
            parties.into()
        });
        if let Some(own) = &declared.terms {
            self.onward_to(own);
        }
        let inventory::Flow { id, purposes: stated, terms, .. } = &declared;
        let shared = self.shared(terms.as_deref(), agreement);
        let (from, to) = (from?, to?);
        if from == to {
            self.diagnostics.push(
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
        let receiving = &self.model.systems[to];
        let purposes: Purposes = match stated {
            Some(stated) => stated.iter().map(|k| k.value).collect(),
            None => receiving.purposes.as_slice().into(),
        };
        if stated.is_none() && purposes.is_empty() {
            self.diagnostics.push(
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
        let retention = declared.retention.or(receiving.declared.retention.as_ref().map(|r| r.value));
        Some(Flow {
            span: id.span,
            states: States {
                purposes: stated.is_some(),
                retention: declared.retention.is_some(),
                legal_basis: declared.legal_basis.is_some(),
            },
            own_terms: declared.terms,
            agreement: agreement.map(|(id, _)| id),
            from,
            to,
            leaves: self.leaves(&declared.stated.data),
            purposes,
            only_from,
            consent: declared.stated.consent.unwrap_or(Consent::None),
            transform: declared.stated.transform.unwrap_or(Transform::None),
            retention,
            onward_to: shared.onward_to,
            terms: shared.terms,
            legal_basis: declared.legal_basis.map(Arc::from).or(shared.legal_basis),
            name,
            declared: declared.stated,
        })
    }

    /// What a flow has of its agreement, under terms of its own if it states some: the same
    /// for all that state none.
    fn shared(
        &mut self,
        own: Option<&Terms>,
        agreement: Option<(AgreementId, &inventory::Agreement)>,
    ) -> Shared {
        let of = agreement.map(|(id, _)| id);
        let shared = match self.shared.take().filter(|(other, _)| *other == of) {
            Some((_, shared)) => shared,
            None => {
                let declared = agreement.map(|(_, declared)| declared);
                let terms = declared.map(|a| a.terms.clone()).unwrap_or_default();
                let legal_basis = declared.and_then(|a| a.legal_basis.as_deref());
                Shared {
                    onward_to: self.onward_to(&terms).into(),
                    terms: Arc::new(terms),
                    legal_basis: legal_basis.map(Arc::from),
                }
            }
        };
        self.shared = Some((of, shared.clone()));
        match own {
            None => shared,
            Some(own) => {
                let terms = shared.terms.overridden_by(own);
                Shared { onward_to: self.onward_to(&terms).into(), terms: Arc::new(terms), ..shared }
            }
        }
    }

    /// The leaves of some categories: one set for all that name the same.
    fn leaves(&mut self, data: &[Spanned<Key>]) -> Arc<LeafSet> {
        let named = keys(data);
        if let Some(known) = self.leaves.get(named.as_slice()) {
            return Arc::clone(known);
        }
        let new = Arc::new(self.model.data.leaves(&named));
        self.leaves.insert(named, Arc::clone(&new));
        new
    }

    fn onward_to(&mut self, terms: &Terms) -> Vec<OnwardTo> {
        let allowed = |b: &mut Self, allowed: &inventory::OnwardTo| {
            let leaves: Option<LeafSet> =
                (!allowed.data.is_empty()).then(|| b.model.data.leaves(&keys(&allowed.data)));
            Some(OnwardTo { party: b.party(&allowed.party)?, leaves, purposes: keys(&allowed.purposes) })
        };
        terms.onward_to.iter().filter_map(|a| allowed(self, a)).collect()
    }
}

fn index<K: Hash + Eq, I: Id>(names: impl Iterator<Item = K>) -> FxHashMap<K, I> {
    names.enumerate().map(|(at, name)| (name, I::from_index(at))).collect()
}
