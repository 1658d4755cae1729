//! The promises as a view of their own: each with how it stands and the chain that says so.

use super::{Options, audit, evaluate, hops};
use crate::base::finding::{PromiseState, PromiseView, Promises, PromisesSummary, Reliance};
use crate::base::source::Sources;
use crate::declare::words::{Names, violated};
use crate::model::load::World;

/// The claims that kept a rule from being broken; where one of them is a transform, those, too, that nobody is
/// told again from what was transformed.
fn relied_on(all: &[Reliance], rule: &str) -> Vec<Reliance> {
    let own = |reliance: &&Reliance| reliance.rule == rule;
    let transform = all.iter().filter(own).any(|reliance| reliance.claim.contains("transform: "));
    let denies = |reliance: &&Reliance| transform && reliance.rule == "derives/reidentifies";
    all.iter().filter(|reliance| own(reliance) || denies(reliance)).cloned().collect()
}

/// Judges a world and shows its promises.
pub fn promises(world: &World, sources: &Sources, options: &Options) -> Promises {
    let audit = audit(world, sources, options);
    let model = &world.model;
    let names = Names { data: &model.data, purposes: &model.purposes };
    let reaches = evaluate::reaches(world, options.day, &options.scope);
    let statements = model.statements.iter().zip(reaches);
    let mut summary = PromisesSummary::default();
    let mut promises: Vec<PromiseView> = audit
        .promises
        .iter()
        .zip(statements)
        .map(|(promise, (statement, carried))| {
            let rule = promise.rule();
            *match promise.standing() {
                PromiseState::Broken => &mut summary.broken,
                PromiseState::Undecided => &mut summary.undecided,
                PromiseState::Kept => &mut summary.kept,
            } += 1;
            PromiseView {
                promise: promise.clone(),
                violated: violated(&statement.promise, names),
                findings: audit.findings.iter().filter(|f| f.rule == rule).cloned().collect(),
                relied_on: relied_on(&audit.relied_on, &rule),
                reaches: carried.systems.iter().map(|&s| model.systems[s].name.clone()).collect(),
                furthest: carried
                    .furthest
                    .map(|w| hops(model, sources, (options.day, &options.scope), &w))
                    .unwrap_or_default(),
            }
        })
        .collect();
    promises.sort_by_key(|view| view.promise.standing());
    Promises {
        ringfence: audit.ringfence,
        judged: audit.judged,
        inventory: audit.inventory,
        promises,
        summary,
    }
}
