//! Which column everything stands in: cycles are cut where that turns the fewest
//! flows around, then what feeds stands left of what is fed, as near as possible.

use std::collections::BTreeMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::model::{Id, Table};

/// Something that gets a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vertex(u32);

impl Id for Vertex {
    fn from_index(index: usize) -> Self {
        Vertex(index as u32)
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// That something is left of something else, and how much that matters.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// What feeds.
    pub from: Vertex,
    /// What is fed.
    pub to: Vertex,
    /// How many flows say so.
    pub weight: i64,
}

/// What else there is to know of a vertex.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lean {
    /// How strongly it is drawn to the right (less than 0: to the left) by what is not
    /// among the vertices.
    pub pull: i64,
    /// Where it belongs in a circle, which has no start: the more, the farther left, in
    /// hundredths.
    pub first: i64,
}

/// A layer for each vertex; both ends of a link are in different ones.
pub fn layers(links: &[Link], leans: &Table<Vertex, Lean>) -> Table<Vertex, usize> {
    let links: Vec<Link> = links.iter().copied().filter(|l| l.from != l.to).collect();
    let pulls = leans.map(|lean| lean.pull);
    let place = order(&links, leans);
    let forward: Vec<Link> = links
        .iter()
        .map(|l| if place[l.from] < place[l.to] { *l } else { Link { from: l.to, to: l.from, ..*l } })
        .collect();
    let mut layer = longest(&forward, &place);
    tighten(&forward, &pulls, &place, &mut layer);
    compact(&layer)
}

/// A place in a line for each vertex, such that few links run backwards: strongly
/// connected parts in their order; within one see [`line_up`].
fn order(links: &[Link], leans: &Table<Vertex, Lean>) -> Table<Vertex, usize> {
    let mut graph: DiGraph<Vertex, ()> = DiGraph::new();
    let nodes: Table<Vertex, _> = leans.ids().map(|v| graph.add_node(v)).collect();
    for link in links {
        graph.add_edge(nodes[link.from], nodes[link.to], ());
    }
    let mut place: Table<Vertex, usize> = leans.map(|_| 0);
    let mut part: Table<Vertex, usize> = leans.map(|_| 0);
    let mut parts: Vec<Vec<Vertex>> = kosaraju_scc(&graph)
        .into_iter()
        .rev()
        .map(|part| part.into_iter().filter_map(|n| graph.node_weight(n).copied()).collect())
        .collect();
    for (number, members) in parts.iter_mut().enumerate() {
        members.sort();
        members.iter().for_each(|&v| part[v] = number);
    }
    let mut within: Vec<Vec<Link>> = parts.iter().map(|_| Vec::new()).collect();
    for link in links.iter().filter(|l| part[l.from] == part[l.to]) {
        if let Some(list) = within.get_mut(part[link.from]) {
            list.push(*link);
        }
    }
    let mut next = 0;
    for (mut members, links) in parts.into_iter().zip(within) {
        line_up(&mut members, &links, leans);
        for vertex in members {
            place[vertex] = next;
            next += 1;
        }
    }
    place
}

/// The largest part in which single vertices are moved.
const MOVED: usize = 600;

