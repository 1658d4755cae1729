//! The record of processing activities as a table like that of [`csv`](super::csv): a line for
//! each system in each register that it belongs in.

use super::Report;
use super::csv::{MARK, cell};
use crate::report::record::{ACTIVITY, PARTY, Register, record};

/// The table, its head first. Without a world there is the head alone.
pub fn render(report: &Report) -> String {
    let mut out = String::from(MARK);
    line(&mut out, PARTY.iter().chain(&ACTIVITY).map(|name| (*name).to_owned()));
    let Some(world) = report.world else {
        return out;
    };
    let counting = report.counting(&world.model);
    let holdings = report.holdings(&world.model);
    let parties = record(&world.model, &counting, &holdings, report.assurance_day());
    for register in Register::ALL {
        for party in &parties {
            for (_, activity) in party.activities.iter().filter(|(of, _)| *of == register) {
                line(&mut out, party.fields.iter().chain(activity).map(|field| field.text()));
            }
        }
    }
    out
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}
