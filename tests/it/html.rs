//! The report for people to hand over: what must hold of its text alone. What it does in
//! a browser is tested in `tests/browser`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::common::tags::tags;
use crate::common::{audit, finding, full, hop, place, strings};
use assert_cmd::Command;
use ringfence::finding::{Audit, Finding, FindingKind, FindingStatus, Hop, Walk};
use ringfence::testing::visible::is_hidden;
use ringfence::vocabulary::Severity;
use ringfence::{Format, Report};
use sha2::{Digest, Sha256};

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];
const AROUND: &str = include_str!("../../src/report/html/templates/around.js");

/// As it stands on the page.
fn packed(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/html/templates")
}

fn html(audit: &Audit) -> String {
    Report::new(audit).render(Format::Html).unwrap()
}

fn sample(name: &str, format: &str) -> String {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
    command.args(["audit", name, "--day", "2026-11-23", "--format", format]);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, at| word << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let filled = digit <= chunk.len();
            let value = DIGITS[(word >> (18 - 6 * digit) & 63) as usize] as char;
            out.push(if filled { value } else { '=' });
        }
    }
    out
}

/// The scripts of a page, the last of them its own.
fn scripts(page: &str) -> Vec<&str> {
    page.split("<script>").skip(1).map(|rest| rest.split("</script>").next().unwrap()).collect()
}

/// The page without what the program itself brings.
fn values(page: &str) -> String {
    let own = scripts(page).into_iter().chain([between(page, "<style>", "</style>")]);
    own.fold(page.to_owned(), |page, own| page.replace(own, ""))
}

/// What has to hold of every page.
fn is_sound(page: &str) {
    const EMPTY: [&str; 5] = ["meta", "input", "br", "hr", "wbr"];
    let mut open: Vec<String> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut level = 0;
    for (name, attributes, closes) in tags(page) {
        if closes {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "tags nest");
            continue;
        }
        if !EMPTY.contains(&name.as_str()) && !attributes.iter().any(|(key, _)| key == "/") {
            open.push(name.clone());
        }
        for (key, value) in &attributes {
            assert!(!key.starts_with("on") && key != "style", "{name} has {key}");
            assert!(!["src", "action"].contains(&key.as_str()), "{name} has {key}");
            if key == "href" {
                assert!(value.starts_with('#'), "a link leads out: {value}");
            }
            if key == "id" {
                assert!(ids.insert(value.clone()), "twice: {value}");
            }
        }
        if let Some(new) = name.strip_prefix('h').and_then(|n| n.parse::<usize>().ok()) {
            assert!(new <= level + 1, "h{level} is followed by h{new}");
            level = new;
        }
        if name == "th" {
            assert!(attributes.iter().any(|(key, _)| key == "scope"), "a head without scope");
        }
    }
    assert_eq!(open, Vec::<String>::new());
    let hidden = values(page);
    assert!(!hidden.contains(|c| c != '\n' && is_hidden(c)), "a hidden character");
    let hash = |text: &str| format!(" &#39;sha256-{}&#39;", base64(&Sha256::digest(text)));
    let mut scripts: Vec<String> = scripts(page).into_iter().map(hash).collect();
    scripts.rotate_right(1);
    let policy = format!(
        "default-src &#39;none&#39;; style-src{}; script-src{}; base-uri &#39;none&#39;; form-action &#39;none&#39;",
        hash(between(page, "<style>", "</style>")),
        scripts.concat(),
    );
    assert!(page.contains(&policy), "the policy admits what is there: {policy}");
}

fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let rest = &page[page.find(start).unwrap() + start.len()..];
    &rest[..rest.find(end).unwrap()]
}

/// `UPDATE_HASHES=1 cargo test --test it html` writes the files.
#[test]
fn the_hashes_are_those_of_style_and_script() {
    let page = html(&full());
    let style = between(&page, "<style>", "</style>").to_owned();
    let script = scripts(&page)[0].to_owned();
    for (file, text) in
        [("style.sha256", style), ("script.sha256", script), ("around.sha256", packed(AROUND))]
    {
        let hash = base64(&Sha256::digest(text)) + "\n";
        let path = templates().join(file);
        if std::env::var_os("UPDATE_HASHES").is_some() {
            std::fs::write(&path, &hash).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            hash,
            "run UPDATE_HASHES=1 cargo test --test it html"
        );
    }
}

