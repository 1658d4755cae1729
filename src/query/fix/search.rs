//! The cheapest choice of edits that breaks every chain: a minimum-cost hitting set, found exactly.
//!
//! Constraints come in as they are discovered: one says that, once some edits are `given`, one of `any` is needed.
//! What no constraint joins is solved by itself. Within such a part, a search branches on the constraint with the
//! fewest choices, and turns back where what is chosen and a lower bound together cost as much as the best so far. The
//! bound is the cost of constraints that share no choice: chains of which each needs an edit of its own.

use rustc_hash::{FxHashMap, FxHashSet};

/// An edit, by its number.
pub type Choice = usize;

/// If all of `given` are chosen, one of `any` is needed. With nothing in `any`: not all of `given` together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Constraint {
    /// In order, each once.
    pub given: Vec<Choice>,
    /// In order, each once.
    pub any: Vec<Choice>,
}

/// What is to be solved.
#[derive(Debug, Clone, Default)]
pub struct Problem {
    /// What each choice costs.
    pub costs: Vec<u64>,
    constraints: Vec<Constraint>,
    known: FxHashSet<Constraint>,
    /// Choices that are not a solution exactly as they are; with others they may be.
    exactly: FxHashSet<Vec<Choice>>,
    /// What may be added to such choices.
    pub others: Vec<Choice>,
}

/// A solution, or how much every solution costs at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// The cheapest choice, in order, as far as the search got; `None`: there is none, or none was found.
    pub chosen: Option<Vec<Choice>>,
    /// No solution costs less.
    pub bound: u64,
    /// The search was not cut short: what was found is the cheapest, or there is nothing to be found.
    pub proven: bool,
    /// Where nothing was found, the constraints that cannot be met together, or were not.
    pub stuck: Vec<Constraint>,
}

impl Problem {
    /// Adds a constraint; whether it is new.
    pub fn add(&mut self, mut constraint: Constraint) -> bool {
        constraint.given.sort_unstable();
        constraint.given.dedup();
        constraint.any.sort_unstable();
        constraint.any.dedup();
        let new = self.known.insert(constraint.clone());
        if new {
            self.constraints.push(constraint);
        }
        new
    }

    /// Takes other constraints in the place of all; what is ruled out as it is stays so.
    pub fn renew(&mut self, constraints: Vec<Constraint>) {
        self.constraints.clear();
        self.known.clear();
        for constraint in constraints {
            self.add(constraint);
        }
    }

    /// Rules out one choice, as it is.
    pub fn rule_out(&mut self, chosen: &[Choice]) {
        self.exactly.insert(chosen.to_vec());
    }

    /// Whether some choices meet all constraints.
    #[cfg(test)]
    fn is_met_by(&self, chosen: &[Choice]) -> bool {
        let has = |choice: &Choice| chosen.contains(choice);
        self.constraints.iter().all(|c| !c.given.iter().all(has) || c.any.iter().any(has))
            && !self.exactly.contains(chosen)
    }

    /// Finds the cheapest choice, within a number of steps, which are counted down.
    pub fn solve(&self, steps: &mut u64) -> Solved {
        let mut all = Solved { chosen: Some(Vec::new()), bound: 0, proven: true, stuck: Vec::new() };
        for part in self.parts() {
            let solved = Part::new(self, &part).solve(steps);
            all.bound = all.bound.saturating_add(solved.bound);
            all.proven &= solved.proven;
            match (&mut all.chosen, solved.chosen) {
                (Some(chosen), Some(more)) => chosen.extend(more),
                (_, Some(_)) => {}
                (chosen, None) => {
                    *chosen = None;
                    all.stuck.extend(part.into_iter().cloned());
                }
            }
        }
        if let Some(chosen) = &mut all.chosen {
            chosen.sort_unstable();
        }
        all
    }

