//! The causes: what flows where, what that breaks, whose decision it is, one chain as a picture, and the findings.

mod breaks;
mod sentence;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use self::breaks::{Broken, broken, kinds, together};
use super::NORMAL;
use super::findings::{Cards, Group, Walk};
use super::names::{Names, at};
use crate::base::cause::Cause;
use crate::base::finding::{Finding, FindingStatus};
use crate::base::vocabulary::{Severity, Status};
use crate::report::Report;
use crate::report::cause::remedy;
use crate::report::say::{count, some, walks};

pub use self::breaks::heading;

/// So many causes of a large result are listed one by one; the findings of all others are listed by rule.
const TOLD: usize = 60;
/// So many declarations of a cause, and agreements and owners, are named.
const NAMED: usize = 6;
/// A longer chain is not drawn: its findings list it.
const DRAWN: usize = 10;

/// One cause.
#[derive(Debug, Serialize)]
pub struct CauseCard {
    /// Its id.
    pub id: String,
    /// Its place in the list, from 1.
    pub number: usize,
    /// Where on the page.
    pub anchor: String,
    /// The highest severity of what binds.
    pub severity: Severity,
    /// What happens, in a sentence.
    pub sentence: String,
    /// What it breaks, in a few words.
    pub breaks: String,
    /// Law, contract, promise or house rule, in this order.
    pub kinds: Vec<String>,
    /// It makes the audit fail.
    pub fails: bool,
    /// The declarations with their titles and places.
    pub declared: Vec<Declared>,
    /// How many more there are.
    pub more_declared: usize,
    /// Who is to decide.
    pub owner: Option<String>,
    /// How many people are concerned.
    pub people: String,
    /// How firm it is, in words.
    pub standing: Vec<&'static str>,
    /// The decision to take.
    pub decision: Option<String>,
    /// `36 findings, 32 of which fail`.
    pub size: String,
    /// What goes if it is fixed.
    pub ends: Option<String>,
    /// What it breaks, item by item.
    pub broken: Vec<Broken>,
    /// One chain.
    pub picture: Option<Walk>,
    /// The findings, rule by rule.
    pub groups: Vec<Group>,
}

/// A declaration that findings hang on.
#[derive(Debug, Serialize)]
pub struct Declared {
    id: String,
    title: Option<String>,
    under: Option<String>,
    status: Option<String>,
    place: String,
}

/// All causes that are listed one by one, and the findings of the others by rule.
#[derive(Debug, Default, Serialize)]
pub struct Causes {
    /// Those that make the audit fail.
    pub failing: Vec<CauseCard>,
    /// Those for information.
    pub others: Vec<CauseCard>,
    /// How many causes are not told.
    pub untold: usize,
    /// The findings of those.
    pub rest: Vec<Group>,
}

impl Causes {
    /// Those that are listed, in order.
    pub fn told(&self) -> impl Iterator<Item = &CauseCard> {
        self.failing.iter().chain(&self.others)
    }

    /// All groups of findings, in the order of the page.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.told().flat_map(|cause| &cause.groups).chain(&self.rest)
    }

    /// As [`Causes::groups`], to change them.
    pub fn groups_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        let told = self.failing.iter_mut().chain(&mut self.others);
        told.flat_map(|cause| &mut cause.groups).chain(&mut self.rest)
    }
}

/// Makes the causes of a result.
pub fn causes(report: &Report, names: &Names) -> Causes {
    let audit = report.audit;
    let mut by_cause: FxHashMap<&str, Vec<&Finding>> = FxHashMap::default();
    for finding in &audit.findings {
        by_cause.entry(&finding.cause).or_default().push(finding);
    }
    let known: FxHashSet<&str> = audit.causes.iter().map(|cause| cause.id.as_str()).collect();
    let fails = |cause: &Cause| {
        by_cause.get(cause.id.as_str()).into_iter().flatten().any(|finding| report.gate.stops(finding))
    };
    let (mut order, others): (Vec<&Cause>, Vec<&Cause>) = audit.causes.iter().partition(|cause| fails(cause));
    let failing = order.len();
    order.extend(others);
    let most = if audit.findings.len() > NORMAL { TOLD } else { usize::MAX };
    let make = Make { report, names, cards: Cards { audit, names }, ends: ends(audit.findings.iter()) };
    let mut made = Causes { untold: order.len().saturating_sub(most), ..Causes::default() };
    let mut anchors = 1..;
    let mut explained: FxHashSet<String> = FxHashSet::default();
    for (at, cause) in order.iter().take(most).enumerate() {
        let findings = by_cause.remove(cause.id.as_str()).unwrap_or_default();
        let mut groups = make.cards.groups(findings.iter().copied(), &mut anchors);
        // Why a rule is there and what it rests on is said where it is first broken.
        groups.iter_mut().for_each(|group| group.explains = explained.insert(group.rule.clone()));
        let card = make.cause(at + 1, cause, &findings, groups);
        if at < failing { made.failing.push(card) } else { made.others.push(card) }
    }
    // What is left is of causes that are not told, and of results that name none.
    let left = audit.findings.iter().filter(|finding| by_cause.contains_key(finding.cause.as_str()));
    made.rest = make
        .cards
        .groups(left.filter(|f| most < usize::MAX || !known.contains(f.cause.as_str())), &mut anchors);
    made.rest.iter_mut().for_each(|group| group.explains = explained.insert(group.rule.clone()));
    made
}