#[test]
fn every_sample_shows_all_that_the_json_says() {
    for name in SAMPLES {
        let page = sample(name, "html");
        is_sound(&page);
        assert_eq!(page, sample(name, "html"), "the same bytes");
        let json: serde_json::Value = serde_json::from_str(&sample(name, "json")).unwrap();
        let findings = json["findings"].as_array().unwrap();
        assert_eq!(page.matches("<article class=\"card\"").count(), findings.len());
        for finding in findings {
            let fingerprint = finding["fingerprint"].as_str().unwrap();
            assert!(page.contains(&format!("<code>{fingerprint}</code>")), "{name}: {fingerprint}");
        }
        for severity in ["critical", "high", "medium", "low", "info"] {
            let number = json["summary"][severity].as_u64().unwrap();
            assert!(page.contains(&format!("<b>{number}</b> {severity}</li>")), "{name}: {severity}");
        }
        let promises = json["promises"].as_array().unwrap();
        let kept = promises.iter().filter(|p| p["kept"] == true).count();
        let heading = format!("Public promises: {kept} of {} kept", promises.len());
        assert!(promises.is_empty() || page.contains(&heading), "{name}: {heading}");
        for policy in json["policies"].as_array().unwrap() {
            assert!(page.contains(&format!("<code>{}</code>", policy["id"].as_str().unwrap())));
        }
        assert!(page.contains(json["inventory"]["digest"].as_str().unwrap()));
        assert!(page.len() < 360_000, "{name} has {} bytes", page.len());
    }
}

/// Of how many findings every chain that is shown crosses a flow.
fn hanging(findings: &[serde_json::Value], flow: &str) -> usize {
    let crosses = |chain: &serde_json::Value| {
        chain.as_array().unwrap().iter().any(|hop| hop["flow"] == flow || *hop == flow)
    };
    let all = |f: &&serde_json::Value| {
        let chains = f["witnesses"].as_array().unwrap();
        !chains.is_empty() && chains.iter().all(crosses) || chains.is_empty() && crosses(&f["path"])
    };
    findings.iter().filter(all).count()
}

#[test]
fn the_first_screen_says_which_data_which_clause_and_which_flow_to_cut() {
    let page = sample("messenger-banking", "html");
    let json: serde_json::Value = serde_json::from_str(&sample("messenger-banking", "json")).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let cuts = between(&page, "class=\"stack cuts\"", "</table>");
    for flow in ["messenger-export", "chase-messenger/card-transactions"] {
        let row = &cuts[cuts.find(&flow.replace('/', "/<wbr>")).unwrap()..];
        let number = hanging(findings, flow);
        assert!(number > 10);
        assert!(
            between(row, "<td", "</td>").contains(&format!("<b>{number}</b> of 84 findings")),
            "{flow}: {row}"
        );
    }
    let promises = between(&page, "<table class=\"stack promises\"", "</table>");
    for words in [
        "4 findings</a>: all 4 stand on proposed agreements alone; 3 stand on an assumed flow",
        "leaving by: Card transactions, as reportedly asked for (disputed)",
        "Merchant or counterparty of a transaction",
    ] {
        assert!(promises.contains(words), "{words}");
    }
    let terms = between(&page, "Contract terms that are broken", "</table>");
    let clause = between(terms, "American Express account linking in Messenger</a> <code>", "</code>");
    let (file, line) = clause.split_once(':').unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/messenger-banking");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(line.trim_start().starts_with("purposes:"), "{line}");
    let menu = between(&page, "<nav", "</nav>");
    for entry in ["#promises", "#terms", "#changes", "#scope"] {
        assert!(menu.contains(entry), "{entry}");
        assert!(page.contains(&format!("id=\"{}\"", &entry[1..])), "{entry}");
    }
    let clean = sample("messenger-banking-fenced", "html");
    assert!(!clean.contains("<th scope=\"col\">Reaches</th>") && !clean.contains("href=\"#changes\""));
}

#[test]
fn a_comparison_says_that_it_is_one_and_of_what() {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
    command.args(["diff", "messenger-banking-fenced", "messenger-banking", "--day", "2026-11-23"]);
    command.args(["--format", "html"]);
    let page = String::from_utf8(command.output().unwrap().stdout).unwrap();
    is_sound(&page);
    assert!(page.contains("<title>Comparison of two states, 2026-11-23</title>"));
    let said = between(&page, "<main", "<h1");
    assert!(
        said.contains("from <bdi>messenger-banking-fenced</bdi> to <bdi>messenger-banking</bdi>"),
        "{said}"
    );
    assert!(said.contains("84 findings added, 0 grown, 0 gone"), "{said}");
    assert!(!sample("open-banking", "html").contains("Comparison of two states"));
}

#[test]
fn everything_of_a_result_made_by_hand() {
    for audit in [full(), audit(Vec::new())] {
        let page = html(&audit);
        is_sound(&page);
        for finding in &audit.findings {
            assert!(page.contains(&finding.fingerprint));
        }
        for notice in &audit.notices {
            assert!(page.contains(&notice.code));
        }
    }
}

