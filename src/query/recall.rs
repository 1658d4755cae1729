//! `recall`: what must be deleted, where and in which order, when an agreement ends or a party leaves.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::Serialize;

use super::items::{self, Arrived, Asked};
use super::{Refused, places};
use crate::audit::analysis::Analysis;
use crate::audit::{Options, analysed, hops, judged_scope};
use crate::base::bits::LeafSet;
use crate::base::finding::{Chain, Judged, Program, SCHEMA};
use crate::base::source::{Location, Sources, Span};
use crate::base::vocabulary::{Kind, Transform, Word};
use crate::flow::propagate::assume;
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, PartyId, SystemId, kept_until};

/// What is recalled.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Recalled {
    /// An agreement, or a party: all agreements that it has, and all that comes to it or from it without one.
    pub of: String,
    /// Only data that starts at these places.
    pub from: Vec<String>,
    /// Only data that is of these categories, or was on its way.
    pub data: Vec<String>,
}

/// What must be deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recall {
    /// What wrote this.
    pub ringfence: Program,
    /// The days that count, and what is left out.
    pub judged: Judged,
    /// What was asked.
    pub recalled: Recalled,
    /// The agreements that end.
    pub agreements: Vec<String>,
    /// The flows that must stop first.
    pub stop: Vec<String>,
    /// Where to delete, in order: no place gets again what it has deleted.
    pub delete: Vec<Deletion>,
    /// Where data is that a transform released from the terms: nothing says that it must be deleted.
    pub released: Vec<Kept>,
    /// Where data is back with whom it came from: the group that shared it, that of its origin, or a provider.
    pub home: Vec<Kept>,
    /// What then has no source: flows and derivations that name data which nothing brings any more.
    pub breaks: Vec<Broken>,
    /// What can be declared as disposed once all places have deleted: agreements and flows that brought nothing else.
    pub dispose: Vec<Disposal>,
    /// Flows that bring other data, too, so that nobody can declare what they brought as disposed.
    pub shared: Vec<String>,
}

/// A declaration by which nothing is left once all places have deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Disposal {
    /// `agreement:` or `flow:`, and the full id.
    pub of: String,
    /// Where it is declared.
    pub location: Location,
    /// Where its id stands.
    #[serde(skip)]
    pub id: Span,
}

/// Data of one source at a place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Part {
    /// Where it starts.
    pub source: String,
    /// What it is at the place, as the fewest categories.
    pub held_as: Vec<String>,
    /// Other agreements that some of it is under there.
    pub also_under: Vec<String>,
}

/// A place that must delete.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deletion {
    /// When: places with the same number send data to each other, so that all must stop before any deletes.
    pub step: usize,
    /// `party/system`.
    pub place: String,
    /// Whom to write to there.
    pub contact: Option<String>,
    /// Where the data starts.
    pub sources: Vec<String>,
    /// What it is there, as the fewest categories; what is derived from it included.
    pub held_as: Vec<String>,
    /// Other agreements that some of the same data is under there.
    pub also_under: Vec<String>,
    /// The same by source.
    pub parts: Vec<Part>,
    /// The last day on which it is kept, if every flow that brings it states an end.
    pub kept_until: Option<String>,
    /// A shortest chain.
    pub path: Chain,
}

/// A place that need not delete by these terms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Kept {
    /// `party/system`.
    pub place: String,
    /// Where the data starts.
    pub source: String,
    /// What it is there, as the fewest categories.
    pub held_as: Vec<String>,
    /// The transforms on the chain, each with its flow: claims of those who declare them.
    pub transforms: Vec<String>,
    /// A shortest chain.
    pub path: Chain,
}

/// Data that nothing brings any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Broken {
    /// `party/system` that has no source for it.
    pub system: String,
    /// The category.
    pub data: String,
    /// The flows that name it there.
    pub flows: Vec<String>,
}

