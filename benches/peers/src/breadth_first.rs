//! petgraph: a breadth-first search from each leaf of each origin.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;

use crate::task::{Finding, Flow, Task, ones};

/// The findings, the time for the graph, the time for the searches.
pub fn run(task: &Task) -> (Vec<Finding>, Duration, Duration) {
    let start = Instant::now();
    let mut graph: DiGraph<(), &Flow> = DiGraph::with_capacity(task.systems, task.flows.len());
    for _ in 0..task.systems {
        graph.add_node(());
    }
    for flow in &task.flows {
        graph.add_edge(NodeIndex::new(flow.from as usize), NodeIndex::new(flow.to as usize), flow);
    }
    let built = start.elapsed();

    let start = Instant::now();
    let mut found: FxHashMap<(u32, u32), (u128, usize)> = FxHashMap::default();
    // The number of the search that was last in a state: nothing is cleared between two.
    let width = task.leaves.len();
    let mut seen = vec![0u32; task.systems * width];
    let mut search = 0;
    let mut queue: VecDeque<(u32, u8, u32)> = VecDeque::new();
    for origin in &task.origins {
        for &leaf in &origin.leaves {
            search += 1;
            for becomes in ones(task.becomes(origin.system, leaf)) {
                seen[origin.system as usize * width + becomes as usize] = search;
                queue.push_back((origin.system, becomes, 0));
            }
            while let Some((at, current, length)) = queue.pop_front() {
                for edge in graph.edges(NodeIndex::new(at as usize)) {
                    let flow = edge.weight();
                    let passes = flow.only_from.as_ref().is_none_or(|list| list.contains(&origin.party));
                    if flow.leaves & (1 << current) == 0 || !passes {
                        continue;
                    }
                    if flow.is_forbidden && flow.to != origin.system {
                        let entry = found.entry((origin.system, flow.to)).or_insert((0, length as usize + 1));
                        entry.0 |= 1 << leaf;
                        entry.1 = entry.1.min(length as usize + 1);
                    }
                    for becomes in ones(task.becomes(flow.to, current)) {
                        let state = &mut seen[flow.to as usize * width + becomes as usize];
                        if *state != search {
                            *state = search;
                            queue.push_back((flow.to, becomes, length + 1));
                        }
                    }
                }
            }
        }
    }
    let searched = start.elapsed();
    (task.findings(found.into_iter().map(|((s, v), (data, length))| (s, v, data, length))), built, searched)
}
