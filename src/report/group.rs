//! Findings of a rule put together, and those that follow from others below them.

use std::collections::BTreeMap;

use super::say::system;
use crate::base::finding::{Finding, FindingKind};
use crate::base::vocabulary::Severity;

/// Findings of one rule, in the same words.
pub struct Group<'a> {
    /// Those that stand for themselves, new ones first.
    pub heads: Vec<Head<'a>>,
    /// How many findings, the folded ones included.
    pub size: usize,
}

/// A finding and those that only follow from it.
pub struct Head<'a> {
    /// The first.
    pub finding: &'a Finding,
    /// Those that only follow from it.
    pub folded: Vec<&'a Finding>,
}

impl Group<'_> {
    /// Whether its rule can make an audit fail.
    pub fn binds(&self) -> bool {
        let all = self.heads.iter().flat_map(|head| head.folded.iter().chain([&head.finding]));
        all.into_iter().any(|finding| finding.binding)
    }
}

/// What all findings of a group say: severity, rule, title, why, remedy.
pub type Words<'a> = (Severity, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

/// Findings by their words, those that can make an audit fail first, then the most severe, and of what is as severe
/// those with new ones.
pub fn groups<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<(Words<'a>, Group<'a>)> {
    let mut order: Vec<Words> = Vec::new();
    let mut by_words: BTreeMap<Words, Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        let words: Words = (f.severity, &f.rule, &f.title, f.why.as_deref(), f.remedy.as_deref());
        by_words
            .entry(words)
            .or_insert_with(|| {
                order.push(words);
                Vec::new()
            })
            .push(f);
    }
    // What nobody has accepted comes before what is waived or known.
    let least = |words: &Words| by_words.get(words).and_then(|all| all.iter().map(|f| f.status).min());
    let loose = |words: &Words| by_words.get(words).is_some_and(|all| all.iter().all(|f| !f.binding));
    order.sort_by_key(|words| (loose(words), words.0, least(words)));
    order
        .into_iter()
        .filter_map(|words| {
            let findings = by_words.remove(&words)?;
            Some((words, Group { size: findings.len(), heads: fold(findings) }))
        })
        .collect()
}

/// How many findings of each group are written out: one of each as far as the limit
/// goes, then from the first group on.
pub fn shares(sizes: &[usize], limit: Option<usize>) -> Vec<usize> {
    let Some(limit) = limit else {
        return sizes.to_vec();
    };
    let mut left = limit;
    let mut shares: Vec<usize> = sizes
        .iter()
        .map(|&size| {
            let share = size.min(1).min(left);
            left -= share;
            share
        })
        .collect();
    for (share, size) in shares.iter_mut().zip(sizes) {
        let more = (size - *share).min(left);
        *share += more;
        left -= more;
    }
    shares
}

/// What a consequent finding can be folded under: the same source for data that
/// arrives, the same offending flow for terms.
fn folds_at(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match finding.kind {
        FindingKind::Terms | FindingKind::Flow => (None, finding.flow.as_deref()),
        _ => (system(&finding.source), system(&finding.sink)),
    }
}

/// Puts each consequent finding under one that its own walk passes; new findings
/// come before accepted ones.
fn fold(findings: Vec<&Finding>) -> Vec<Head<'_>> {
    let mut heads: Vec<Head> = Vec::new();
    let mut at: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    let (folded, standing): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.consequent);
    for finding in standing {
        at.entry(folds_at(finding)).or_insert(heads.len());
        heads.push(Head { finding, folded: Vec::new() });
    }
    for finding in folded {
        let (source, _) = folds_at(finding);
        let terms = finding.kind == FindingKind::Terms;
        let earlier = finding.path.iter().find_map(|hop| {
            let passed = if terms { &hop.flow } else { &hop.to };
            at.get(&(source, Some(passed.as_str()))).copied()
        });
        match earlier.and_then(|index| heads.get_mut(index)) {
            Some(head) => head.folded.push(finding),
            None => heads.push(Head { finding, folded: Vec::new() }),
        }
    }
    heads.sort_by_key(|head| head.finding.status);
    heads
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn every_rule_gets_its_share_of_the_limit() {
        assert_eq!(shares(&[9000, 3, 1], Some(10)), [8, 1, 1]);
        assert_eq!(shares(&[2, 3], Some(100)), [2, 3]);
        assert_eq!(shares(&[2, 3], Some(1)), [1, 0]);
        assert_eq!(shares(&[2, 3], None), [2, 3]);
    }
}