/// Recalls what moved under an agreement, or to and from a party, unless that is at more than `most` pairs of source
/// and place.
///
/// # Errors
/// A word names nothing in the inventory, or there are more pairs.
pub fn recall(
    world: &World,
    sources: &Sources,
    options: &Options,
    recalled: &Recalled,
    most: usize,
) -> Result<Recall, Refused> {
    analysed(world, options.day, &options.scope, |analysis| {
        let model = analysis.model;
        let asking = Asking::new(analysis, &recalled.of)?;
        let some = |words: &Vec<String>| Some(words.clone()).filter(|words| !words.is_empty());
        let from = some(&recalled.from).map(|words| places::systems(model, &words)).transpose()?;
        let data = some(&recalled.data).map(|words| places::leaves(model, &words)).transpose()?;
        let asked = Asked { from, data, via: vec![asking.via.clone()], ..Asked::default() };
        let arrived = items::arrived(analysis, &asked, most)?;
        let narrowed = asked.from.is_some() || asked.data.is_some();
        let telling = Telling { analysis, sources, asking: &asking };
        let (mut delete, mut released, mut home) = (Vec::new(), Vec::new(), Vec::new());
        for one in &arrived {
            match asking.fate(analysis, one) {
                Fate::Delete => delete.push(one),
                Fate::Released => released.push(telling.kept(one)),
                Fate::Home => home.push(telling.kept(one)),
            }
        }
        let name = |flow: &FlowId| model.flows[*flow].name.clone();
        // Of a recall of some data only the flows that bring some of it.
        let bringing: BTreeSet<FlowId> = arrived.iter().flat_map(|one| &one.brought_by).copied().collect();
        let stops = |flow: &FlowId| analysis.counting.has(*flow) && (!narrowed || bringing.contains(flow));
        let stop: BTreeSet<String> = asking.via.iter().filter(|flow| stops(flow)).map(name).collect();
        let (dispose, shared) = telling.disposals(&delete, most)?;
        Ok(Recall {
            ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
            judged: judged_scope(world, options, analysis.counting),
            recalled: recalled.clone(),
            agreements: asking.agreements.iter().map(|&id| model.agreements[id].id().to_owned()).collect(),
            stop: stop.into_iter().collect(),
            delete: telling.deletions(&delete),
            released,
            home,
            breaks: telling.breaks(),
            dispose,
            shared,
        })
    })
}

/// What becomes of data at a place.
enum Fate {
    Delete,
    Released,
    Home,
}

/// What ends.
struct Asking {
    agreements: BTreeSet<AgreementId>,
    /// The flows by which the data moved.
    via: FxHashSet<FlowId>,
    /// The groups that shared it, and those for which it was processed.
    homes: FxHashSet<PartyId>,
}

impl Asking {
    fn new(analysis: &Analysis, of: &str) -> Result<Self, Refused> {
        let model = analysis.model;
        let declared = |flow: &FlowId| !model.leaves_ghost(*flow);
        let mut asking =
            Asking { agreements: BTreeSet::new(), via: FxHashSet::default(), homes: FxHashSet::default() };
        let party = model.parties.iter().find(|(_, party)| party.id() == of).map(|(id, _)| id);
        match party {
            Some(party) => {
                let has = model.agreements.iter().filter(|(_, agreement)| agreement.parties.contains(&party));
                asking.agreements.extend(has.map(|(id, _)| id));
                for flow in model.flows.ids().filter(declared) {
                    let touches = model.sender(flow) == party || model.receiver(flow) == party;
                    let under = model.flows[flow].agreement.is_some_and(|id| asking.agreements.contains(&id));
                    if under || touches && model.crosses(flow) {
                        asking.via.extend(model.everywhere(flow));
                    }
                }
            }
            None => {
                let word = [of.to_owned()];
                asking.via = places::of_agreement_or_party(model, &word)?;
                let of_flow = asking.via.iter().filter_map(|&flow| model.flows[flow].agreement);
                asking.agreements.extend(of_flow);
            }
        }
        for &flow in &asking.via {
            asking.homes.insert(model.parties[model.sender(flow)].group);
        }
        for &id in &asking.agreements {
            let agreement = &model.agreements[id];
            let providers = agreement.providers.iter().filter(|_| agreement.kind == Kind::Processing);
            asking.homes.extend(providers.map(|&party| model.parties[party].group));
        }
        // Whoever leaves keeps nothing of others'.
        if let Some(party) = party {
            asking.homes.remove(&model.parties[party].group);
        }
        Ok(asking)
    }

