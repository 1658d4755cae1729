//! The task, in numbers: what every program but Ringfence is given.
//!
//! Left out beforehand is what a user of the others would leave out too: flows that do
//! not count, flows that the rule's `through` exempts, leaves that no item of the rule
//! can be, and flows that carry none of those that are left.

use anyhow::{Result, ensure};
use ringfence::{Scope, World};
use ringfence::testing::bits::LeafSet;
use ringfence::testing::model::{Counting, Id};
use ringfence::vocabulary::{Role, Transform};

/// A flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// From which system.
    pub from: u32,
    /// To which system.
    pub to: u32,
    /// Which leaves it carries, a bit each.
    pub leaves: u128,
    /// Whose items alone it carries.
    pub only_from: Option<Vec<u32>>,
    /// Whether arriving by it is forbidden.
    pub is_forbidden: bool,
}

/// What starts where.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The system.
    pub system: u32,
    /// Its party.
    pub party: u32,
    /// The leaves.
    pub leaves: Vec<u8>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// How many systems there are.
    pub systems: usize,
    /// The flows.
    pub flows: Vec<Flow>,
    /// The origins.
    pub origins: Vec<Origin>,
    /// For each system what each leaf becomes there, itself included; empty: itself.
    pub derived: Vec<Vec<u128>>,
    /// The model's number of each leaf.
    pub leaves: Vec<usize>,
}

/// One finding: source, sink, the origin leaves, the fewest flows.
pub type Finding = (u32, u32, Vec<usize>, usize);

impl Task {
    /// Reads the rule of `rule.yaml` into a world, without Ringfence's engine.
    pub fn new(world: &World) -> Result<Task> {
        let model = &world.model;
        let keys = |name: &str| model.data.find(name).into_iter().collect::<Vec<_>>();
        let financial = model.data.leaves(&keys("financial"));
        // What an item of the rule can be: financial leaves and what is made of them.
        let mut relevant = financial.clone();
        loop {
            let before = relevant.clone();
            for system in model.systems.values() {
                for (from, into) in &system.derives {
                    if from.intersects(&relevant) {
                        relevant.extend(into.row());
                    }
                    let into_money = into.intersects(&financial) && !from.is_subset(&financial);
                    ensure!(!into_money, "{} makes financial data of other data", system.name);
                }
            }
            if before == relevant {
                break;
            }
        }
        let leaves: Vec<usize> = relevant.iter().collect();
        ensure!(leaves.len() <= 128, "too many leaves");
        let bits = |set: &LeafSet| -> u128 {
            leaves.iter().enumerate().filter(|(_, leaf)| set.contains(**leaf)).map(|(at, _)| 1 << at).sum()
        };
        let advertising = model.purposes.find("advertising");
        let advertises = |purpose| {
            advertising.is_some_and(|a| {
                model.purposes.at_or_below(purpose, a) || model.purposes.at_or_below(a, purpose)
            })
        };
        let counting = Counting::new(model, jiff::civil::date(2026, 11, 23), &Scope::default());
        let mut flows = Vec::new();
        for id in counting.iter() {
            let flow = &model.flows[id];
            let carried = bits(&flow.leaves);
            if carried == 0 || matches!(flow.transform, Transform::Aggregated | Transform::Anonymised) {
                continue;
            }
            let mut purposes = flow.purposes.iter().chain(&model.systems[flow.to].purposes);
            flows.push(Flow {
                from: flow.from.index() as u32,
                to: flow.to.index() as u32,
                leaves: carried,
                only_from: flow.only_from.as_ref().map(|l| l.iter().map(|p| p.index() as u32).collect()),
                is_forbidden: purposes.any(|&p| advertises(p)),
            });
        }
        let origins = model.systems.iter().filter_map(|(id, system)| {
            let starts = system.originates.and(&financial);
            let is_bank = model.parties[system.party].role() == Role::Bank;
            let at = |leaf| leaves.iter().position(|&l| l == leaf).map(|at| at as u8);
            (is_bank && !starts.is_empty()).then(|| Origin {
                system: id.index() as u32,
                party: system.party.index() as u32,
                leaves: starts.iter().filter_map(at).collect(),
            })
        });
        let derived = model.systems.values().map(|system| {
            if system.derives.is_empty() {
                return Vec::new();
            }
            let becomes = |at: usize| {
                let mut all: u128 = 1 << at;
                loop {
                    let before = all;
                    for (from, into) in &system.derives {
                        if bits(from) & all != 0 {
                            all |= bits(into);
                        }
                    }
                    if before == all {
                        return all;
                    }
                }
            };
            (0..leaves.len()).map(becomes).collect()
        });
        Ok(Task {
            systems: model.systems.len(),
            flows,
            origins: origins.collect(),
            derived: derived.collect(),
            leaves: leaves.clone(),
        })
    }

    /// What a leaf becomes at a system, itself included.
    pub fn becomes(&self, system: u32, leaf: u8) -> u128 {
        self.derived[system as usize].get(leaf as usize).copied().unwrap_or(1 << leaf)
    }

    /// Findings in the model's numbers, in order.
    pub fn findings(&self, found: impl IntoIterator<Item = (u32, u32, u128, usize)>) -> Vec<Finding> {
        let mut all: Vec<Finding> = found
            .into_iter()
            .map(|(s, v, data, length)| {
                (s, v, ones(data).map(|at| self.leaves[at as usize]).collect(), length)
            })
            .collect();
        all.sort_unstable();
        all
    }
}

/// The bits that are set.
pub fn ones(mut set: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros();
        (at < 128).then(|| {
            set &= set - 1;
            at as u8
        })
    })
}
