//! Results of audits, made by hand.

#![allow(dead_code)]

pub mod payloads;
pub mod read;
pub mod tags;

use std::collections::BTreeSet;
use std::sync::Arc;

use ringfence::cause::{Cause, CauseDeclaration};
use ringfence::finding::*;
use ringfence::source::Location;
use ringfence::vocabulary::{Basis, PolicyStatus, Severity, Status};

pub fn at(file: &str, line: u32) -> Location {
    Location { file: file.to_owned(), line, column: 9 }
}

pub fn place(system: &str) -> Option<Place> {
    let party = system.split('/').next().unwrap().to_owned();
    Some(Place { system: Some(system.to_owned()), party })
}

pub fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

pub fn hop(flow: &str, from: &str, to: &str, data: &[&str], purpose: &str, line: u32) -> Arc<Hop> {
    let agreement = flow.split_once('/').map(|(a, _)| a.to_owned());
    Arc::new(Hop {
        flow: flow.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        agreement_status: agreement.as_ref().map(|_| Status::Proposed),
        agreement,
        purposes: strings(&[purpose]),
        data: strings(data),
        transform: None,
        basis: None,
        ended: false,
        disposed: false,
        title: None,
        location: at("flows.yaml", line),
    })
}

pub fn finding(rule: &str, kind: FindingKind, severity: Severity, number: u64) -> Finding {
    Finding {
        fingerprint: format!("rf1:{number:016x}"),
        rule: rule.to_owned(),
        kind,
        severity,
        title: format!("What {rule} asks for"),
        message: String::new(),
        status: FindingStatus::New,
        grown: false,
        beyond: Vec::new(),
        consequent: false,
        prospective: false,
        retained: false,
        reidentified: Vec::new(),
        lapsed: Vec::new(),
        source: None,
        sink: None,
        agreements: Vec::new(),
        flow: None,
        subject: None,
        data: Vec::new(),
        arrives_as: Vec::new(),
        origins: None,
        followed_origins: None,
        becomes: Vec::new(),
        path: Vec::new(),
        witnesses: Vec::new(),
        cause: "flow:export".to_owned(),
        location: Some(at("flows.yaml", 7)),
        broken: Broken {
            what: BrokenWhat::Rule,
            text: format!("What {rule} asks for"),
            location: Some(at("policies/core/policy.yaml", 12)),
        },
        cite: Vec::new(),
        why: None,
        remedy: None,
        policy_status: None,
        waiver: None,
        binding: true,
    }
}

