//! Chores of the repository. So far one: inventories of any size, to measure with.

mod banks;
mod core;
mod data;
mod partners;
mod random;
mod world;
mod yaml;

use std::path::Path;

use anyhow::{Result, bail};

pub use world::Options;
use world::{PLATFORM, World};
use yaml::{Value, text, word};

/// The fewest flows that everything has a place in.
pub const FEWEST: usize = 500;

/// Writes an inventory. The same options give the same bytes.
///
/// # Errors
/// If there are too few flows, or a file cannot be written.
pub fn generate(options: Options, folder: &Path) -> Result<()> {
    if options.flows < FEWEST {
        bail!("{} flows are too few: at least {FEWEST}", options.flows);
    }
    let flows = options.flows;
    let mut world = World::new(options, folder);
    let mut core = core::Core::build(&mut world)?;
    let shared = banks::Shared::build(&mut world);
    let (mut cells, mut all_banks) = (Vec::new(), Vec::new());
    let count = banks::banks(flows);
    let number = banks::cells(flows);
    for at in 0..number {
        let range = at * count / number..(at + 1) * count / number;
        let (cell, banks) = banks::Cell::build(&mut world, at, range, &shared, &core)?;
        cells.push(cell);
        all_banks.extend(banks);
    }
    shared.flows(&mut world, &cells, &core)?;
    partners::banks_own(&mut world, &all_banks)?;
    partners::clouds(&mut world, &cells)?;
    partners::partners(&mut world, &core, &cells)?;
    partners::public(&mut world, &shared, &cells)?;
    core.fill(&mut world)?;
    world.flush()?;
    if world.flows != flows {
        bail!("{} flows came out instead of {flows}", world.flows);
    }
    finish(&world)
}

/// The platform itself, its promises, words of its own and accepted findings.
fn finish(world: &World) -> Result<()> {
    let more = vec![
        ("jurisdiction", word("US")),
        ("dpo", text("dpo@meridian.example")),
        ("title", text("Messages, shops and payments: one account")),
    ];
    let platform = world.declare(PLATFORM, "Meridian, Inc.", "platform", more, &world.platform);
    world.write("platform/systems.yaml", vec![("parties", Value::List(vec![platform]))])?;
    let category = Value::Map(vec![("title", text("What somebody calls an account"))]);
    let data = Value::Map(vec![("financial.account.nickname", category)]);
    world.write("taxonomy.yaml", vec![("taxonomy", Value::Map(vec![("data", data)]))])?;
    world.write("promises.yaml", vec![("statements", core::statements(world))])?;
    if !world.waivers.is_empty() {
        world.write("waivers.yaml", vec![("waivers", Value::List(world.waivers.clone()))])?;
    }
    Ok(())
}