const HOSTILE: &str =
    "</script></style></textarea>'\"><img src=x onerror=alert(1)><!--\u{202e}\u{0}\u{2028}{{ 1 }}`";

fn hostile() -> Audit {
    let mut audit = full();
    let long = "W".repeat(10_000);
    for finding in &mut audit.findings {
        for text in [&mut finding.title, &mut finding.message, &mut finding.broken.text, &mut finding.rule] {
            text.push_str(HOSTILE);
            text.push_str(&long);
        }
        finding.why = Some(HOSTILE.to_owned());
        finding.remedy = Some(HOSTILE.to_owned());
        finding.cite = strings(&[HOSTILE]);
        finding.data = strings(&[HOSTILE]);
        finding.subject = Some(HOSTILE.to_owned());
        finding.agreements = strings(&[HOSTILE]);
        finding.source = place(HOSTILE);
        finding.location.iter_mut().for_each(|l| l.file.push_str(HOSTILE));
        finding.path = vec![hop(HOSTILE, HOSTILE, HOSTILE, &[HOSTILE], HOSTILE, 1)];
        Arc::make_mut(&mut finding.path[0]).title = Some(HOSTILE.to_owned());
        finding.witnesses = vec![Walk::Known(finding.path.clone())];
    }
    for promise in &mut audit.promises {
        promise.quote.push_str(HOSTILE);
        promise.who = Some(HOSTILE.to_owned());
    }
    for notice in &mut audit.notices {
        notice.code.push_str(HOSTILE);
        notice.message.push_str(HOSTILE);
    }
    for relied in &mut audit.relied_on {
        relied.flow.iter_mut().for_each(|flow| flow.push_str(HOSTILE));
        relied.claim.push_str(HOSTILE);
    }
    audit.policies[0].title = Some(HOSTILE.to_owned());
    audit.judged.day = HOSTILE.to_owned();
    audit
}