    /// Constraints by the choices that join them. What rules out a choice as it is joins all.
    fn parts(&self) -> Vec<Vec<&Constraint>> {
        if !self.exactly.is_empty() {
            return vec![self.constraints.iter().collect()];
        }
        let mut parent: Vec<usize> = (0..self.costs.len()).collect();
        fn find(parent: &mut [usize], of: usize) -> usize {
            let mut at = of;
            while let Some(&up) = parent.get(at).filter(|&&up| up != at) {
                let above = parent.get(up).copied().unwrap_or(up);
                if let Some(slot) = parent.get_mut(at) {
                    *slot = above;
                }
                at = above;
            }
            at
        }
        let choices = |constraint: &Constraint| -> Vec<Choice> {
            constraint.given.iter().chain(&constraint.any).copied().collect()
        };
        for constraint in &self.constraints {
            let choices = choices(constraint);
            let Some(&first) = choices.first() else { continue };
            for &other in &choices {
                let (a, b) = (find(&mut parent, first), find(&mut parent, other));
                if let Some(slot) = parent.get_mut(b) {
                    *slot = a;
                }
            }
        }
        let mut parts: Vec<Vec<&Constraint>> = Vec::new();
        let mut part_of: FxHashMap<Option<usize>, usize> = FxHashMap::default();
        for constraint in &self.constraints {
            let root = choices(constraint).first().map(|&first| find(&mut parent, first));
            let at = *part_of.entry(root).or_insert_with(|| {
                parts.push(Vec::new());
                parts.len() - 1
            });
            if let Some(part) = parts.get_mut(at) {
                part.push(constraint);
            }
        }
        parts
    }
}

/// The constraints that share choices, being solved.
struct Part<'p> {
    problem: &'p Problem,
    constraints: Vec<&'p Constraint>,
    /// Of each choice whether it is made, and how often it is ruled out on the way here.
    made: FxHashSet<Choice>,
    banned: FxHashMap<Choice, usize>,
    cost: u64,
    best: Option<(u64, Vec<Choice>)>,
    cut: bool,
    /// How many more places are looked at once the steps are used up and nothing is found.
    spare: usize,
}

/// So many places are looked at beyond the steps as long as nothing is found.
const SPARE: usize = 20_000;

/// Choices in the place of which another meets all that they meet and costs no more. That other one must bring nothing
/// about: it is `given` nowhere.
fn dominated(constraints: &[&Constraint], costs: &[u64]) -> FxHashMap<Choice, usize> {
    let mut meets: FxHashMap<Choice, Vec<usize>> = FxHashMap::default();
    for (at, constraint) in constraints.iter().enumerate() {
        constraint.any.iter().for_each(|&choice| meets.entry(choice).or_default().push(at));
    }
    let given: FxHashSet<Choice> = constraints.iter().flat_map(|c| &c.given).copied().collect();
    let cost = |choice: Choice| (costs.get(choice).copied(), choice);
    let mut banned = FxHashMap::default();
    for (&choice, met) in &meets {
        let narrowest = met.iter().filter_map(|&at| constraints.get(at)).min_by_key(|c| c.any.len());
        let others = narrowest.into_iter().flat_map(|constraint| &constraint.any).copied();
        let better = |other: Choice| {
            let wider = meets.get(&other).is_some_and(|others| {
                others.len() >= met.len() && met.iter().all(|at| others.binary_search(at).is_ok())
            });
            let same = wider && meets.get(&other).is_some_and(|others| others.len() == met.len());
            // Of two that meet the same for the same, one stays.
            let cheaper = cost(other).0 < cost(choice).0
                || cost(other).0 == cost(choice).0 && (!same || given.contains(&choice) || other < choice);
            other != choice && !given.contains(&other) && wider && cheaper
        };
        if others.into_iter().any(better) {
            banned.insert(choice, 1);
        }
    }
    banned
}

/// What is open where the search stands.
struct Open<'p> {
    /// The constraint with the fewest choices left, and these.
    narrowest: Option<(&'p Constraint, Vec<Choice>)>,
    /// What is still to be paid at least; `None`: it cannot be done.
    at_least: Option<u64>,
    /// How many open constraints each choice meets.
    meets: FxHashMap<Choice, usize>,
}

