//! `exposure`: what a breach at a place would expose, and who must hear of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::Refused;
use super::items::{self, Arrived, Asked};
use super::places;
use crate::audit::analysis::Analysis;
use crate::audit::{Options, analysed, hops, judged_scope};
use crate::base::bits::LeafSet;
use crate::base::finding::{Chain, Judged, Program, SCHEMA};
use crate::base::source::{Location, Sources};
use crate::base::vocabulary::{Relation, Status};
use crate::declare::inventory;
use crate::declare::policy::Body;
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, PartyId, SystemId, begins, kept_until};

/// What is at some places.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Exposure {
    /// What wrote this.
    pub ringfence: Program,
    /// The days that count, and what is left out.
    pub judged: Judged,
    /// The systems looked at.
    pub places: Vec<String>,
    /// How many people's data is there.
    pub people: People,
    /// What is there, by where it starts.
    pub holds: Vec<Held>,
    /// The agreements that it is under.
    pub agreements: Vec<Bound>,
    /// Whose data it is, and through whom it came: who must hear of a breach.
    pub upstream: Vec<Upstream>,
    /// Where it has gone from there.
    pub downstream: Vec<Downstream>,
    /// The public promises about such data.
    pub promises: Vec<Spoken>,
}

/// How many people some data is about, as far as the systems where it starts state that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct People {
    /// As many as the largest of these systems has.
    pub at_least: u64,
    /// As many as all of them have together.
    pub at_most: u64,
    /// How many of these systems do not state a number; with any, there may be more.
    pub unstated: usize,
}

/// Data of one system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Held {
    /// `party/system` where it starts.
    pub source: String,
    /// Nobody declares that it starts there: it is assumed, since flows carry it from there.
    pub assumed: bool,
    /// `party/system` where it is.
    pub place: String,
    /// What the place's party is to the data.
    pub relations: Vec<Relation>,
    /// What starts at the source, as the fewest categories.
    pub data: Vec<String>,
    /// What it is at the place, as the fewest categories.
    pub held_as: Vec<String>,
    /// Of that, special categories.
    pub special: Vec<String>,
    /// Of that, data that singles people out.
    pub identifying: Vec<String>,
    /// How many people the source has data of, if it states that.
    pub subjects: Option<u64>,
    /// The agreements whose terms some of it is under.
    pub agreements: Vec<String>,
    /// The first day of the first flow that brings it, if all state one.
    pub since: Option<String>,
    /// How long it is kept there: the longest of the flows that bring it; none: no flow, or not each of them, says.
    pub retention: Option<String>,
    /// The last day on which it is kept, if every flow that brings it has an end.
    pub kept_until: Option<String>,
    /// A shortest chain; empty for what starts at the place itself.
    pub path: Chain,
    /// Where the source is declared.
    pub location: Location,
}

/// An agreement that binds what is there.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Bound {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// Its parties.
    pub parties: Vec<String>,
    /// Its last day, if stated.
    pub until: Option<String>,
    /// What its clauses say, as quoted.
    pub clauses: Vec<Clause>,
    /// Where it is declared.
    pub location: Location,
}

/// A clause of a contract.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Clause {
    /// The term.
    pub term: String,
    /// Where in the contract.
    pub reference: Option<String>,
    /// Its words.
    pub quote: Option<String>,
}

impl From<&inventory::Clause> for Clause {
    fn from(clause: &inventory::Clause) -> Self {
        Clause {
            term: clause.term.value.clone(),
            reference: clause.reference.clone(),
            quote: clause.quote.clone(),
        }
    }
}

/// A party that data came from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Upstream {
    /// Its id.
    pub party: String,
    /// Its name.
    pub name: String,
    /// The data is its own; else it came through it.
    pub origin: bool,
    /// Whom to write to about data.
    pub contact: Option<String>,
    /// Its data protection officer.
    pub dpo: Option<String>,
    /// Its representative.
    pub representative: Option<String>,
}

/// A place that has got such data from the places looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Downstream {
    /// `party/system`.
    pub place: String,
    /// Whose data it has.
    pub sources: Vec<String>,
    /// What the data is there, as the fewest categories.
    pub held_as: Vec<String>,
    /// Whom to write to there.
    pub contact: Option<String>,
    /// A shortest chain, from where the data starts.
    pub path: Chain,
}

