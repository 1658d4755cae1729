//! What a claim that was relied on rests on: who makes it, what shows it, until when it holds.

use jiff::civil::Date;

use super::analysis::{Claimant, Relied, ReliedRule};
use crate::declare::inventory::{Assurance, Meta};
use crate::model::{FlowId, Model, PartyId, disposal, ends};

/// What a claim rests on.
pub struct Footing {
    /// Who makes it: of a flow who sends; of what is said of the data afterwards, or of the receiver, who receives.
    pub party: PartyId,
    /// The evidence of an assurance or a disposal, else the source of the declaration.
    pub evidence: Option<String>,
    /// The last day of an assurance, else of the agreement.
    pub until: Option<Date>,
}

/// What a claim rests on.
pub fn footing(model: &Model, relied: &Relied) -> Footing {
    let flow = match relied.by {
        Claimant::System(system) => {
            let system = &model.systems[system];
            let evidence = source(&system.declared.meta);
            return Footing { party: system.party, evidence, until: None };
        }
        Claimant::Flow(flow) => flow,
    };
    let afterwards = matches!(relied.rule, ReliedRule::BuiltIn("flow/disposed" | "flow/retention"));
    let of_receiver = afterwards || relied.claim.starts_with("affiliate_of:");
    let party = if of_receiver { model.receiver(flow) } else { model.sender(flow) };
    let attested: Vec<&Assurance> = assurances(model, flow)
        .filter(|one| {
            relied.claim.split("; ").any(|part| part.strip_prefix("assurance: ") == Some(&one.id.value))
        })
        .collect();
    let shown: Vec<&str> = attested.iter().filter_map(|one| one.evidence.as_deref()).collect();
    let gone = disposal(model, flow).filter(|_| afterwards).map(|gone| gone.evidence.clone());
    let agreement = model.flows[flow].agreement.map(|id| &model.agreements[id].declared.meta);
    let evidence = gone
        .or_else(|| (!shown.is_empty()).then(|| shown.join("; ")))
        .or_else(|| source(&model.flows[flow].declared.meta))
        .or_else(|| agreement.and_then(source));
    let until = attested.iter().filter_map(|one| one.valid_until).min();
    Footing { party, evidence, until: until.or_else(|| ends(model, flow)).filter(|_| !afterwards) }
}

/// What the parties of a flow attest.
fn assurances(model: &Model, flow: FlowId) -> impl Iterator<Item = &Assurance> {
    let agreement = model.flows[flow].agreement.map(|id| &model.agreements[id].declared.assurances);
    model.flows[flow].declared.assurances().iter().chain(agreement.into_iter().flatten())
}

/// The source that a declaration names, by its title or where it is.
fn source(meta: &Meta) -> Option<String> {
    let source = meta.source.as_ref()?;
    source.title.clone().or_else(|| source.url.clone())
}
