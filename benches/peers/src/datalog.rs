//! ascent: the same as a Datalog program, compiled into this one.

use std::time::{Duration, Instant};

use ascent::ascent;
use ascent::lattice::Dual;
use rustc_hash::FxHashMap;

use crate::task::{Finding, Task, ones};

ascent! {
    struct Program;

    /// A flow from a system, by current leaf, to a system, where the leaf becomes another.
    relation open(u32, u8, u32, u8);
    /// The same, for items of one party only.
    relation only(u32, u8, u32, u32, u8);
    /// A forbidden arrival.
    relation forbidden(u32, u8, u32);
    relation forbidden_only(u32, u8, u32, u32);
    /// An origin with its party.
    relation party(u32, u32);

    /// An item by origin, origin leaf, system and current leaf, with the fewest flows.
    lattice at(u32, u8, u32, u8, Dual<u32>);
    at(s, o, v, g, Dual(k.0 + 1)) <-- at(s, o, u, f, k), open(u, f, v, g);
    at(s, o, v, g, Dual(k.0 + 1)) <-- at(s, o, u, f, k), only(u, f, p, v, g), party(s, p);

    lattice found(u32, u32, u8, Dual<u32>);
    found(s, v, o, Dual(k.0 + 1)) <-- at(s, o, u, f, k), forbidden(u, f, v), if s != v;
    found(s, v, o, Dual(k.0 + 1)) <-- at(s, o, u, f, k), forbidden_only(u, f, p, v), party(s, p), if s != v;
}

/// The findings, the time for the facts, the time for the program.
pub fn run(task: &Task) -> (Vec<Finding>, Duration, Duration) {
    let start = Instant::now();
    let mut program = Program::default();
    for flow in &task.flows {
        for f in ones(flow.leaves) {
            for g in ones(task.becomes(flow.to, f)) {
                match &flow.only_from {
                    None => program.open.push((flow.from, f, flow.to, g)),
                    Some(list) => program.only.extend(list.iter().map(|&p| (flow.from, f, p, flow.to, g))),
                }
            }
            if flow.is_forbidden {
                match &flow.only_from {
                    None => program.forbidden.push((flow.from, f, flow.to)),
                    Some(list) => {
                        program.forbidden_only.extend(list.iter().map(|&p| (flow.from, f, p, flow.to)));
                    }
                }
            }
        }
    }
    // Parallel flows say the same twice.
    program.open.sort_unstable();
    program.open.dedup();
    program.only.sort_unstable();
    program.only.dedup();
    program.forbidden.sort_unstable();
    program.forbidden.dedup();
    for origin in &task.origins {
        program.party.push((origin.system, origin.party));
        for &o in &origin.leaves {
            for f in ones(task.becomes(origin.system, o)) {
                program.at.push((origin.system, o, origin.system, f, Dual(0)));
            }
        }
    }
    let stated = start.elapsed();
    let start = Instant::now();
    program.run();
    let ran = start.elapsed();
    let mut found: FxHashMap<(u32, u32), (u128, usize)> = FxHashMap::default();
    for row in &program.found {
        let (s, v, o, k) = row;
        let entry = found.entry((*s, *v)).or_insert((0, k.0 as usize));
        entry.0 |= 1 << o;
        entry.1 = entry.1.min(k.0 as usize);
    }
    (task.findings(found.into_iter().map(|((s, v), (data, length))| (s, v, data, length))), stated, ran)
}