/// A public promise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Spoken {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub by: String,
    /// Its words.
    pub quote: String,
    /// Where it is declared.
    pub location: Location,
}

/// Looks at places: parties, systems, or globs over them.
///
/// # Errors
/// A word names no place of the inventory, or there are more pairs of source and place than `most`.
pub fn exposure(
    world: &World,
    sources: &Sources,
    options: &Options,
    words: &[String],
    most: usize,
) -> Result<Exposure, Refused> {
    analysed(world, options.day, &options.scope, |analysis| {
        let model = analysis.model;
        let here = places::systems(model, words)?;
        let out = analysis.graph.flows().iter().copied();
        let out: FxHashSet<FlowId> = out
            .filter(|&flow| {
                let to = model.declared_system(model.flows[flow].to);
                here.contains(&model.flows[flow].from) && !here.contains(&to)
            })
            .collect();
        let arrived = items::arrived(analysis, &Asked { to: Some(here.clone()), ..Asked::default() }, most)?;
        let gone = match out.is_empty() {
            true => Vec::new(),
            false => items::arrived(analysis, &Asked { via: vec![out], ..Asked::default() }, most)?,
        };
        let mut names: Vec<String> = here.iter().map(|&system| model.systems[system].name.clone()).collect();
        names.sort_unstable();
        let telling = Telling { analysis, sources };
        Ok(Exposure {
            ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
            judged: judged_scope(world, options, analysis.counting),
            places: names,
            people: telling.people(&arrived),
            agreements: telling.agreements(&arrived),
            upstream: telling.upstream(&arrived, &here),
            downstream: telling.downstream(gone.iter().filter(|one| !here.contains(&one.place))),
            promises: telling.promises(&arrived),
            holds: arrived.iter().map(|one| telling.held(one)).collect(),
        })
    })
}

/// What is found in words and places.
struct Telling<'a> {
    analysis: &'a Analysis<'a>,
    sources: &'a Sources,
}

