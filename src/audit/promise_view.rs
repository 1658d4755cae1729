//! The promises as a view of their own: each with how it stands and the chain that says so.

use super::{Options, audit, evaluate, hops};
use crate::base::finding::{PromiseState, PromiseView, Promises, PromisesSummary};
use crate::base::source::Sources;
use crate::declare::words::{Names, violated};
use crate::model::load::World;

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
                relied_on: audit.relied_on.iter().filter(|r| r.rule == rule).cloned().collect(),
                reaches: carried.systems.iter().map(|&s| model.systems[s].name.clone()).collect(),
                furthest: carried.furthest.map(|w| hops(model, sources, &w)).unwrap_or_default(),
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
