//! The parties and what flows between them, as lines that fit any width: a row for each party, below it a row for
//! each other party that it sends to, with the data on the line, and a lane for each receiver that leads there.
//!
//! ```text
//! American Express
//!   receipts ────────────┐
//! PayPal                 │
//!   receipts ────────────┤
//! Facebook ◀─────────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::causes::CauseCard;
use super::names::Names;
use crate::base::finding::Audit;
use crate::base::vocabulary::{Role, Status};
use crate::model::{Counting, FlowId, Id, Model, PartyId};
use crate::report::say::{self, some};

/// So many parties and lines are shown; those on which causes lie come first.
const PARTIES: usize = 32;
const LINES: usize = 64;
/// So many causes are coloured: those that the first page tells. Of all others the number stands on the line.
const COLOURED: usize = 3;
/// So many categories stand on a line.
const DATA: usize = 4;

/// The picture.
#[derive(Debug, Serialize)]
pub struct Lanes {
    rows: Vec<Row>,
    /// How many lanes there are.
    lanes: usize,
    /// What it shows, in a sentence.
    words: String,
    parties_left: usize,
    lines_left: usize,
}

/// A row: a party, or what one sends to another.
#[derive(Debug, Serialize)]
struct Row {
    /// The party's name, if it is one.
    name: Option<String>,
    note: String,
    /// The anchor of the party in its register.
    id: String,
    /// What a line carries.
    data: String,
    to: String,
    /// The numbers of the causes on the line.
    causes: Vec<Mark>,
    /// Only proposed agreements.
    proposed: bool,
    /// A line within one party.
    within: bool,
    /// Something arrives here, and something by a cause.
    arrives: bool,
    /// It is one of the most severe causes.
    hot: bool,
    /// It is a cause.
    cause: bool,
    cells: Vec<Cell>,
}

/// A cause's number and anchor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Mark(usize, String);

/// Where a lane crosses a row: words for the style.
#[derive(Debug, Clone, Default, Serialize)]
struct Cell(String);

/// What one party sends to another, or within itself.
struct Line {
    from: PartyId,
    to: PartyId,
    flows: Vec<FlowId>,
    causes: BTreeSet<Mark>,
}

/// The lane of a receiver: the rows that it spans.
struct Lane {
    /// The row of the receiver.
    end: usize,
    /// The rows of lines that lead there.
    joins: Vec<usize>,
    column: usize,
}

/// Draws the parties of a world.
pub fn lanes<'c>(
    model: &Model,
    counting: &Counting,
    names: &Names,
    audit: &Audit,
    causes: impl Iterator<Item = &'c CauseCard>,
) -> Option<Lanes> {
    let marks = marks(audit, names, causes);
    let lines = lines(model, counting, &marks);
    let (parties, left) = shown(model, &lines);
    let all = lines.len();
    let mut lines: Vec<Line> =
        lines.into_iter().filter(|line| parties.contains(&line.from) && parties.contains(&line.to)).collect();
    if lines.len() > LINES {
        // What no cause lies on gives way.
        lines.sort_by_key(|line| (line.causes.is_empty(), line.from, line.to));
        lines.truncate(LINES);
    }
    let lines_left = all - lines.len();
    if parties.is_empty() {
        return None;
    }
    let order = order(&parties, &lines);
    let mut rows: Vec<(Row, Option<PartyId>)> = Vec::new();
    let mut at: BTreeMap<PartyId, usize> = BTreeMap::new();
    for &party in &order {
        at.insert(party, rows.len());
        rows.push((head(model, names, party), None));
        let mut own: Vec<&Line> = lines.iter().filter(|line| line.from == party).collect();
        own.sort_by_key(|line| {
            let place = order.iter().position(|&party| party == line.to);
            (line.from != line.to, place, line.causes.is_empty(), line.causes.clone())
        });
        rows.extend(own.into_iter().map(|line| (row(model, names, line), Some(line.to))));
    }
    let placed = columns(&rows, &at);
    let count = placed.iter().map(|lane| lane.column + 1).max().unwrap_or(0);
    let mut rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
    paint(&mut rows, &placed, count);
    let hot = lines.iter().filter(|line| !line.causes.is_empty()).count();
    let parties = if order.len() == 1 { "1 party".to_owned() } else { format!("{} parties", order.len()) };
    let of_causes = match hot {
        0 => "none is a cause".to_owned(),
        1 => "1 is a cause and has its number".to_owned(),
        n => format!("{n} are causes and have their numbers"),
    };
    Some(Lanes {
        rows,
        lanes: count,
        words: format!("{parties} and {}, of which {of_causes}.", say::count(lines.len(), "line")),
        parties_left: left,
        lines_left,
    })
}