impl<'p> Part<'p> {
    fn new(problem: &'p Problem, constraints: &[&'p Constraint]) -> Self {
        // What asks for one of more choices follows from what asks for one of fewer.
        let mut all: Vec<&Constraint> = constraints.to_vec();
        all.sort_by_key(|c| (c.given.len() + c.any.len(), *c));
        let mut kept: Vec<&Constraint> = Vec::new();
        let mut by_choice: FxHashMap<Choice, Vec<usize>> = FxHashMap::default();
        for constraint in all {
            let within = |kept: &Constraint| {
                kept.given.iter().all(|c| constraint.given.binary_search(c).is_ok())
                    && kept.any.iter().all(|c| constraint.any.binary_search(c).is_ok())
            };
            let near =
                constraint.given.iter().chain(&constraint.any).filter_map(|c| by_choice.get(c)).flatten();
            if near.filter_map(|&at| kept.get(at)).any(|kept| within(kept)) {
                continue;
            }
            // Whatever is within another has all of its choices there: one is enough to find it by.
            if let Some(first) = constraint.any.first().or(constraint.given.first()) {
                by_choice.entry(*first).or_default().push(kept.len());
            }
            kept.push(constraint);
        }
        let banned =
            if problem.exactly.is_empty() { dominated(&kept, &problem.costs) } else { FxHashMap::default() };
        Part {
            problem,
            constraints: kept,
            made: FxHashSet::default(),
            banned,
            cost: 0,
            best: None,
            cut: false,
            spare: SPARE,
        }
    }

    fn solve(mut self, steps: &mut u64) -> Solved {
        let bound = self.open(steps).at_least;
        self.search(steps);
        let found = self.best.map(|(cost, mut chosen)| {
            chosen.sort_unstable();
            (cost, chosen)
        });
        let bound = match &found {
            Some((cost, _)) if !self.cut => *cost,
            _ => bound.unwrap_or(u64::MAX),
        };
        Solved { chosen: found.map(|(_, chosen)| chosen), bound, proven: !self.cut, stuck: Vec::new() }
    }

    fn cost_of(&self, choice: Choice) -> u64 {
        self.problem.costs.get(choice).copied().unwrap_or(u64::MAX)
    }

    fn open(&self, steps: &mut u64) -> Open<'p> {
        *steps = steps.saturating_sub(self.constraints.len() as u64);
        let mut open: Vec<(&Constraint, Vec<Choice>)> = Vec::new();
        let mut meets: FxHashMap<Choice, usize> = FxHashMap::default();
        for constraint in &self.constraints {
            let met = constraint.any.iter().any(|choice| self.made.contains(choice));
            if met || !constraint.given.iter().all(|choice| self.made.contains(choice)) {
                continue;
            }
            let left = constraint.any.iter().copied();
            let left: Vec<Choice> =
                left.filter(|c| self.banned.get(c).is_none_or(|times| *times == 0)).collect();
            if left.is_empty() {
                return Open { narrowest: None, at_least: None, meets };
            }
            left.iter().for_each(|&choice| *meets.entry(choice).or_default() += 1);
            open.push((constraint, left));
        }
        // Narrow ones first: more of them share nothing.
        open.sort_by_key(|(constraint, left)| (left.len(), *constraint));
        let mut used: FxHashSet<Choice> = FxHashSet::default();
        let mut at_least = 0_u64;
        for (_, left) in &open {
            if left.iter().any(|choice| used.contains(choice)) {
                continue;
            }
            used.extend(left);
            at_least += left.iter().map(|&choice| self.cost_of(choice)).min().unwrap_or_default();
        }
        let narrowest = open.into_iter().next();
        Open { narrowest, at_least: Some(at_least), meets }
    }

    /// Goes through all choices that may lead to something cheaper, on a stack of its own.
    fn search(&mut self, steps: &mut u64) {
        let mut stack: Vec<(Vec<Choice>, usize)> =
            self.choices(steps).map(|left| (left, 0)).into_iter().collect();
        while let Some((left, next)) = stack.last_mut() {
            // All with the choice made last have been looked at.
            if let Some(&last) = next.checked_sub(1).and_then(|at| left.get(at)) {
                self.made.remove(&last);
                self.cost = self.cost.saturating_sub(self.cost_of(last));
                *self.banned.entry(last).or_default() += 1;
            }
            let Some(&choice) = left.get(*next) else {
                for choice in left.iter() {
                    if let Some(times) = self.banned.get_mut(choice) {
                        *times -= 1;
                    }
                }
                stack.pop();
                continue;
            };
            *next += 1;
            self.made.insert(choice);
            self.cost = self.cost.saturating_add(self.cost_of(choice));
            stack.extend(self.choices(steps).map(|left| (left, 0)));
        }
    }

    /// The choices of which one must be made next; `None` where nothing cheaper follows, or nothing is open.
    fn choices(&mut self, steps: &mut u64) -> Option<Vec<Choice>> {
        if self.cut {
            return None;
        }
        let open = self.open(steps);
        let at_least = open.at_least?;
        if self.best.as_ref().is_some_and(|(best, _)| self.cost.saturating_add(at_least) >= *best) {
            return None;
        }
        if *steps == 0 {
            // A first solution is looked for a little longer.
            self.spare = self.spare.saturating_sub(1);
            self.cut = self.best.is_some() || self.spare == 0;
            if self.cut {
                return None;
            }
        }
        let mut left = match open.narrowest {
            Some((_, left)) => left,
            None => {
                let mut chosen: Vec<Choice> = self.made.iter().copied().collect();
                chosen.sort_unstable();
                if !self.problem.exactly.contains(&chosen) {
                    self.best = Some((self.cost, chosen));
                    return None;
                }
                // With one more it may do.
                let free = |choice: &Choice| {
                    !self.made.contains(choice) && self.banned.get(choice).is_none_or(|times| *times == 0)
                };
                self.problem.others.iter().copied().filter(free).collect()
            }
        };
        let meets = |choice: &Choice| open.meets.get(choice).copied().unwrap_or_default() as u64;
        // What meets most for its cost comes first.
        left.sort_by(|a, b| {
            let (one, other) = (meets(a) * self.cost_of(*b), meets(b) * self.cost_of(*a));
            other.cmp(&one).then(self.cost_of(*a).cmp(&self.cost_of(*b))).then(a.cmp(b))
        });
        Some(left)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Numbers that look random, the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }
    }

    fn cost(problem: &Problem, chosen: &[Choice]) -> u64 {
        chosen.iter().map(|&choice| problem.costs[choice]).sum()
    }

    #[test]
    fn the_cheapest_choice_is_the_cheapest_of_all_subsets() {
        let mut numbers = Numbers(7);
        for _ in 0..2_000 {
            let many = 1 + numbers.below(8) as usize;
            let mut problem =
                Problem { costs: Vec::new(), others: (0..many).collect(), ..Problem::default() };
            problem.costs.extend((0..many).map(|_| 1 + numbers.below(3)));
            let some = |numbers: &mut Numbers, most: u64| -> Vec<Choice> {
                (0..numbers.below(most)).map(|_| numbers.below(many as u64) as usize).collect()
            };
            for _ in 0..numbers.below(9) {
                let (given, any) = (some(&mut numbers, 3), some(&mut numbers, 5));
                problem.add(Constraint { given, any });
            }
            for _ in 0..numbers.below(3) {
                let mut chosen = some(&mut numbers, 4);
                chosen.sort_unstable();
                chosen.dedup();
                problem.rule_out(&chosen);
            }
            let subsets =
                (0..1_usize << many).map(|bits| (0..many).filter(|at| bits >> at & 1 == 1).collect());
            let met = subsets.filter(|chosen: &Vec<Choice>| problem.is_met_by(chosen));
            let cheapest = met.map(|chosen| cost(&problem, &chosen)).min();
            let solved = problem.solve(&mut u64::MAX.clone());
            assert!(solved.proven);
            assert_eq!(solved.chosen.as_ref().map(|chosen| cost(&problem, chosen)), cheapest, "{problem:?}");
            if let Some(chosen) = &solved.chosen {
                assert!(problem.is_met_by(chosen));
                assert_eq!(solved.bound, cheapest.unwrap());
            }
            // Cut short, it still finds something, and its bound holds.
            let short = problem.solve(&mut 1);
            if let (Some(chosen), Some(cheapest)) = (&short.chosen, cheapest) {
                assert!(problem.is_met_by(chosen) && short.bound <= cheapest);
            }
        }
    }
}