#[test]
fn hostile_values_are_text() {
    let page = html(&hostile());
    is_sound(&page);
    let values = values(&page);
    assert!(!values.contains("<img") && !values.contains("<!--"), "mark-up");
    assert!(values.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

/// A result with many findings, as a large organisation has them.
fn large() -> Audit {
    let findings = (0..10_000).map(|n| {
        let mut f = finding(&format!("core/rule-{}", n % 20), FindingKind::Forbid, Severity::High, n);
        let (from, to) = (format!("bank-{}/core", n % 500), format!("platform-{}/ads", n % 700));
        let between = format!("broker-{}/hub", n % 300);
        f.source = place(&from);
        f.sink = place(&to);
        f.data = strings(&["financial.account.balance", "financial.transaction.amount"]);
        f.path = vec![
            hop(&format!("a{}/in", n % 900), &from, &between, &["financial.account"], "service", 1),
            hop(&format!("b{}/out", n % 800), &between, &to, &["financial.account"], "advertising", 1),
        ];
        f.witnesses = vec![Walk::Known(f.path.clone())];
        f
    });
    audit(findings.collect())
}

#[test]
fn what_follows_from_a_finding_names_the_term_that_it_breaks_itself() {
    let inventory = "\
parties:
  - {id: bank, name: Bank, systems: [{id: core, originates: [contact]}]}
  - {id: app, name: App, systems: [{id: in}, {id: mid}, {id: out}]}
agreements:
  - id: deal
    parties: [bank, app]
    terms: {purposes: [service], prohibited_purposes: [advertising]}
    flows:
      - {id: f, from: bank/core, to: app/in, data: [contact], purposes: [service]}
flows:
  - {id: a, from: app/in, to: app/mid, data: [contact], purposes: [analytics]}
  - {id: b, from: app/mid, to: app/out, data: [contact], purposes: [advertising]}
";
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let run = command.args(["audit", "-", "--format", "html"]).write_stdin(inventory).output().unwrap();
    let page = String::from_utf8(run.stdout).unwrap();
    let group = between(&page, "<code>terms/purpose</code>", "</section>");
    let (first, follows) = group.split_once("<details class=\"folded\">").unwrap();
    assert!(first.contains("purposes: service") && !first.contains("purposes: advertising"), "{first}");
    assert!(follows.contains("prohibited purposes: advertising"), "{follows}");
}

#[test]
fn a_large_result_stays_small() {
    let audit = large();
    let page = html(&audit);
    is_sound(&page);
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    let data = between(&page, "id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let all = data["findings"]["all"].as_array().unwrap();
    assert_eq!(all.len(), audit.findings.len());
    let there: BTreeSet<String> = all.iter().map(|f| format!("rf1:{}", f["f"].as_str().unwrap())).collect();
    assert!(audit.findings.iter().all(|f| there.contains(&f.fingerprint)));
    assert!(page.matches("<article class=\"card\"").count() >= 20, "some are there without the script");
    assert!(page.contains("10000 findings"));
}

#[test]
fn the_record_as_csv_has_a_line_for_each_system() {
    let csv = sample("messenger-banking", "ropa-csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 24);
    assert!(lines[0].starts_with("\u{feff}\"party\",\"name\",\"jurisdiction\""));
    for line in &lines {
        assert_eq!(line.matches("\",\"").count(), 20, "{line}");
    }
}

#[test]
fn where_the_diagram_shows_parties_each_finding_has_its_neighbourhood() {
    let folder = tempfile::tempdir().unwrap();
    let systems: Vec<String> = (0..160).map(|n| format!("{{id: s{n}, purposes: [service]}}")).collect();
    let flows: Vec<String> = (1..160)
        .map(|n| format!("{{id: f{n}, from: app/s{}, to: app/s{n}, data: [financial]}}", n / 2))
        .collect();
    let text = format!(
        "parties:\n  - {{id: bank, name: Bank, role: bank, systems: [{{id: core, purposes: [service], originates: \
         [financial]}}]}}\n  - {{id: app, name: App, role: platform, systems: [{{id: ads, purposes: [advertising]}}, \
         {}]}}\nflows: [{{id: in, from: bank/core, to: app/s0, data: [financial]}}, {{id: out, from: app/s1, to: \
         app/ads, data: [financial]}}, {}]\n",
        systems.join(", "),
        flows.join(", "),
    );
    std::fs::write(folder.path().join("all.yaml"), text).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["audit", ".", "--format", "html", "--day", "2026-11-23"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    is_sound(&page);
    let first = between(&page, "core/no-financial-advertising", "</article>");
    let leak = &first[first.find("Neighbourhood of the chain").unwrap()..];
    for system in ["core", "s0", "s1", "ads"] {
        assert!(leak.contains(&format!(">{system}<")), "{system}: {leak}");
    }
    assert!(!leak.contains(">s150<"), "only what is near");
    // The script draws those that there is no room for from these.
    let data: serde_json::Value = serde_json::from_str(between(&page, "id=\"data\">", "</script>")).unwrap();
    assert_eq!(data["systems"].as_array().unwrap().len(), 162);
    let ends = data["ends"].as_array().unwrap();
    assert_eq!(ends.len(), data["flows"].as_array().unwrap().len());
    for (ends, flow) in ends.iter().zip(data["flows"].as_array().unwrap()) {
        for (end, party) in [(0, 1), (1, 2)] {
            assert_eq!(data["systems"][ends[end].as_u64().unwrap() as usize][0], flow[party]);
        }
    }
    assert!(!sample("messenger-banking", "html").contains("\"ends\""), "a small page needs none");
}

/// Two findings of one rule, the second of which follows from the first.
fn one_after_the_other(first: FindingStatus) -> Audit {
    let hops = [
        hop("in", "bank/core", "app/in", &["contact"], "service", 3),
        hop("a", "app/in", "app/mid", &["contact"], "analytics", 4),
        hop("b", "app/mid", "app/out", &["contact"], "advertising", 5),
    ];
    let at = |flow: &str, number, hops: &[Arc<Hop>]| Finding {
        flow: Some(flow.to_owned()),
        path: hops.to_vec(),
        ..finding("terms/purpose", FindingKind::Terms, Severity::High, number)
    };
    let head = Finding { status: first, ..at("a", 1, &hops[..2]) };
    let follows = Finding { consequent: true, ..at("b", 2, &hops) };
    audit(vec![head, follows])
}

#[test]
fn what_follows_from_something_accepted_must_change_itself() {
    for (first, named, other) in [(FindingStatus::New, "a", "b"), (FindingStatus::Waived, "b", "a")] {
        let page = html(&one_after_the_other(first));
        let changes = between(&page, "<table class=\"stack changes\">", "</table>");
        let names = |flow: &str| changes.contains(&format!("<bdi>{flow}</bdi>"));
        assert!(names(named) && !names(other), "{changes}");
    }
}

#[test]
fn of_flows_on_which_the_same_hangs_the_last_is_named_first() {
    let page = html(&one_after_the_other(FindingStatus::New));
    let cuts = between(&page, "that most findings hang on", "</table>");
    let names = |flow: &str| cuts.contains(&format!("<th scope=\"row\">{flow} "));
    assert!(names("a") && !names("in"), "{cuts}");
}
