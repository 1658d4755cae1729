//! What comparing two revisions costs, as a multiple of one audit:
//!
//!     cargo bench --bench diff            # 10,000 flows
//!     cargo bench --bench diff -- 2000    # fewer
//!
//! Writes an inventory into a temporary repository, commits it, adds one flow, commits
//! again, and runs `audit` and `diff git:HEAD~1 git:HEAD` in turn, seven times each.
//! Printed are the medians and their ratio, which is what counts: the times are the
//! machine's.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const RUNS: usize = 7;
const DATA: [&str; 10] = [
    "financial.account.balance",
    "financial.account.number",
    "financial.transaction",
    "identity.name",
    "contact.email",
    "device",
    "location.coarse",
    "behaviour.app_activity",
    "communications.message.metadata",
    "financial.card",
];
const PURPOSES: [&str; 5] =
    ["service.account.inquiry", "service.payment", "security.fraud", "analytics.usage", "service.support"];

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Half of the flows under agreements of banks with a platform, half within it.
fn inventory(flows: usize, to: &Path) {
    let mut n = Numbers(7);
    let banks = (flows / 20).max(1);
    let systems = (flows / 20).max(8);
    let mut parties =
        "parties:\n  - id: platform\n    name: Platform\n    role: platform\n    systems:\n".to_owned();
    for at in 0..systems {
        let purpose = n.one(&PURPOSES);
        writeln!(parties, "      - {{id: s{at}, purposes: [{purpose}], retention: 90d}}").unwrap();
    }
    parties += "      - {id: ads, purposes: [advertising.audiences], retention: 30d}\n";
    fs::create_dir_all(to.join("agreements")).unwrap();
    for bank in 0..banks {
        writeln!(
            parties,
            "  - id: bank-{bank}\n    name: Bank {bank}\n    role: bank\n    systems:\n      - {{id: core, purposes: \
             [service.account], retention: 90d, originates: [financial.account, identity.name, contact.email]}}"
        )
        .unwrap();
        let mut agreement = format!(
            "agreements:\n  - id: deal-{bank}\n    parties: [bank-{bank}, platform]\n    terms: {{purposes: [service, \
             security, analytics], retention: 90d, consent: opt_in}}\n    flow_defaults: {{from: bank-{bank}/core, \
             consent: opt_in}}\n    flows:\n"
        );
        for at in 0..10 {
            let (system, data, purpose) = (n.below(systems / 4), n.one(&DATA[..5]), n.one(&PURPOSES));
            writeln!(
                agreement,
                "      - id: f{at}\n        to: platform/s{system}\n        data: [{data}]\n        purposes: [{purpose}]"
            )
            .unwrap();
        }
        fs::write(to.join(format!("agreements/bank-{bank}.yaml")), agreement).unwrap();
    }
    let mut internal = "flows:\n".to_owned();
    for at in 0..flows.saturating_sub(10 * banks) {
        let from = n.below(systems).min(n.below(systems));
        let to = (from + 1 + n.below(systems - 1)) % systems;
        let (one, two, purpose) = (n.one(&DATA), n.one(&DATA), n.one(&PURPOSES));
        writeln!(
            internal,
            "  - {{id: i{at}, from: platform/s{from}, to: platform/s{to}, consent: opt_in, data: [{one}, {two}], \
             purposes: [{purpose}]}}"
        )
        .unwrap();
    }
    fs::write(to.join("parties.yaml"), parties).unwrap();
    fs::write(to.join("internal.yaml"), internal).unwrap();
}

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"];
    let status = Command::new("git").args(identity).args(args).current_dir(folder).status().unwrap();
    assert!(status.success(), "git {args:?}");
}

fn time(folder: &Path, args: &[&str]) -> Duration {
    let start = Instant::now();
    let output =
        Command::new(env!("CARGO_BIN_EXE_ringfence")).args(args).current_dir(folder).output().unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let flows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    inventory(flows, folder);
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "--quiet", "-m", "base"]);
    let file = folder.join("internal.yaml");
    let leak = "  - {id: leak, from: platform/s3, to: platform/ads, data: [financial.account], purposes: [advertising]}\n";
    fs::write(&file, fs::read_to_string(&file).unwrap() + leak).unwrap();
    git(folder, &["commit", "--quiet", "-am", "head"]);
    let (mut audits, mut diffs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        audits.push(time(folder, &["audit", ".", "--format", "json"]));
        diffs.push(time(folder, &["diff", "git:HEAD~1", "git:HEAD", "--format", "json"]));
    }
    let (audit, diff) = (median(audits), median(diffs));
    println!(
        "{flows} flows: audit {audit:.2?}, diff {diff:.2?}, ratio {:.2}",
        diff.as_secs_f64() / audit.as_secs_f64()
    );
}