/// The numbers of causes by the flows that they are.
fn marks<'c>(
    audit: &Audit,
    names: &Names,
    causes: impl Iterator<Item = &'c CauseCard>,
) -> BTreeMap<FlowId, BTreeSet<Mark>> {
    let mut marks: BTreeMap<FlowId, BTreeSet<Mark>> = BTreeMap::new();
    for card in causes {
        for id in
            audit.causes.iter().filter(|cause| cause.id == card.id).flat_map(|cause| &cause.declarations)
        {
            if let Some(flow) = id.id.strip_prefix("flow:").and_then(|name| names.flow(name)) {
                marks.entry(flow).or_default().insert(Mark(card.number, card.anchor.clone()));
            }
        }
    }
    marks
}

/// What each party sends to each other, apart by the causes that it is; within one what is a cause.
fn lines(model: &Model, counting: &Counting, marks: &BTreeMap<FlowId, BTreeSet<Mark>>) -> Vec<Line> {
    let none = BTreeSet::new();
    let mut lines: BTreeMap<(PartyId, PartyId, &BTreeSet<Mark>), Line> = BTreeMap::new();
    for flow in counting.iter() {
        let (from, to) = (model.sender(flow), model.receiver(flow));
        let causes = marks.get(&flow).unwrap_or(&none);
        if from == to && causes.is_empty() {
            continue;
        }
        let line = lines.entry((from, to, causes)).or_insert_with(|| Line {
            from,
            to,
            flows: Vec::new(),
            causes: causes.clone(),
        });
        line.flows.push(flow);
    }
    lines.into_values().collect()
}

/// The parties to show, those on which causes lie first, then those with most lines; and how many are left.
fn shown(model: &Model, lines: &[Line]) -> (BTreeSet<PartyId>, usize) {
    let mut weight: BTreeMap<PartyId, (usize, usize)> = model.parties.ids().map(|id| (id, (0, 0))).collect();
    for line in lines {
        for party in [line.from, line.to] {
            let (hot, all) = weight.entry(party).or_default();
            *hot += usize::from(!line.causes.is_empty());
            *all += 1;
        }
    }
    let mut order: Vec<(PartyId, (usize, usize))> = weight.into_iter().collect();
    // Who sends and receives nothing is in the register of parties.
    order.retain(|(_, (_, lines))| *lines > 0);
    let alone = model.parties.len() - order.len();
    order.sort_by_key(|&(party, (hot, all))| (std::cmp::Reverse((hot > 0, hot, all)), party));
    let left = order.len().saturating_sub(PARTIES) + alone;
    (order.into_iter().take(PARTIES).map(|(party, _)| party).collect(), left)
}

/// From who gives to who takes, so that most lines lead down: what only takes last, what only gives first, of the
/// others who gives most more than it takes.
fn order(parties: &BTreeSet<PartyId>, lines: &[Line]) -> Vec<PartyId> {
    let mut left: BTreeSet<PartyId> = parties.clone();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let number = |party: PartyId, out: bool| {
            let between = lines.iter().filter(|line| line.from != line.to);
            let ends = between.map(|line| if out { (line.from, line.to) } else { (line.to, line.from) });
            ends.filter(|(own, other)| *own == party && left.contains(other)).count()
        };
        let gives = |party: &PartyId| number(*party, false) == 0;
        let takes = |party: &PartyId| number(*party, true) == 0;
        let next = left.iter().copied().find(gives);
        if let Some(party) = next {
            first.push(party);
            left.remove(&party);
        } else if let Some(party) = left.iter().copied().rev().find(takes) {
            last.push(party);
            left.remove(&party);
        } else {
            let surplus = |party: PartyId| number(party, true) as i64 - number(party, false) as i64;
            let most = left.iter().copied().max_by_key(|&party| (surplus(party), std::cmp::Reverse(party)));
            let Some(party) = most else { break };
            first.push(party);
            left.remove(&party);
        }
    }
    last.reverse();
    first.extend(last);
    first
}

fn head(model: &Model, names: &Names, id: PartyId) -> Row {
    let party = &model.parties[id];
    let role = Some(party.role()).filter(|role| *role != Role::Other);
    let note: Vec<String> = role
        .map(|role| role.to_string().replace('_', " "))
        .into_iter()
        .chain(party.declared.jurisdiction.clone())
        .collect();
    Row {
        name: Some(names.party(party.id())),
        note: note.join(" · "),
        id: party.id().to_owned(),
        data: String::new(),
        to: String::new(),
        causes: Vec::new(),
        proposed: false,
        within: false,
        arrives: false,
        hot: false,
        cause: false,
        cells: Vec::new(),
    }
}

