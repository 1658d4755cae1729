//! Assurances that an exception of a rule asks for, which were attested and hold no more.

use jiff::civil::Date;

use super::analysis::{On, Violation};
use crate::base::finding::Lapsed;
use crate::declare::inventory::Assurance;
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Attested, Body, FlowKeys, Matcher, Operator,
};
use crate::model::{AgreementId, FlowId, Model};

/// What had lapsed on a day of what would have excepted a violation: at the flows of its walks, or at the
/// agreement that it is about.
pub fn lapsed(model: &Model, day: Date, body: Option<&Body>, violation: &Violation) -> Vec<Lapsed> {
    let asked = body.map(asked).unwrap_or_default();
    if asked.is_empty() {
        return Vec::new();
    }
    let walked = violation.witnesses.iter().flat_map(|witness| witness.walk.iter().copied());
    let mut places: Vec<(AgreementId, Option<FlowId>)> =
        walked.filter_map(|flow| Some((model.flows[flow].agreement?, Some(flow)))).collect();
    if let On::Agreement(agreement) = violation.on {
        places.push((agreement, None));
    }
    let mut all: Vec<Lapsed> = places
        .into_iter()
        .flat_map(|place| asked.iter().filter_map(move |wanted| of(model, day, wanted, place)))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The assurances that exceptions of a rule, or what it requires, ask for.
fn asked(body: &Body) -> Vec<&Attested> {
    match body {
        Body::Forbid(forbid) => flows(&forbid.through).chain(flows(&forbid.arriving)).collect(),
        Body::Limit(limit) => flows(&limit.through).collect(),
        Body::Require(require) => {
            let operators = require.must.iter().flat_map(|must| &must.operators);
            let attested = operators.filter_map(|operator| match operator {
                Operator::Attests(wanted) => Some(wanted),
                _ => None,
            });
            attested.flatten().collect()
        }
    }
}

/// Those that a matcher of flows asks for; what stands in a `not` excepts nothing.
fn flows(list: &AnyOf<FlowKeys>) -> Box<dyn Iterator<Item = &Attested> + '_> {
    fn of(matcher: &Matcher<FlowKeys>) -> Box<dyn Iterator<Item = &Attested> + '_> {
        let agreements = matcher.keys.agreement.iter().filter_map(|agreement| match agreement {
            AgreementRef::Like(matcher) => Some(agreement_keys(matcher)),
            AgreementRef::None => None,
        });
        Box::new(agreements.flatten().chain(matcher.any.iter().flat_map(of)))
    }
    Box::new(list.0.iter().flat_map(of))
}

fn agreement_keys(matcher: &Matcher<AgreementKeys>) -> Box<dyn Iterator<Item = &Attested> + '_> {
    Box::new(matcher.keys.assurance.iter().chain(matcher.any.iter().flat_map(agreement_keys)))
}

/// The assurance asked for, if an agreement or its flow attested it and none that it attested holds.
fn of(
    model: &Model,
    day: Date,
    wanted: &Attested,
    (agreement, flow): (AgreementId, Option<FlowId>),
) -> Option<Lapsed> {
    let own = flow.map_or(&[][..], |flow| model.flows[flow].declared.assurances());
    let agreement = &model.agreements[agreement];
    let attested: Vec<&Assurance> =
        agreement.declared.assurances.iter().chain(own).filter(|one| wanted.is(&one.id.value)).collect();
    let ended = agreement.ended(day);
    let over = agreement.declared.effective.until.as_ref().map(|until| until.value);
    let over = over.filter(|_| ended);
    // The last day on which one of them held; none: it still does, or never did.
    let last = |one: &&Assurance| {
        let too_old = wanted.at_most.and_then(|most| most.after(one.date?));
        [one.valid_until, too_old, over].into_iter().flatten().min()
    };
    let days: Option<Vec<Date>> = attested.iter().map(last).collect();
    let expired = days?.into_iter().max()?;
    (expired < day).then(|| Lapsed {
        agreement: agreement.id().to_owned(),
        assurance: wanted.id.clone(),
        expired: expired.to_string(),
    })
}