/// For each flow how many new findings go if it is cut: those whose every chain that is shown crosses it.
fn ends<'f>(findings: impl Iterator<Item = &'f Finding>) -> FxHashMap<&'f str, usize> {
    let mut ends: FxHashMap<&str, usize> = FxHashMap::default();
    for finding in findings.filter(|finding| finding.status == FindingStatus::New) {
        for flow in crossed(finding) {
            *ends.entry(flow).or_default() += 1;
        }
    }
    ends
}

/// The flows that every chain shown of a finding crosses, each once.
fn crossed(finding: &Finding) -> Vec<&str> {
    // A chain that is listed by its flows alone is a chain, too.
    let first: FxHashSet<&str> = finding.path.iter().map(|hop| hop.flow.as_str()).collect();
    let mut flows: Vec<&str> = first.into_iter().collect();
    flows.sort_unstable();
    for walk in &finding.witnesses {
        let crossed: FxHashSet<&str> = walk.flows().collect();
        flows.retain(|flow| crossed.contains(flow));
    }
    flows
}

struct Make<'r> {
    report: &'r Report<'r>,
    names: &'r Names<'r>,
    cards: Cards<'r>,
    ends: FxHashMap<&'r str, usize>,
}

impl Make<'_> {
    fn cause(&self, number: usize, cause: &Cause, findings: &[&Finding], groups: Vec<Group>) -> CauseCard {
        let audit = self.report.audit;
        let failing = findings.iter().filter(|finding| self.report.gate.stops(finding)).count();
        let broken = broken(audit, self.names, findings);
        let retained = !findings.is_empty() && findings.iter().all(|finding| finding.retained);
        CauseCard {
            id: cause.id.clone(),
            number,
            anchor: format!("c{number}"),
            severity: cause.severity,
            sentence: sentence::sentence(self.names, cause, findings),
            breaks: together(&broken),
            kinds: kinds(&broken),
            fails: failing > 0,
            declared: cause.declarations.iter().take(NAMED).map(|declared| self.declared(declared)).collect(),
            more_declared: cause.declarations.len().saturating_sub(NAMED),
            owner: (!cause.owners.is_empty()).then(|| some(&cause.owners, NAMED)),
            people: self.names.people(cause.sources.iter().map(String::as_str)),
            standing: standing(cause, findings),
            decision: Some(remedy(cause, findings)),
            size: size(findings.len(), failing),
            // Of an agreement that ended, cutting a flow takes nothing back.
            ends: self.ends(cause).filter(|_| !retained),
            broken,
            picture: self.picture(findings),
            groups,
        }
    }

    fn declared(&self, declared: &crate::base::cause::CauseDeclaration) -> Declared {
        Declared {
            id: declared.id.split_once(':').map_or(declared.id.as_str(), |(_, id)| id).to_owned(),
            title: declared.title.clone(),
            under: declared.agreement.clone(),
            status: match declared.agreement_status {
                _ if declared.ended => Some("ended".to_owned()),
                Some(status) if status != Status::Active => Some(status.to_string()),
                _ => None,
            },
            place: at(&declared.location),
        }
    }

    /// A shortest chain of the first finding that has one.
    fn picture(&self, findings: &[&Finding]) -> Option<Walk> {
        let mut chains = findings.iter().filter(|finding| !finding.consequent).flat_map(|f| walks(f));
        let (walk, _) = chains.find(|(walk, _)| !walk.is_empty() && walk.len() <= DRAWN)?;
        Some(self.cards.walk(walk, &[], None))
    }

    /// How many findings go with the flow that the cause is, where more go than hang on it.
    fn ends(&self, cause: &Cause) -> Option<String> {
        let [only] = cause.declarations.as_slice() else { return None };
        let ends = *self.ends.get(only.id.strip_prefix("flow:")?)?;
        let new = self.report.audit.findings.iter().filter(|f| f.status == FindingStatus::New).count();
        (ends > cause.new)
            .then(|| format!("Cutting this flow ends {ends} of the {}.", count(new, "new finding")))
    }
}

fn size(all: usize, failing: usize) -> String {
    match failing {
        0 => format!("{}, for information", count(all, "finding")),
        n if n == all => format!(
            "{}, {}",
            count(all, "finding"),
            if all == 1 { "which fails" } else { "all of which fail" }
        ),
        n => format!("{}, {n} of which fail", count(all, "finding")),
    }
}

/// Whether it is there today, and how well founded that is.
fn standing(cause: &Cause, findings: &[&Finding]) -> Vec<&'static str> {
    let accepted = findings.iter().all(|finding| finding.status != FindingStatus::New);
    let retained = !findings.is_empty() && findings.iter().all(|finding| finding.retained);
    let firm = if cause.prospective { "proposed: not in force" } else { "in force" };
    let marks = [
        (retained, "only from ended agreements"),
        (cause.assumed, "assumed"),
        (cause.binding == 0, "not binding"),
        (accepted, "accepted before"),
    ];
    let marks = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark);
    std::iter::once(firm).chain(marks).collect()
}
