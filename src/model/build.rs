//! From names to references; every dangling one and every double id is noted.

use std::hash::Hash;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Agreement, Id, Model, Party, PartyId, System, SystemId, Table};
use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::source::Span;
use crate::base::taxonomy::{Key, Tree};
use crate::declare::inventory::{self, Inventory};
use crate::read::decode::{Name, Spanned};

/// Resolves an inventory. Declarations with mistakes are left out of the model;
/// a model is only good for judging when there are no diagnostics.
pub fn build(inventory: Inventory, data: Tree, purposes: Tree, diagnostics: &mut Vec<Diagnostic>) -> Model {
    let mut b = Builder {
        model: Model { data, purposes, ..Model::default() },
        parties: FxHashMap::default(),
        systems: FxHashMap::default(),
        suggestions: 100,
        diagnostics,
    };
    let Inventory { parties, agreements, flows, mut statements, promised, mut waivers, accepted } = inventory;
    b.parties_and_systems(parties);
    b.agreements_and_flows(agreements, flows);
    unique("statement", statements.iter().map(|s| &s.id), b.diagnostics);
    for statement in &statements {
        b.party(&statement.by);
    }
    let ids: Vec<String> = b.model.agreements.values().map(|a| a.id().to_owned()).collect();
    for name in waivers.iter().flat_map(|w| &w.agreements) {
        if ids.binary_search(&name.value).is_err() {
            b.dangling("agreement", name, &|model| model.agreements.values().map(Agreement::id).collect());
        }
    }
    for name in waivers.iter().flat_map(|w| &w.origins) {
        b.party(name);
    }
    statements.extend(promised);
    statements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    b.model.statements = statements;
    waivers.extend(accepted);
    b.model.waivers = waivers;
    b.model
}

/// So many of a party's systems are named where the party stands in their place.
const NAMED: usize = 6;

pub(super) struct Builder<'d> {
    pub(super) model: Model,
    pub(super) parties: FxHashMap<String, PartyId>,
    pub(super) systems: FxHashMap<String, SystemId>,
    /// For how many more names a near one is looked for: each costs a look at all.
    suggestions: usize,
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
}

pub(super) fn keys(list: &[Spanned<Key>]) -> Vec<Key> {
    list.iter().map(|k| k.value).collect()
}

