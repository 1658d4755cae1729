//! How much a report of a judgement would hold, told before a finding is described.

use rustc_hash::FxHashMap;

use super::{evaluate, rule_facts};
use crate::audit::analysis::{RuleRef, Violation};
use crate::model::Model;
use crate::model::load::World;

/// So many bytes of text belong to a finding as it usually is.
const USUAL: usize = 4096;

/// So many bytes beyond that count as one finding more.
const MORE: usize = 64;

/// How many findings there are. Each repeats its rule's texts and the names on its way: one for which
/// these are very long counts as many.
pub fn report_size(world: &World, judgement: &evaluate::Judgement) -> usize {
    let mut texts: FxHashMap<RuleRef, usize> = FxHashMap::default();
    let each = judgement.violations.iter().map(|violation| {
        let rule = violation.rule;
        let of_rule = *texts.entry(rule).or_insert_with(|| rule_text(world, rule));
        let text = of_rule.saturating_add(own_text(&world.model, violation));
        1 + text.saturating_sub(USUAL) / MORE
    });
    each.fold(0, usize::saturating_add)
}

/// How long the texts are that all findings of a rule repeat.
fn rule_text(world: &World, rule: RuleRef) -> usize {
    let facts = rule_facts(world, rule);
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let quote = match rule {
        RuleRef::Statement(at) => world.model.statements.get(at).map_or(0, |s| s.said.quote.len()),
        _ => 0,
    };
    let cited: usize = facts.cite.iter().map(|text| text.len() + 4).sum();
    // The title stands in the finding and in what it breaks.
    2 * facts.title.len()
        + quote
        + optional(&facts.why)
        + optional(&facts.remedy)
        + cited
        + 2 * facts.id.len()
}

/// How long the names are on the ways of one finding, and what else it says in words of its own.
fn own_text(model: &Model, violation: &Violation) -> usize {
    let name = |system| model.systems[system].name.len();
    let walks = violation.witnesses.iter().flat_map(|witness| &witness.walk);
    let hops = walks.map(|&flow| {
        let flow = &model.flows[flow];
        let title = flow.declared.meta.title.as_ref().map_or(0, |title| title.len());
        flow.name.len() + name(flow.from) + name(flow.to) + title
    });
    let agreements = violation.agreements.iter().map(|&agreement| model.agreements[agreement].id().len() + 4);
    let details = violation.details.iter().map(|detail| detail.len() + 2);
    hops.chain(agreements).chain(details).sum()
}