fn row(model: &Model, names: &Names, line: &Line) -> Row {
    let of_cause = !line.causes.is_empty();
    let mut data: BTreeSet<String> = BTreeSet::new();
    for &flow in &line.flows {
        let declared = &model.flows[flow].declared;
        if declared.held {
            data.insert("whatever it holds".to_owned());
        }
        data.extend(declared.data.iter().map(|key| {
            let key: Vec<&str> = model.data.name(key.value).split('.').take(2).collect();
            names.data(&key.join("."))
        }));
    }
    let data: Vec<String> = data.into_iter().collect();
    let proposed = line.flows.iter().all(|&flow| {
        model.flows[flow].agreement.is_some_and(|id| model.agreements[id].status == Status::Proposed)
    });
    let within = line.from == line.to;
    let mut seen: BTreeSet<(u32, u32)> = BTreeSet::new();
    let to = match within {
        true => {
            let hops: Vec<String> = line
                .flows
                .iter()
                .map(|&flow| &model.flows[flow])
                .filter(|flow| seen.insert((flow.from.index() as u32, flow.to.index() as u32)))
                .map(|flow| {
                    let title = |id| names.system_title(&model.systems[id].name).unwrap_or_default();
                    format!("{} → {}", title(flow.from), title(flow.to))
                })
                .collect();
            some(&hops, DATA)
        }
        false => names.party(model.parties[line.to].id()),
    };
    Row {
        name: None,
        note: String::new(),
        id: String::new(),
        data: some(&data, DATA),
        to,
        causes: line.causes.iter().cloned().collect(),
        proposed,
        within,
        arrives: false,
        hot: line.causes.iter().any(|cause| cause.0 <= COLOURED),
        cause: of_cause,
        cells: Vec::new(),
    }
}

/// A lane for each receiver; lanes that do not meet share a column. Short ones are nearest to the names.
fn columns(rows: &[(Row, Option<PartyId>)], at: &BTreeMap<PartyId, usize>) -> Vec<Lane> {
    let mut lanes: BTreeMap<usize, Lane> = BTreeMap::new();
    for (index, (row, to)) in rows.iter().enumerate() {
        let Some(&end) = to.filter(|_| !row.within).and_then(|to| at.get(&to)) else { continue };
        lanes.entry(end).or_insert_with(|| Lane { end, joins: Vec::new(), column: 0 }).joins.push(index);
    }
    let mut lanes: Vec<Lane> = lanes.into_values().collect();
    lanes.sort_by_key(|lane| (lane.span().1 - lane.span().0, lane.end));
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    for lane in &mut lanes {
        let (first, last) = lane.span();
        let free = |spans: &Vec<(usize, usize)>| spans.iter().all(|&(a, b)| last < a || b < first);
        lane.column = taken.iter().position(free).unwrap_or(taken.len());
        if lane.column == taken.len() {
            taken.push(Vec::new());
        }
        if let Some(spans) = taken.get_mut(lane.column) {
            spans.push((first, last));
        }
    }
    lanes
}

impl Lane {
    fn span(&self) -> (usize, usize) {
        let first = self.joins.first().copied().unwrap_or(self.end).min(self.end);
        let last = self.joins.last().copied().unwrap_or(self.end).max(self.end);
        (first, last)
    }
}

/// Says for each row and column what is drawn there: `u` and `d` the lane above and below the row's line, `h` the
/// row's line going on to a column further out, `j` where it joins, `a` where it arrives; capitals for causes.
fn paint(rows: &mut [Row], lanes: &[Lane], columns: usize) {
    for row in rows.iter_mut() {
        row.cells = vec![Cell::default(); columns];
    }
    let hot: Vec<bool> = rows.iter().map(|row| row.hot).collect();
    let is_hot = |row: usize| hot.get(row).copied().unwrap_or(false);
    for lane in lanes {
        let (first, last) = lane.span();
        // A stretch of the lane belongs to a cause if one joins further from the receiver.
        let beyond = |from: usize, to: usize| lane.joins.iter().any(|&j| j >= from && j <= to && is_hot(j));
        let any = lane.joins.iter().any(|&join| is_hot(join));
        for at in first..=last {
            let Some(row) = rows.get_mut(at) else { continue };
            let above = at > first;
            let below = at < last;
            let hot_above =
                if at <= lane.end { beyond(first, at.saturating_sub(1)) } else { beyond(at, last) };
            let hot_below = if at < lane.end { beyond(first, at) } else { beyond(at + 1, last) };
            let mut put = |column: usize, is: bool, mark: char, hot: bool| {
                if let Some(cell) = row.cells.get_mut(column).filter(|_| is) {
                    cell.add(if hot { mark.to_ascii_uppercase() } else { mark });
                }
            };
            put(lane.column, above, 'u', hot_above);
            put(lane.column, below, 'd', hot_below);
            let joins = lane.joins.contains(&at);
            let ends = at == lane.end;
            if joins || ends {
                let hot = if ends { any } else { is_hot(at) };
                (0..lane.column).for_each(|column| put(column, true, 'h', hot));
                put(lane.column, true, if ends { 'a' } else { 'j' }, hot);
            }
            if ends {
                (row.arrives, row.hot) = (true, any);
            }
        }
    }
}

impl Cell {
    fn add(&mut self, mark: char) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push(mark);
    }
}