impl Telling<'_> {
    fn people(&self, arrived: &[Arrived]) -> People {
        let sources: BTreeSet<SystemId> = arrived.iter().map(|one| one.source).collect();
        let mut people = People::default();
        for source in sources {
            match self.analysis.model.systems[source].declared.subjects {
                Some(subjects) => {
                    people.at_least = people.at_least.max(subjects);
                    people.at_most = people.at_most.saturating_add(subjects);
                }
                None => people.unstated += 1,
            }
        }
        people
    }

    fn held(&self, one: &Arrived) -> Held {
        let model = self.analysis.model;
        let source = &model.systems[one.source];
        let part = |of: &LeafSet| model.data.cover(&one.held_as.and(of));
        let special = model.data.find("special").map(|key| model.data.leaves([&key]));
        let flows = || one.brought_by.iter().copied();
        let all = |day: &dyn Fn(FlowId) -> Option<Date>| -> Option<Vec<Date>> {
            flows().map(day).collect::<Option<Vec<Date>>>().filter(|days| !days.is_empty())
        };
        let kept: Option<Vec<_>> = flows().map(|flow| model.flows[flow].retention).collect();
        Held {
            source: source.name.clone(),
            assumed: one.assumed,
            place: model.systems[one.place].name.clone(),
            relations: one.relations.iter().copied().collect(),
            data: model.data.cover(&one.data),
            held_as: model.data.cover(&one.held_as),
            special: special.map(|leaves| part(&leaves)).unwrap_or_default(),
            identifying: part(&model.data.identifying_leaves()),
            subjects: source.declared.subjects,
            agreements: one.agreements.iter().map(|&id| model.agreements[id].id().to_owned()).collect(),
            since: all(&|flow| begins(model, flow))
                .and_then(|days| days.into_iter().min())
                .map(|day| day.to_string()),
            retention: kept.and_then(|kept| kept.into_iter().max()).map(|kept| kept.to_string()),
            kept_until: all(&|flow| kept_until(model, flow))
                .and_then(|days| days.into_iter().max())
                .map(|day| day.to_string()),
            path: hops(model, self.sources, self.analysis.when(), &one.chain),
            location: self.sources.location(source.declared.id.span),
        }
    }

    fn agreements(&self, arrived: &[Arrived]) -> Vec<Bound> {
        let model = self.analysis.model;
        let all: BTreeSet<AgreementId> =
            arrived.iter().flat_map(|one| one.agreements.iter().copied()).collect();
        let bound = |id: AgreementId| {
            let agreement = &model.agreements[id];
            let last = agreement.declared.effective.until.as_ref().map(|day| day.value);
            Bound {
                id: agreement.id().to_owned(),
                status: agreement.status,
                parties: agreement
                    .parties
                    .iter()
                    .map(|&party| model.parties[party].id().to_owned())
                    .collect(),
                until: last.map(|day| day.to_string()),
                clauses: agreement.declared.terms.clauses.iter().map(Clause::from).collect(),
                location: self.sources.location(agreement.declared.id.span),
            }
        };
        all.into_iter().map(bound).collect()
    }

    /// The parties of the origins, and those that hand it on to the places.
    fn upstream(&self, arrived: &[Arrived], here: &FxHashSet<SystemId>) -> Vec<Upstream> {
        let model = self.analysis.model;
        let own: BTreeSet<PartyId> = here.iter().map(|&system| model.systems[system].party).collect();
        let mut all: BTreeMap<PartyId, bool> = BTreeMap::new();
        for one in arrived {
            all.insert(model.systems[one.source].origin, true);
            for &flow in &one.brought_by {
                all.entry(model.sender(flow)).or_insert(false);
            }
        }
        let others = all.into_iter().filter(|(party, _)| !own.contains(party));
        let told = others.map(|(party, origin)| {
            let declared = &model.parties[party].declared;
            Upstream {
                party: declared.id.value.clone(),
                name: declared.name.clone(),
                origin,
                contact: declared.contact.clone(),
                dpo: declared.dpo.clone(),
                representative: declared.representative.clone(),
            }
        });
        told.collect()
    }

    fn downstream<'a>(&self, gone: impl Iterator<Item = &'a Arrived>) -> Vec<Downstream> {
        let model = self.analysis.model;
        let mut all: BTreeMap<SystemId, Vec<&Arrived>> = BTreeMap::new();
        gone.for_each(|one| all.entry(one.place).or_default().push(one));
        let told = all.into_iter().filter_map(|(place, arrived)| {
            let nearest = arrived.iter().min_by_key(|one| one.chain.walk.len())?;
            let mut held_as = LeafSet::empty(model.data.leaf_count());
            arrived.iter().for_each(|one| held_as.extend(one.held_as.row()));
            let mut sources: Vec<String> =
                arrived.iter().map(|one| model.systems[one.source].name.clone()).collect();
            sources.dedup();
            Some(Downstream {
                place: model.systems[place].name.clone(),
                sources,
                held_as: model.data.cover(&held_as),
                contact: model.parties[model.systems[place].party].declared.contact.clone(),
                path: hops(model, self.sources, self.analysis.when(), &nearest.chain),
            })
        });
        told.collect()
    }

    /// The promises whose data and sources some of it matches.
    fn promises(&self, arrived: &[Arrived]) -> Vec<Spoken> {
        let (model, matching) = (self.analysis.model, self.analysis.matching);
        let leaves = |keys: Vec<&crate::base::taxonomy::Key>| match keys.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            _ => model.data.leaves(keys),
        };
        let is_of =
            |one: &Arrived, about: &LeafSet| one.data.intersects(about) || one.held_as.intersects(about);
        let speaks = |promise: &Body| match promise {
            Body::Forbid(forbid) => {
                let about = leaves(forbid.data.iter().map(|key| &key.value).collect());
                arrived.iter().any(|one| is_of(one, &about) && matching.source(&forbid.from, one.source))
            }
            Body::Limit(limit) => arrived.iter().any(|one| matching.limited(&limit.at, one.place)),
            Body::Require(_) => false,
        };
        let told =
            model.statements.iter().filter(|statement| speaks(&statement.promise)).map(|statement| Spoken {
                id: statement.id.value.clone(),
                by: statement.by.value.clone(),
                quote: statement.said.quote.clone(),
                location: self.sources.location(statement.id.span),
            });
        told.collect()
    }
}
