//! Transfers: receivers outside the area in which the sender's law applies, and what each rests on.

use crate::base::lexicon::{Lexicon, Sort};
use crate::base::places::{Groups, and_above};
use crate::declare::{lexicon, places};
use crate::model::matching::Matching;
use crate::model::{FlowId, Model};

/// The areas within which moving data is no transfer, each with the group of places that its law takes to
/// protect data as well; every other country is an area of its own.
const AREAS: [(&str, &str); 3] = [("EEA", "EU-adequate"), ("GB", "UK-adequate"), ("CH", "CH-adequate")];

/// What decides whether something is a transfer.
pub struct Transfers<'w> {
    model: &'w Model,
    matching: Matching<'w>,
    groups: Groups,
    lexicon: Lexicon,
}

/// A transfer.
pub struct Transfer {
    /// Where the receiver is, as far as that is elsewhere; what is not declared in words.
    pub places: String,
    /// What it rests on; nothing where nothing is declared.
    pub safeguards: Vec<String>,
}

impl<'w> Transfers<'w> {
    /// For a world, with the assurances that hold on the matching's day.
    pub fn new(model: &'w Model, matching: Matching<'w>) -> Self {
        Transfers { model, matching, groups: places::groups(), lexicon: lexicon::lexicon() }
    }

    /// The transfer that a flow is, if it is one. A system in several regions is taken to be in each.
    pub fn of(&self, flow: FlowId) -> Option<Transfer> {
        let ends = &self.model.flows[flow];
        let (from, to) = (&self.model.systems[ends.from].regions, &self.model.systems[ends.to].regions);
        if to.is_empty() {
            let places = "region not declared".to_owned();
            return Some(Transfer { places, safeguards: self.attested(flow) });
        }
        let inside = |place: &str| !from.is_empty() && from.iter().all(|start| self.same_area(start, place));
        let elsewhere: Vec<&str> = to.iter().map(String::as_str).filter(|place| !inside(place)).collect();
        if elsewhere.is_empty() {
            return None;
        }
        let decided = elsewhere.iter().filter_map(|place| self.decided(from, place));
        let safeguards = decided.chain(self.attested(flow)).collect();
        Some(Transfer { places: elsewhere.join(", "), safeguards })
    }

    fn area(&self, place: &str) -> Option<&'static (&'static str, &'static str)> {
        AREAS.iter().find(|(area, _)| match self.groups.find(area) {
            Some(group) => and_above(place).any(|code| group.places.iter().any(|(known, _)| known == code)),
            None => and_above(place).any(|code| code == *area),
        })
    }

    fn same_area(&self, one: &str, other: &str) -> bool {
        let country = |place: &str| and_above(place).last().map(str::to_ascii_uppercase);
        match (self.area(one), self.area(other)) {
            (None, None) => country(one) == country(other),
            (one, other) => one.map(|(area, _)| area) == other.map(|(area, _)| area),
        }
    }

    /// The decision by which a place protects data as well as the area of all that is sent.
    fn decided(&self, from: &[String], place: &str) -> Option<String> {
        let mut texts = from.iter().map(|start| {
            let (_, adequate) = self.area(start)?;
            let mut places = self.groups.find(adequate)?.places.iter();
            let (_, rests_on) = places.find(|(code, _)| and_above(place).any(|known| known == code))?;
            let on = if rests_on.is_empty() { String::new() } else { format!(": {rests_on}") };
            Some(format!("{place} is adequate{on}"))
        });
        let first = texts.next()??;
        texts.all(|text| text.is_some()).then_some(first)
    }

    /// What its agreement and the flow itself attest for transfers.
    fn attested(&self, flow: FlowId) -> Vec<String> {
        let Some(agreement) = self.model.flows[flow].agreement else {
            return Vec::new();
        };
        let attested = self.matching.assurances(agreement, Some(flow));
        let for_transfers = attested.filter_map(|assurance| {
            let word = &assurance.id.value;
            let right = self.lexicon.for_older(Sort::Assurance, word);
            let term = self.lexicon.find(Sort::Assurance, right.first().unwrap_or(word))?;
            let evidence = assurance.evidence.as_ref().map(|at| format!("; evidence: {at}"));
            let text = format!("{word}, {}{}", term.meaning, evidence.unwrap_or_default());
            term.for_transfers.then_some(text)
        });
        for_transfers.collect()
    }
}