/// Puts the vertices of a circle in a line: what gives more than it takes first, so that
/// what is alike stands alike; then each goes where fewest links run backwards.
fn line_up(members: &mut Vec<Vertex>, links: &[Link], leans: &Table<Vertex, Lean>) {
    if members.len() < 2 {
        return;
    }
    let (mut gives, mut takes) = (leans.map(|_| 0_i64), leans.map(|_| 0_i64));
    let mut near: Table<Vertex, Vec<(Vertex, i64)>> = leans.map(|_| Vec::new());
    for link in links {
        gives[link.from] += link.weight;
        takes[link.to] += link.weight;
        // Cost of the other being before: of a link from here to there.
        near[link.from].push((link.to, link.weight));
        near[link.to].push((link.from, -link.weight));
    }
    let score = |v: Vertex| {
        let (gives, takes) = (gives[v], takes[v]);
        100 * (gives - takes) / (gives + takes).max(1) + leans[v].first
    };
    members.sort_by_key(|&v| (std::cmp::Reverse(score(v)), v));
    if members.len() > MOVED {
        return;
    }
    let mut place = leans.map(|_| 0_usize);
    for _ in 0..6 {
        let mut moved = false;
        for vertex in members.clone() {
            members.iter().enumerate().for_each(|(at, &v)| place[v] = at);
            let own = place[vertex];
            let mut others: BTreeMap<usize, i64> = BTreeMap::new();
            for &(other, weight) in &near[vertex] {
                *others.entry(place[other]).or_default() += weight;
            }
            // Passing a vertex that is linked turns that link around.
            let (mut best, mut gain, mut sum) = (own, 0, 0);
            for (&at, weight) in others.range(own + 1..) {
                sum -= weight;
                if sum > gain {
                    (best, gain) = (at, sum);
                }
            }
            sum = 0;
            for (&at, weight) in others.range(..own).rev() {
                sum += weight;
                if sum > gain {
                    (best, gain) = (at, sum);
                }
            }
            if best != own {
                let vertex = members.remove(own);
                members.insert(best, vertex);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
}

/// Each vertex as far left as what feeds it allows.
fn longest(forward: &[Link], place: &Table<Vertex, usize>) -> Table<Vertex, usize> {
    let mut layer = place.map(|_| 0);
    let mut links = forward.to_vec();
    links.sort_by_key(|l| place[l.from]);
    for link in links {
        layer[link.to] = layer[link.to].max(layer[link.from] + 1);
    }
    layer
}

/// Moves vertices towards the side that more of their links lead to, while all links
/// keep their direction.
fn tighten(
    forward: &[Link],
    pulls: &Table<Vertex, i64>,
    place: &Table<Vertex, usize>,
    layer: &mut Table<Vertex, usize>,
) {
    let last = layer.values().copied().max().unwrap_or(0);
    let mut slope = pulls.clone();
    let (mut after, mut before) = (pulls.map(|_| Vec::new()), pulls.map(|_| Vec::new()));
    for link in forward {
        slope[link.from] += link.weight;
        slope[link.to] -= link.weight;
        after[link.from].push(link.to);
        before[link.to].push(link.from);
    }
    let mut line: Vec<Vertex> = place.ids().collect();
    line.sort_by_key(|&v| place[v]);
    for round in 0..12 {
        let mut moved = false;
        for at in 0..line.len() {
            let at = if round % 2 == 0 { line.len() - 1 - at } else { at };
            let Some(&vertex) = line.get(at) else { continue };
            let first = before[vertex].iter().map(|&v| layer[v] + 1).max().unwrap_or(0);
            let end = after[vertex].iter().map(|&v| layer[v].saturating_sub(1)).min().unwrap_or(last);
            let best = match slope[vertex] {
                0 => layer[vertex].clamp(first.min(end), end),
                s if s > 0 => end,
                _ => first,
            };
            moved |= best != layer[vertex];
            layer[vertex] = best;
        }
        if !moved {
            break;
        }
    }
}

/// The same without empty layers.
fn compact(layer: &Table<Vertex, usize>) -> Table<Vertex, usize> {
    let mut used: Vec<usize> = layer.values().copied().collect();
    used.sort_unstable();
    used.dedup();
    layer.map(|l| used.binary_search(l).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize, links: &[(u32, u32, i64)]) -> Vec<usize> {
        let links: Vec<Link> = links
            .iter()
            .map(|&(from, to, weight)| Link { from: Vertex(from), to: Vertex(to), weight })
            .collect();
        layers(&links, &(0..count).map(|_| Lean::default()).collect()).values().copied().collect()
    }

    #[test]
    fn what_feeds_is_left() {
        assert_eq!(of(4, &[(0, 1, 1), (1, 2, 1), (0, 2, 1), (3, 2, 1)]), [0, 1, 2, 1]);
    }

    #[test]
    fn of_two_directions_the_stronger_one_counts() {
        assert_eq!(of(3, &[(0, 1, 1), (1, 0, 3), (0, 2, 1)]), [1, 0, 2]);
        // A circle ends where it is weakest, and what follows stays behind it.
        assert_eq!(of(4, &[(0, 1, 2), (1, 2, 2), (2, 0, 1), (2, 3, 1)]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_circle_starts_where_it_should_if_nothing_else_tells() {
        let links = [(0, 1), (1, 0), (1, 2), (2, 1)];
        let links = links.map(|(from, to)| Link { from: Vertex(from), to: Vertex(to), weight: 1 });
        let lean = |first| [0, 0, first].map(|first| Lean { pull: 0, first }).into_iter().collect();
        let of = |first| layers(&links, &lean(first)).values().copied().collect::<Vec<_>>();
        assert_eq!((of(-1), of(1)), (vec![0, 1, 2], vec![0, 1, 0]));
    }

    #[test]
    fn pulls_move_what_is_free() {
        let link = Link { from: Vertex(0), to: Vertex(1), weight: 1 };
        let pulls = [0, 0, 5, -5].map(|pull| Lean { pull, first: 0 });
        let layers = layers(&[link], &pulls.into_iter().collect());
        assert_eq!(layers.values().copied().collect::<Vec<_>>(), [0, 1, 1, 0]);
    }
}
