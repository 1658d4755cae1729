//! `trace`: where data goes, and where what a place holds comes from.

use schemars::JsonSchema;
use serde::Serialize;

use super::Refused;
use super::items::{self, Arrived, Asked};
use super::places::{self, Unknown};
use crate::audit::analysis::Analysis;
use crate::audit::{Options, analysed, hops, judged_scope};
use crate::base::finding::{Chain, Judged, Program, SCHEMA};
use crate::base::source::{Location, Sources};
use crate::base::vocabulary::Relation;
use crate::model::load::World;

/// What is asked, in the words of the caller; at least one list has a word.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Question {
    /// Where the data starts: parties, systems, or globs over them.
    pub from: Vec<String>,
    /// Where it is: parties, systems, or globs over them.
    pub to: Vec<String>,
    /// Categories of which it is, on its way.
    pub data: Vec<String>,
    /// Agreements under which it moves: a flow of one of them is on its way.
    pub agreement: Vec<String>,
    /// Flows of which one is on its way.
    pub through: Vec<String>,
    /// How many further chains are listed for each source and place.
    pub further: usize,
}

impl Question {
    /// What is asked for, in words that follow `data`.
    pub fn words(&self) -> String {
        let parts = [
            ("of", &self.data),
            ("from", &self.from),
            ("at", &self.to),
            ("under", &self.agreement),
            ("over", &self.through),
        ];
        let said = parts.into_iter().filter(|(_, words)| !words.is_empty());
        said.map(|(lead, words)| format!("{lead} {}", words.join(", "))).collect::<Vec<_>>().join(" ")
    }
}

/// Where data goes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Trace {
    /// What wrote this.
    pub ringfence: Program,
    /// The days that count, and what is left out.
    pub judged: Judged,
    /// What was asked.
    pub question: Question,
    /// By source, then by place.
    pub reached: Vec<Reached>,
}

/// Data of one system at one place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reached {
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
    /// What it is at the place, as the fewest categories: itself, or what is derived from it on the way.
    pub held_as: Vec<String>,
    /// What the flows are for that bring it to the place.
    pub purposes: Vec<String>,
    /// The agreements whose terms some of it is under there.
    pub agreements: Vec<String>,
    /// How many flows the shortest chain has.
    pub length: usize,
    /// A shortest chain; empty for what starts at the place itself.
    pub path: Chain,
    /// Further chains, shortest first.
    pub further: Vec<Chain>,
    /// There may be more chains than are listed.
    pub further_cut: bool,
    /// What all of this is based on: the items of the source at the place.
    pub items: Vec<Item>,
    /// Where the source is declared.
    pub location: Location,
}

/// An item: a leaf of the source, what it is at the place, and its distance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Item {
    /// The leaf that starts at the source.
    pub data: String,
    /// The leaf that it is at the place.
    pub held_as: String,
    /// How far it is from its origin: 0, 1 or 2.
    pub distance: usize,
}

/// Answers a question, unless that takes more than `most` pairs of source and place.
///
/// # Errors
/// A word of it names nothing in the inventory, or there are more pairs.
pub fn trace(
    world: &World,
    sources: &Sources,
    options: &Options,
    question: &Question,
    most: usize,
) -> Result<Trace, Refused> {
    analysed(world, options.day, &options.scope, |analysis| {
        let asked = asked(analysis, question)?;
        let arrived = items::arrived(analysis, &asked, most)?;
        Ok(Trace {
            ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
            judged: judged_scope(world, options, analysis.counting),
            question: question.clone(),
            reached: arrived.into_iter().map(|one| reached(analysis, sources, one)).collect(),
        })
    })
}

fn asked(analysis: &Analysis, question: &Question) -> Result<Asked, Unknown> {
    let model = analysis.model;
    let some = |words: &Vec<String>| Some(words.clone()).filter(|words| !words.is_empty());
    let place = |words: &Vec<String>| some(words).map(|words| places::systems(model, &words)).transpose();
    let agreements =
        some(&question.agreement).map(|words| places::of_agreements(model, &words)).transpose()?;
    let through = some(&question.through).map(|words| places::flows(model, &words)).transpose()?;
    Ok(Asked {
        from: place(&question.from)?,
        to: place(&question.to)?,
        data: some(&question.data).map(|words| places::leaves(model, &words)).transpose()?,
        via: agreements.into_iter().chain(through).collect(),
        further: question.further,
    })
}

fn reached(analysis: &Analysis, sources: &Sources, one: Arrived) -> Reached {
    let model = analysis.model;
    let name = |leaf| model.data.name(model.data.leaf_key(leaf)).to_owned();
    let source = &model.systems[one.source];
    Reached {
        source: source.name.clone(),
        assumed: one.assumed,
        place: model.systems[one.place].name.clone(),
        relations: one.relations.iter().copied().collect(),
        data: model.data.cover(&one.data),
        held_as: model.data.cover(&one.held_as),
        purposes: one.purposes(model).into_iter().map(|key| model.purposes.name(key).to_owned()).collect(),
        agreements: one.agreements.iter().map(|&id| model.agreements[id].id().to_owned()).collect(),
        length: one.chain.walk.len(),
        path: hops(model, sources, analysis.when(), &one.chain),
        further: one
            .further
            .chains
            .iter()
            .map(|chain| hops(model, sources, analysis.when(), chain))
            .collect(),
        further_cut: one.further.cut,
        items: one
            .items
            .iter()
            .map(|item| Item { data: name(item.data), held_as: name(item.held_as), distance: item.distance })
            .collect(),
        location: sources.location(source.declared.id.span),
    }
}