    /// What is under the terms must be deleted; so must what no transform has released, unless it is back at home.
    fn fate(&self, analysis: &Analysis, one: &Arrived) -> Fate {
        let model = analysis.model;
        if one.agreements.iter().any(|id| self.agreements.contains(id)) {
            return Fate::Delete;
        }
        let group = model.systems[one.place].group;
        let origin = model.parties[model.systems[one.source].origin].group;
        if group == origin || self.homes.contains(&group) {
            return Fate::Home;
        }
        // Under no agreement nothing says whether it also came by a chain without that transform: read at worst.
        let documented = self.via.iter().all(|&flow| model.flows[flow].agreement.is_some());
        let transformed =
            documented && one.chain.walk.iter().any(|&flow| model.flows[flow].transform != Transform::None);
        if transformed { Fate::Released } else { Fate::Delete }
    }
}

/// What is found in words and places.
struct Telling<'a> {
    analysis: &'a Analysis<'a>,
    sources: &'a Sources,
    asking: &'a Asking,
}

impl Telling<'_> {
    fn kept(&self, one: &Arrived) -> Kept {
        let model = self.analysis.model;
        let transforms = one.chain.walk.iter().map(|&flow| &model.flows[flow]);
        let transforms = transforms.filter(|flow| flow.transform != Transform::None);
        Kept {
            place: model.systems[one.place].name.clone(),
            source: model.systems[one.source].name.clone(),
            held_as: model.data.cover(&one.held_as),
            transforms: transforms
                .map(|flow| format!("{} on {}", flow.transform.word(), flow.name))
                .collect(),
            path: hops(model, self.sources, self.analysis.when(), &one.chain),
        }
    }

    /// A line for each place, from where the data comes to where it goes.
    fn deletions(&self, delete: &[&Arrived]) -> Vec<Deletion> {
        let model = self.analysis.model;
        let mut by_place: BTreeMap<SystemId, Vec<&Arrived>> = BTreeMap::new();
        delete.iter().for_each(|one| by_place.entry(one.place).or_default().push(one));
        let steps = self.steps(&by_place);
        let told = by_place.into_iter().filter_map(|(place, arrived)| {
            let nearest = arrived.iter().min_by_key(|one| one.chain.walk.len())?;
            let mut held_as = LeafSet::empty(model.data.leaf_count());
            let (mut sources, mut also) = (BTreeSet::new(), BTreeSet::new());
            let (mut kept, mut parts) = (Vec::new(), Vec::new());
            for one in &arrived {
                held_as.extend(one.held_as.row());
                sources.insert(model.systems[one.source].name.clone());
                let others = one.agreements.iter().filter(|id| !self.asking.agreements.contains(id));
                let others: Vec<String> = others.map(|&id| model.agreements[id].id().to_owned()).collect();
                also.extend(others.iter().cloned());
                parts.push(Part {
                    source: model.systems[one.source].name.clone(),
                    held_as: model.data.cover(&one.held_as),
                    also_under: others,
                });
                kept.extend(one.brought_by.iter().map(|&flow| kept_until(model, flow)));
            }
            let kept: Option<Vec<_>> = kept.into_iter().collect();
            Some(Deletion {
                step: steps.get(&place).copied().unwrap_or_default(),
                place: model.systems[place].name.clone(),
                contact: model.parties[model.systems[place].party].declared.contact.clone(),
                sources: sources.into_iter().collect(),
                held_as: model.data.cover(&held_as),
                also_under: also.into_iter().collect(),
                parts,
                kept_until: kept.and_then(|kept| kept.into_iter().max()).map(|day| day.to_string()),
                path: hops(model, self.sources, self.analysis.when(), &nearest.chain),
            })
        });
        let mut all: Vec<Deletion> = told.collect();
        all.sort_by(|a, b| (a.step, &a.place).cmp(&(b.step, &b.place)));
        all
    }

    /// What can be declared as disposed once all is deleted: an agreement of which all flows brought nothing else, else
    /// the flows that did; and the flows that bring other data, too.
    fn disposals(&self, delete: &[&Arrived], most: usize) -> Result<(Vec<Disposal>, Vec<String>), Refused> {
        let (analysis, model, via) = (self.analysis, self.analysis.model, &self.asking.via);
        // What is there without the flows that end, or came by them and stays.
        let left: Vec<FlowId> =
            analysis.graph.flows().iter().copied().filter(|flow| !via.contains(flow)).collect();
        let without = Analysis { graph: &analysis.graph.only(&left), ..*analysis };
        let mut stays: FxHashSet<FlowId> = FxHashSet::default();
        for one in items::arrived(&without, &Asked::default(), most)? {
            stays.extend(one.brought_by);
        }
        let gone: FxHashMap<_, &Arrived> =
            delete.iter().map(|one| ((one.source, one.assumed, one.place), *one)).collect();
        let all = items::arrived(analysis, &Asked { via: vec![via.clone()], ..Asked::default() }, most)?;
        for one in all {
            let deleted = gone.get(&(one.source, one.assumed, one.place));
            if !deleted.is_some_and(|deleted| one.items.iter().all(|item| deleted.items.contains(item))) {
                stays.extend(one.brought_by);
            }
        }
        let counting = |flow: &FlowId| analysis.counting.has(*flow);
        let brought: BTreeSet<FlowId> = delete.iter().flat_map(|one| &one.brought_by).copied().collect();
        let (shared, whole): (Vec<FlowId>, Vec<FlowId>) =
            brought.into_iter().filter(counting).partition(|flow| stays.contains(flow));
        let mut of: BTreeMap<String, Span> = BTreeMap::new();
        for &flow in &whole {
            let agreement = model.flows[flow].agreement.filter(|&id| {
                let own = model.flows.ids().filter(|&other| model.flows[other].agreement == Some(id));
                own.filter(counting).all(|other| !stays.contains(&other))
            });
            match agreement.map(|id| &model.agreements[id]) {
                Some(agreement) => {
                    of.insert(format!("agreement:{}", agreement.id()), agreement.declared.id.span)
                }
                None => of.insert(format!("flow:{}", model.flows[flow].name), model.flows[flow].span),
            };
        }
        let disposal = |(of, id): (String, Span)| Disposal { of, location: self.sources.location(id), id };
        let dispose = of.into_iter().map(disposal).collect();
        let shared: BTreeSet<String> = shared.iter().map(|&flow| model.flows[flow].name.clone()).collect();
        Ok((dispose, shared.into_iter().collect()))
    }

    /// In which step each place deletes: behind all that send to it, or with them if it sends to them, too.
    fn steps(&self, places: &BTreeMap<SystemId, Vec<&Arrived>>) -> FxHashMap<SystemId, usize> {
        let model = self.analysis.model;
        let mut graph: DiGraph<SystemId, ()> = DiGraph::new();
        let node: BTreeMap<SystemId, _> =
            places.keys().map(|&place| (place, graph.add_node(place))).collect();
        for (to, arrived) in places {
            let senders = arrived.iter().flat_map(|one| &one.brought_by).map(|&flow| model.flows[flow].from);
            let senders: BTreeSet<SystemId> = senders.collect();
            for (from, to) in senders.iter().filter_map(|from| Some((node.get(from)?, node.get(to)?))) {
                graph.add_edge(*from, *to, ());
            }
        }
        // Components come with those first that nothing follows.
        let steps = kosaraju_scc(&graph).into_iter().rev().zip(1..);
        steps
            .flat_map(|(component, step)| component.into_iter().map(move |node| (node, step)))
            .filter_map(|(node, step)| Some((*graph.node_weight(node)?, step)))
            .collect()
    }

    /// What has no source once the flows stop, and had one.
    fn breaks(&self) -> Vec<Broken> {
        let (analysis, model) = (self.analysis, self.analysis.model);
        let left: Vec<FlowId> =
            analysis.graph.flows().iter().copied().filter(|flow| !self.asking.via.contains(flow)).collect();
        let (assumed, _) = assume(&analysis.graph.only(&left), analysis.counting);
        let new = assumed.pairs.iter().filter(|pair| analysis.assumed.pairs.binary_search(pair).is_err());
        let told = new.map(|&(system, key)| {
            let names = analysis.graph.out(system).map(|edge| edge.flow);
            let names = names.filter(|&flow| analysis.counting.has(flow) && !self.asking.via.contains(&flow));
            let data =
                |flow: &FlowId| model.flows[*flow].declared.data.iter().any(|named| named.value == key);
            Broken {
                system: model.systems[system].name.clone(),
                data: model.data.name(key).to_owned(),
                flows: names.filter(data).map(|flow| model.flows[flow].name.clone()).collect(),
            }
        });
        told.collect()
    }
}
