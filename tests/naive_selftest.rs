//! The naive evaluator itself, on small worlds reckoned by hand.

mod naive;

use naive::evaluate::evaluate;
use naive::{generate, harness};
use std::cell::RefCell;
use std::collections::BTreeMap;

#[test]
fn random_worlds_are_mixed() {
    let found: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let cases = harness::cases(200);
    harness::try_all(cases, generate::world(), harness::show, |world| {
        let verdict = evaluate(world);
        let count = |what: &str| {
            *found.borrow_mut().entry(what.to_owned()).or_default() += 1;
        };
        let mut kinds: Vec<String> = Vec::new();
        for f in &verdict.findings {
            kinds.push(match &*f.kind {
                "terms" | "flow" => f.rule.clone(),
                kind => kind.to_owned(),
            });
            for (flag, name) in [
                (f.consequent, "consequent"),
                (f.prospective, "prospective"),
                (f.retained, "retained"),
                (f.grown, "grown"),
                (f.status == "waived", "waived"),
                (f.witnesses.iter().any(|l| *l > 2), "a long way"),
                (
                    f.source.is_some() && f.source == f.sink,
                    "at the assumed origin",
                ),
            ] {
                if flag {
                    kinds.push(name.to_owned());
                }
            }
            if f.rule == "flow/unsourced" {
                kinds.push(format!("unsourced {}", f.severity));
            }
        }
        for r in &verdict.relied_on {
            let built_in = r.rule.starts_with("terms/") || r.rule.starts_with("flow/");
            let rule = if built_in { &r.rule } else { "a rule" };
            kinds.push(format!("relied on: {rule}"));
        }
        kinds.sort();
        kinds.dedup();
        kinds.iter().for_each(|kind| count(kind));
        count(if verdict.exit == 0 {
            "exit 0"
        } else {
            "exit 1"
        });
        Ok(())
    });
    let found = found.into_inner();
    println!("of {cases} worlds: {found:#?}");
}