/// Notes each id that has been declared before.
pub(super) fn unique<'a>(
    what: &str,
    ids: impl Iterator<Item = &'a Spanned<String>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut first: FxHashMap<&str, Span> = FxHashMap::default();
    for id in ids {
        if let Some(&span) = first.get(id.value.as_str()) {
            diagnostics.push(
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

impl Builder<'_> {
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
        let party = self.parties.get(name.value.as_ref()).filter(|_| what == "system");
        let help = match (party, near) {
            (Some(&party), _) => self.systems_of(party),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => match what {
                "system" => "declare it under its party's `systems`, and write `party/system`".to_owned(),
                _ => format!("declare it, or correct the name of the {what}"),
            },
        };
        self.diagnostics.push(
            Diagnostic::new(code, format!("there is no {what} `{}`", name.value.as_ref()), name.span)
                .label(format!("expected the id of {} {what}", if what == "agreement" { "an" } else { "a" }))
                .help(help),
        );
    }

    /// What to write where a party is named in the place of a system.
    fn systems_of(&self, party: PartyId) -> String {
        let party = &self.model.parties[party];
        let systems = party.systems.iter().take(NAMED).map(|&system| &self.model.systems[system].name);
        let systems: Vec<String> = systems.map(|name| format!("`{name}`")).collect();
        match (systems.as_slice(), party.systems.len().checked_sub(NAMED + 1)) {
            ([], _) => format!("`{}` is a party: declare the system under its `systems`", party.id()),
            (named, None) => format!("`{}` is a party; its systems: {}", party.id(), named.join(", ")),
            (named, Some(_)) => format!("`{}` is a party; its systems: {}, …", party.id(), named.join(", ")),
        }
    }

    pub(super) fn party<T: AsRef<str>>(&mut self, name: &Spanned<T>) -> Option<PartyId> {
        let found = self.parties.get(name.value.as_ref()).copied();
        if found.is_none() {
            self.dangling("party", name, &|model| model.parties.values().map(Party::id).collect());
        }
        found
    }

    pub(super) fn system(&mut self, name: &Spanned<Name>) -> Option<SystemId> {
        let found = self.systems.get(&*name.value).copied();
        if found.is_none() {
            self.dangling("system", name, &|model| model.systems.values().map(|s| s.name.as_str()).collect());
        }
        found
    }

    fn parties_and_systems(&mut self, mut parties: Vec<inventory::Party>) {
        unique("party", parties.iter().map(|p| &p.id), self.diagnostics);
        parties.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        parties.dedup_by(|a, b| a.id.value == b.id.value);
        for party in &parties {
            let what = format!("system of `{}`", party.id.value);
            unique(&what, party.systems.iter().map(|s| &s.id), self.diagnostics);
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
        systems.par_sort_by(|a, b| a.0.cmp(&b.0));
        systems.dedup_by(|a, b| a.0 == b.0);
        self.systems = index(systems.iter().map(|s| s.0.clone()));
        let jurisdictions: Table<PartyId, Option<String>> =
            parties.iter().map(|p| p.jurisdiction.clone()).collect();
        self.model.parties = parties
            .into_iter()
            .enumerate()
            .map(|(at, declared)| Party {
                declared,
                group: PartyId::from_index(at),
                systems: Vec::new(),
                origins: Vec::new(),
            })
            .collect();
        self.groups();
        let origin = |builder: &mut Self, party, declared: &inventory::System| {
            let named = declared.controller.as_ref().map(|name| builder.party(name));
            named.map_or(party, |named| named.unwrap_or(party))
        };
        let origins: Vec<PartyId> =
            systems.iter().map(|(_, party, declared)| origin(self, *party, declared)).collect();
        let data = &self.model.data;
        let identifying = data.identifying();
        let singles_out = |key: &Spanned<Key>| identifying.get(key.value.0 as usize) == Some(&true);
        let resolved = systems.into_iter().zip(origins).map(|((name, party, declared), origin)| {
            let reidentifies = |derive: &inventory::Derive| {
                let stated = derive.reidentifies.as_ref().map(|flag| flag.value);
                stated.unwrap_or_else(|| derive.into.iter().any(singles_out))
            };
            let (keeping, restoring): (Vec<usize>, Vec<usize>) = (0..declared.derives.len())
                .partition(|&at| !declared.derives.get(at).is_some_and(reidentifies));
            let derived_by = [keeping.as_slice(), &restoring].concat();
            System {
                origin,
                name,
                party,
                group: self.model.parties[party].group,
                purposes: keys(&declared.purposes),
                originates: data.leaves(&keys(&declared.originates)),
                derives: derived_by
                    .iter()
                    .filter_map(|&at| declared.derives.get(at))
                    .map(|derive| (data.leaves(&keys(&derive.from)), data.leaves(&keys(&derive.into))))
                    .collect(),
                keeping: keeping.len(),
                derived_by,
                regions: match declared.region.as_ref() {
                    [] => jurisdictions[party].iter().cloned().collect(),
                    stated => stated.to_vec(),
                },
                declared,
            }
        });
        self.model.systems = resolved.collect();
        let deriving = self.model.systems.iter().filter(|(_, system)| !system.derives.is_empty());
        self.model.deriving = deriving.map(|(id, _)| id).collect();
        for id in self.model.systems.ids() {
            let party = self.model.systems[id].party;
            self.model.parties[party].systems.push(id);
            let origin = self.model.systems[id].origin;
            self.model.parties[origin].origins.push(id);
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
}

fn index<K: Hash + Eq, I: Id>(names: impl Iterator<Item = K>) -> FxHashMap<K, I> {
    names.enumerate().map(|(at, name)| (name, I::from_index(at))).collect()
}