/// An audit with these findings and nothing else.
pub fn audit(findings: Vec<Finding>) -> Audit {
    let gravest = findings.iter().map(|finding| finding.severity).min();
    let cause = |severity| Cause {
        id: "flow:export".to_owned(),
        severity,
        findings: findings.len(),
        binding: findings.len(),
        new: findings.iter().filter(|f| f.status == FindingStatus::New).count(),
        rules: findings.iter().map(|f| f.rule.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        promises: Vec::new(),
        terms: Vec::new(),
        sources: strings(&["bank/accounts"]),
        prospective: false,
        assumed: true,
        owners: Vec::new(),
        declarations: vec![CauseDeclaration {
            id: "flow:export".to_owned(),
            title: None,
            from: Some("platform/messenger".to_owned()),
            to: Some("platform/warehouse".to_owned()),
            data: strings(&["financial"]),
            purposes: strings(&["analytics"]),
            transform: None,
            agreement: None,
            agreement_status: None,
            parties: strings(&["platform"]),
            ended: false,
            basis: None,
            location: at("flows.yaml", 40),
        }],
        location: at("flows.yaml", 40),
    };
    let causes = gravest.into_iter().map(cause).collect();
    Audit {
        ringfence: Program { version: "0.1.0".to_owned(), schema: SCHEMA },
        judged: Judged { day: "2026-11-23".to_owned(), ..Judged::default() },
        inventory: InventoryFacts {
            parties: 3,
            systems: 5,
            agreements: 2,
            flows: 9,
            counting_flows: 8,
            proposed_flows: 4,
            assumed_flows: 2,
            digest: "00".repeat(32),
        },
        rules: Vec::new(),
        policies: vec![PolicyFacts {
            following: 12,
            about: None,
            cannot_see: None,
            id: "core".to_owned(),
            title: Some("Ringfence core".to_owned()),
            version: Some("1.0.0".to_owned()),
            status: PolicyStatus::House,
            as_of: Some("2026-11-22".to_owned()),
            rules: 20,
        }],
        summary: Summary::of(&findings),
        findings,
        promises: Vec::new(),
        notices: Vec::new(),
        relied_on: Vec::new(),
        causes,
    }
}

/// One of everything.
pub fn full() -> Audit {
    let to_chat = || {
        hop(
            "bank-chat/transactions",
            "bank/accounts",
            "platform/chat",
            &["financial.transaction.amount", "financial.transaction.date"],
            "service.account.inquiry",
            25,
        )
    };
    let to_warehouse = || {
        let mut hop = hop(
            "export",
            "platform/chat",
            "platform/warehouse",
            &["financial.transaction"],
            "analytics.usage",
            40,
        );
        let export = Arc::make_mut(&mut hop);
        export.basis = Some(Basis::Assumed);
        export.title = Some("Nightly export".to_owned());
        hop
    };
    let to_ads = || {
        hop(
            "profiles",
            "platform/warehouse",
            "platform/ads",
            &["derived.spending_profile"],
            "advertising.ranking",
            48,
        )
    };

    let mut ads = finding("core/no-financial-advertising", FindingKind::Forbid, Severity::Critical, 1);
    ads.title = "Financial data does not reach advertising".to_owned();
    ads.broken.text.clone_from(&ads.title);
    ads.message = "Financial data from bank/accounts reaches platform/ads in three steps".to_owned();
    ads.prospective = true;
    ads.source = place("bank/accounts");
    ads.sink = place("platform/ads");
    ads.data = strings(&["financial.transaction"]);
    ads.arrives_as = strings(&["derived.spending_profile"]);
    ads.path = vec![to_chat(), to_warehouse(), to_ads()];
    ads.witnesses = vec![Walk::Known(ads.path.clone())];
    ads.why = Some(
        "What people earn, owe and buy was given for an account, not for advertisements. Once it is in an \
         advertising system it can hardly be called back."
            .to_owned(),
    );
    ads.remedy = Some("Cut the flow that leads on to advertising.".to_owned());
    ads.cite = strings(&["House rule; compare 12 CFR 1016.11(a)"]);
    ads.policy_status = Some(PolicyStatus::House);

    let mut behind = ads.clone();
    behind.fingerprint = "rf1:00000000000000a1".to_owned();
    behind.consequent = true;
    behind.sink = place("platform/measurement");
    behind.path.push(hop(
        "measured",
        "platform/ads",
        "platform/measurement",
        &["derived.spending_profile"],
        "advertising.measurement",
        55,
    ));

    let mut waived = ads.clone();
    waived.fingerprint = "rf1:00000000000000a2".to_owned();
    waived.status = FindingStatus::Waived;
    waived.source = place("other-bank/accounts");
    waived.path =
        vec![hop("share", "other-bank/accounts", "platform/ads", &["financial"], "advertising", 60)];
    waived.prospective = false;
    waived.waiver = Some(AppliedWaiver {
        reason: "Contract ends in March".to_owned(),
        approved_by: "J. Doe".to_owned(),
        expires: "2027-03-31".to_owned(),
        ticket: Some("DP-12".to_owned()),
        location: at("waivers.yaml", 3),
    });

    let mut term = finding("terms/purpose", FindingKind::Terms, Severity::High, 2);
    term.title = "Data is used for a purpose that its terms do not permit".to_owned();
    term.flow = Some("export".to_owned());
    term.source = place("platform/chat");
    term.sink = place("platform/warehouse");
    term.agreements = strings(&["bank-chat", "other-chat"]);
    term.data = strings(&["financial.transaction"]);
    term.path = vec![to_chat(), to_warehouse()];
    term.message = "export carries financial.transaction from platform/chat to platform/warehouse for \
                    analytics.usage, outside the terms of bank-chat, other-chat"
        .to_owned();
    let mut from_other = to_chat();
    let other = Arc::make_mut(&mut from_other);
    other.flow = "other-chat/feed".to_owned();
    other.agreement = Some("other-chat".to_owned());
    other.agreement_status = Some(Status::Terminated);
    other.from = "other-bank/accounts".to_owned();
    term.witnesses = vec![Walk::Known(term.path.clone()), Walk::Known(vec![from_other, to_warehouse()])];
    term.retained = true;
    term.broken = Broken {
        what: BrokenWhat::Term,
        text: "purposes of bank-chat, §4.2: “for the service only”".to_owned(),
        location: Some(at("agreements/bank-chat.yaml", 9)),
    };

    let mut promise = finding("statement/not-for-ads", FindingKind::Statement, Severity::High, 3);
    promise.title = "Bank data serves the chat and nothing else".to_owned();
    promise.source = place("bank/accounts");
    promise.sink = place("platform/ads");
    promise.data = strings(&["financial.transaction"]);
    promise.arrives_as = promise.data.clone();
    promise.path = vec![to_chat(), to_warehouse(), to_ads()];
    promise.grown = true;
    promise.broken = Broken {
        what: BrokenWhat::Promise,
        text: "not for advertising or anything else".to_owned(),
        location: Some(at("promises.yaml", 4)),
    };

    let mut unsourced = finding("flow/unsourced", FindingKind::Flow, Severity::Medium, 4);
    unsourced.title = "Nothing declared brings the data to where a flow takes it from".to_owned();
    unsourced.source = place("platform/chat");
    unsourced.subject = Some("location.precise".to_owned());
    unsourced.message =
        "no declared system originates location.precise for platform/chat; it is assumed to start there"
            .to_owned();
    unsourced.data = strings(&["location.precise"]);
    unsourced.broken.location = None;

    let mut limit = finding("core/no-collapse", FindingKind::Limit, Severity::High, 5);
    limit.sink = Some(Place { system: None, party: "platform".to_owned() });
    limit.subject = Some("platform".to_owned());
    limit.data = strings(&["financial.transaction", "social"]);
    limit.witnesses = vec![Walk::Known(vec![to_chat()]), Walk::Known(Vec::new())];
    limit.path = vec![to_chat()];
    limit.policy_status = Some(PolicyStatus::Proposed);
    limit.binding = false;

    let require = |number: u64, agreement: &str, line| {
        let mut f = finding("core/retention-stated", FindingKind::Require, Severity::Medium, number);
        f.title = "A sharing agreement states a retention".to_owned();
        f.subject = Some(agreement.to_owned());
        f.message = format!("{agreement}: `terms.retention` is not stated");
        f.location = Some(at("agreements.yaml", line));
        f.policy_status = Some(PolicyStatus::House);
        f
    };

    let findings = vec![
        ads,
        behind,
        waived,
        term,
        promise,
        limit,
        unsourced,
        require(6, "bank-chat", 3),
        require(7, "other-chat", 90),
    ];
    let mut audit = audit(findings);
    let said = |id: &str, quote: &str, kept: bool, broken_by: &[&str]| Promise {
        title: None,
        id: id.to_owned(),
        by: "platform".to_owned(),
        quote: quote.to_owned(),
        who: Some("A. Speaker".to_owned()),
        place: Some("statement to the press".to_owned()),
        date: Some("2018-08-06".to_owned()),
        kept,
        state: None,
        gaps: Vec::new(),
        further_gaps: 0,
        broken_by: strings(broken_by),
        location: at("promises.yaml", 4),
    };
    audit.promises = vec![
        said("not-for-ads", "not for advertising or anything else", false, &["rf1:0000000000000003"]),
        said("not-to-others", "We do not share\nbank data with third parties.", true, &[]),
    ];
    let notice = |code: &str, message: &str, subjects: &[&str], location| Notice {
        code: code.to_owned(),
        message: message.to_owned(),
        subjects: strings(subjects),
        location,
    };
    audit.notices = vec![
        notice("rule-matches-nothing", "nothing is a data broker", &[], Some(at("policy.yaml", 30))),
        notice("retention-assumed", "read as unlimited", &["platform/ads", "platform/warehouse"], None),
        notice("rule-matches-nothing", "nothing serves politics", &[], None),
    ];
    let relies = |rule: &str| Reliance {
        system: None,
        rule: rule.to_owned(),
        flow: Some("reports".to_owned()),
        claim: "transform: aggregated".to_owned(),
        party: Some("platform".to_owned()),
        evidence: None,
        until: None,
        location: at("flows.yaml", 70),
    };
    audit.relied_on = vec![relies("core/no-financial-advertising"), relies("core/no-financial-sale")];
    audit.rules = rules(&audit.findings);
    audit
}

/// The rules of some findings, and one that holds.
pub fn rules(findings: &[Finding]) -> Vec<RuleEntry> {
    let mut rules: Vec<RuleEntry> = Vec::new();
    for f in findings {
        if rules.iter().all(|rule| rule.id != f.rule) {
            rules.push(RuleEntry {
                id: f.rule.clone(),
                kind: f.kind,
                severity: f.severity,
                title: f.title.clone(),
                violated: format!("What {} asks for is not so; see `terms.purposes`.", f.rule),
                why: f.why.clone(),
                remedy: f.remedy.clone(),
                cite: f.cite.clone(),
                policy_status: f.policy_status,
                location: f.broken.location.clone(),
            });
        }
    }
    let mut holds = rules.first().unwrap().clone();
    holds.id = "core/no-financial-sale".to_owned();
    holds.title = "Financial data is not sold".to_owned();
    rules.push(holds);
    rules
}
