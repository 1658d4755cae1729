//! What a question names: places, categories, agreements and flows of the inventory.

use rustc_hash::FxHashSet;

use crate::base::bits::LeafSet;
use crate::base::diagnostic::nearest;
use crate::base::glob::Glob;
use crate::model::{FlowId, Model, SystemId};

/// A word that names nothing in the inventory.
#[derive(Debug, thiserror::Error)]
#[error("there is no {what} `{word}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct Unknown {
    what: &'static str,
    word: String,
    near: Option<String>,
}

impl Unknown {
    fn new<'a>(what: &'static str, word: &str, known: impl Iterator<Item = &'a str>) -> Self {
        Unknown { what, word: word.to_owned(), near: nearest(word, known).map(str::to_owned) }
    }
}

/// The systems of places: `party`, `party/system`, or globs over either.
///
/// # Errors
/// A word that no system or party matches.
pub fn systems(model: &Model, words: &[String]) -> Result<FxHashSet<SystemId>, Unknown> {
    let declared = || model.systems.iter().filter(|(id, _)| !model.is_ghost(*id));
    let mut all = FxHashSet::default();
    for word in words {
        let glob = Glob::new(word);
        let named = |(id, system): (SystemId, &crate::model::System)| {
            let name = if word.contains('/') { &*system.name } else { model.parties[system.party].id() };
            glob.matches(name).then_some(id)
        };
        let found: Vec<SystemId> = declared().filter_map(named).collect();
        if found.is_empty() {
            let (what, known): (_, Vec<&str>) = match word.contains('/') {
                true => ("system", declared().map(|(_, system)| &*system.name).collect()),
                false => ("party with a system", model.parties.values().map(|party| party.id()).collect()),
            };
            return Err(Unknown::new(what, word, known.into_iter()));
        }
        all.extend(found);
    }
    Ok(all)
}

/// The leaves of categories.
///
/// # Errors
/// A word that is no category.
pub fn leaves(model: &Model, words: &[String]) -> Result<LeafSet, Unknown> {
    let mut all = LeafSet::empty(model.data.leaf_count());
    for word in words {
        let key =
            model.data.find(word).ok_or_else(|| Unknown::new("data category", word, model.data.names()))?;
        all.extend(model.data.leaves([&key]).row());
    }
    Ok(all)
}

/// The flows of agreements, by globs over their ids.
///
/// # Errors
/// A word that no agreement matches.
pub fn of_agreements(model: &Model, words: &[String]) -> Result<FxHashSet<FlowId>, Unknown> {
    flows_of(model, words, ("agreement", Vec::new()))
}

/// The flows of an agreement, by its id, where a party could have been named as well.
///
/// # Errors
/// A word that is neither.
pub fn of_agreement_or_party(model: &Model, words: &[String]) -> Result<FxHashSet<FlowId>, Unknown> {
    let parties = model.parties.values().map(|party| party.id()).collect();
    flows_of(model, words, ("agreement or party", parties))
}

fn flows_of(
    model: &Model,
    words: &[String],
    (what, others): (&'static str, Vec<&str>),
) -> Result<FxHashSet<FlowId>, Unknown> {
    let mut all = FxHashSet::default();
    for word in words {
        let glob = Glob::new(word);
        let mut matching =
            model.agreements.values().filter(|agreement| glob.matches(agreement.id())).peekable();
        if matching.peek().is_none() {
            let known = model.agreements.values().map(|agreement| agreement.id()).chain(others);
            return Err(Unknown::new(what, word, known));
        }
        all.extend(matching.flat_map(|agreement| &agreement.flows).flat_map(|&flow| model.everywhere(flow)));
    }
    Ok(all)
}

/// Flows by globs over their full ids.
///
/// # Errors
/// A word that no flow matches.
pub fn flows(model: &Model, words: &[String]) -> Result<FxHashSet<FlowId>, Unknown> {
    let declared = || model.flows.iter().filter(|(id, _)| !model.leaves_ghost(*id));
    let mut all = FxHashSet::default();
    for word in words {
        let glob = Glob::new(word);
        let mut matching = declared().filter(|(_, flow)| glob.matches(&flow.name)).peekable();
        if matching.peek().is_none() {
            return Err(Unknown::new("flow", word, declared().map(|(_, flow)| &*flow.name)));
        }
        all.extend(matching.flat_map(|(id, _)| model.everywhere(id)));
    }
    Ok(all)
}
