//! Which flows a rule exempts, and for what.

use crate::base::vocabulary::{Consent, Transform, Word};
use crate::declare::policy::{AnyOf, FlowKeys, Reading};
use crate::flow::graph::Facts;
use crate::model::FlowId;
use crate::model::matching::Matching;

/// How a list exempts what a flow carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// Not at all.
    None,
    /// For what the flow does to the data: until that is re-identified.
    Transformed,
    /// For good.
    Lasting,
}

/// Decides for flow after flow whether a list exempts it.
pub struct Exempt<'r> {
    matching: Matching<'r>,
    facts: &'r Facts,
    list: &'r AnyOf<FlowKeys>,
    /// By what is done to the data and the consent, if nothing else is asked: in their order.
    known: Option<Vec<Option<Exemption>>>,
}

impl<'r> Exempt<'r> {
    /// By a list; one that is empty exempts nothing.
    pub fn new(matching: Matching<'r>, facts: &'r Facts, list: &'r AnyOf<FlowKeys>) -> Self {
        let manners = Transform::ALL.len() * Consent::ALL.len();
        Exempt { matching, facts, list, known: Matching::asks_manner(list).then(|| vec![None; manners]) }
    }

    /// How it exempts a flow, counting or not.
    pub fn holds(&mut self, flow: FlowId) -> Exemption {
        if self.list.is_empty() {
            return Exemption::None;
        }
        let holds = || {
            let (matching, list) = (self.matching, self.list);
            if !matching.flow(list, flow, Reading::Unlikely) {
                Exemption::None
            } else if matching.untransformed(list, flow, Reading::Unlikely) {
                Exemption::Lasting
            } else {
                Exemption::Transformed
            }
        };
        let manner = || {
            let (transform, consent) = self.facts.manner(flow);
            transform as usize * Consent::ALL.len() + consent as usize
        };
        match self.known.as_mut().and_then(|known| known.get_mut(manner())) {
            Some(known) => *known.get_or_insert_with(holds),
            None => holds(),
        }
    }
}
