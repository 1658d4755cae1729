//! The report for people to hand over: what must hold of its text alone. What it does in
//! a browser is tested in `tests/browser`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::common::tags::tags;
use crate::common::{audit, finding, full, hop, place, strings};
use assert_cmd::Command;
use ringfence::finding::{Audit, FindingKind, Walk};
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
        // One set of numbers: the headline's are those of the JSON.
        let summary = &json["summary"];
        let failing = summary["failing"].as_u64().unwrap();
        assert!(
            failing == 0 || between(&page, "<h1", "</section>").contains(&format!("{failing} new finding"))
        );
        let causes = summary["failing_causes"].as_u64().unwrap();
        assert!(
            causes == 0 || page.contains(&format!("Causes: {causes} that make")),
            "{name}: {causes} causes"
        );
        let promises = json["promises"].as_array().unwrap();
        let kept = promises.iter().filter(|p| p["kept"] == true).count();
        let heading = format!("Promises: {kept} of {} kept", promises.len());
        assert!(promises.is_empty() || page.contains(&heading), "{name}: {heading}");
        let cards = page.matches("<section class=\"cause ").count();
        assert_eq!(cards, json["causes"].as_array().unwrap().len(), "{name}: a card for each cause");
        for policy in json["policies"].as_array().unwrap() {
            assert!(page.contains(&format!("<code>{}</code>", policy["id"].as_str().unwrap())));
        }
        assert!(page.contains(json["inventory"]["digest"].as_str().unwrap()));
        assert!(page.len() < 360_000, "{name} has {} bytes", page.len());
    }
}

/// The part of a page between an element with an id and the next section.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    between(page, &format!("id=\"{id}\""), "</section>")
}

#[test]
fn the_first_page_is_for_a_board() {
    let page = sample("messenger-banking", "html");
    let board = section(&page, "verdict");
    // Which promises are broken, by whose data, through which systems, and by which causes.
    assert!(board.contains("4 of 5 public promises are broken"));
    let promise = between(board, "We have not shared any customer information", "</li>");
    for words in [
        "Data of <bdi>U.S. Bancorp</bdi>",
        "<bdi>Facebook, Inc.</bdi>",
        "data-warehouse",
        "only by proposed agreements",
    ] {
        assert!(promise.contains(words), "{words}: {promise}");
    }
    // Three causes in plain words, with who decides, what is law, what to do.
    let causes: Vec<&str> = board.split("<article class=\"short ").skip(1).collect();
    assert_eq!(causes.len(), 3);
    for cause in &causes {
        for words in ["Owner: ", "<b>Decide:</b> ", "It breaks ", "people"] {
            assert!(cause.contains(words), "{words}: {cause}");
        }
    }
    assert!(
        causes[1].contains("Messenger sends") && causes[1].contains("to Data warehouse"),
        "{}",
        causes[1]
    );
    assert!(
        causes[1].contains("the terms of 6 agreements, 1 public promise of Facebook, Inc and 1 house rule")
            || causes[1]
                .contains("the terms of 6 agreements, 1 public promise of Facebook, Inc. and 1 house rule")
    );
    // Of equally severe causes what is in force comes before what is proposed, which is marked.
    assert!(causes.iter().take(3).all(|cause| !cause.contains("proposed: not in force")));
    assert!(page.contains("proposed: not in force"));
    // What moves is a profile, not what it was made of.
    assert!(
        causes[0].contains("data derived from") && causes[0].contains("spending profile"),
        "{}",
        causes[0]
    );
    for words in ["no law was applied", "<b>House rule</b>", "the terms of 7 agreements, and whether"] {
        assert!(board.contains(words), "{words}");
    }
    // Where it all comes from is for the method.
    let json: serde_json::Value = serde_json::from_str(&sample("messenger-banking", "json")).unwrap();
    let digest = json["inventory"]["digest"].as_str().unwrap();
    assert!(!board.contains(&digest[..16]) && section(&page, "method").contains(digest));
}

#[test]
fn the_menu_has_at_most_seven_entries_and_each_leads_somewhere() {
    for name in SAMPLES {
        let page = sample(name, "html");
        let menu: Vec<&str> = between(&page, "<nav", "</nav>").split("href=\"#").skip(1).collect();
        assert!(menu.len() <= 7, "{name}: {}", menu.len());
        for entry in menu {
            let id = entry.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{id}\"")), "{name}: {id}");
        }
    }
}

#[test]
fn a_contract_says_of_each_term_which_flows_keep_or_break_it() {
    let page = sample("messenger-banking", "html");
    let contract = between(&page, "id=\"a-amex-linking\"", "</table>");
    let row = |term: &str| between(contract, &format!("<b>{term}</b>"), "</tr>");
    assert!(
        row("Purposes").contains("messenger-export")
            && row("Purposes").contains("<a class=\"num\" href=\"#c2\">")
    );
    assert!(row("Consent").contains("kept by all its flows") && !row("Consent").contains("broken"));
    let place = between(row("Purposes"), "<code>", "</code>");
    let (file, line) = place.split_once(':').unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/messenger-banking");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(line.trim_start().starts_with("purposes:"), "{line}");
}

/// An inventory in a folder, and the page of its audit.
fn page_of(inventory: &str, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.args(["audit", "-", "--format", "html", "--day", "2026-11-23"]).args(arguments);
    String::from_utf8(command.write_stdin(inventory).output().unwrap().stdout).unwrap()
}

#[test]
fn the_parties_are_drawn_with_full_names_and_the_data_on_every_line() {
    let long = "The Very Long Name of a Savings Bank That Nobody Would Cut, Aktiengesellschaft & Co. KG";
    let page = page_of(
        &format!(
            "\
parties:
  - {{id: bank, name: '{long}', role: bank, systems: [{{id: core, purposes: [service], originates: [financial.transaction, contact]}}]}}
  - {{id: app, name: App, role: platform, systems: [{{id: in, purposes: [service]}}, {{id: ads, purposes: [advertising]}}]}}
  - {{id: alone, name: Alone, systems: [{{id: s, purposes: [service]}}]}}
agreements:
  - {{id: deal, parties: [bank, app], status: proposed, flows: [
      {{id: tx, from: bank/core, to: app/in, data: [financial.transaction]}},
      {{id: who, from: bank/core, to: app/in, data: [contact]}}]}}
flows: [{{id: leak, from: app/in, to: app/ads, data: [financial]}}]
"
        ),
        &[],
    );
    is_sound(&page);
    let lanes = between(&page, "<ul class=\"lanes", "</ul>");
    let escaped = long.replace('&', "&amp;");
    assert!(lanes.contains(&escaped), "{lanes}");
    let lines: Vec<&str> = lanes.split("<li class=\"line").skip(1).collect();
    let told =
        |words: &[&str]| lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count();
    assert_eq!(told(&["Transactions", "to <bdi>App</bdi>", "proposed"]), 1, "{lanes}");
    assert_eq!(told(&["Contact details"]), 1);
    // A cause within one party is a line of its own.
    assert_eq!(told(&["within", "in → ads", "cause </span>"]), 1, "{lanes}");
    assert!(!lanes.contains("Alone"), "who sends and receives nothing is in the register of parties");
    assert!(section(&page, "parties").contains("Alone"));
}

#[test]
fn an_audience_gets_the_parts_that_it_needs() {
    let page = |audience: &str| {
        let mut command = Command::cargo_bin("ringfence").unwrap();
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
        command.args(["audit", "messenger-banking", "--day", "2026-11-23", "--format", "html"]);
        let page =
            String::from_utf8(command.args(["--audience", audience]).output().unwrap().stdout).unwrap();
        is_sound(&page);
        page
    };
    let has = |page: &str, id: &str| page.contains(&format!("id=\"{id}\" aria-labelledby"));
    let (board, analyst, regulator) = (page("board"), page("analyst"), page("regulator"));
    for (page, ids) in [
        (&board, [true, false, false, false, false, true, false]),
        (&analyst, [true, true, true, true, false, true, true]),
        (&regulator, [true, true, true, false, true, true, true]),
    ] {
        let sections = ["causes", "agreements", "parties", "calendar", "record", "relied", "notices"];
        for (id, wanted) in sections.iter().zip(ids) {
            assert_eq!(has(page, id), wanted, "{id}");
        }
    }
    assert!(
        !board.contains("<article class=\"card\"") && board.matches("<section class=\"cause ").count() > 5
    );
    let mut wrong = Command::cargo_bin("ringfence").unwrap();
    let out = wrong.args(["audit", "x", "--audience", "bored"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8(out.stderr).unwrap().contains("board"));
}

#[test]
fn the_calendar_says_what_is_over_and_what_ends_soon() {
    let page = page_of(
        "\
parties:
  - {id: bank, name: Bank, systems: [{id: core, purposes: [service], originates: [contact]}]}
  - {id: app, name: App, systems: [{id: in, purposes: [service]}]}
agreements:
  - {id: old, title: Old deal, parties: [bank, app], effective: {until: 2026-11-20}, flows: [{id: f, from: bank/core, to: app/in, data: [contact]}]}
  - {id: new, title: New deal, parties: [bank, app], effective: {until: 2026-11-24}, assurances: [{id: dpia, valid_until: 2027-02-22}],
     flows: [{id: f, from: bank/core, to: app/in, data: [contact]}]}
",
        &[],
    );
    let calendar = section(&page, "calendar");
    let (over, soon) = calendar.split_once("In the next 90 days").unwrap();
    assert!(over.contains("Old deal") && over.contains("3 days ago") && !over.contains("New deal"), "{over}");
    // 90 days behind the day judged is 2027-02-21: what ends a day later is not soon.
    let (soon, windows) = soon.split_once("What these days do to the verdict").unwrap();
    assert!(soon.contains("New deal") && soon.contains("in 1 day") && !soon.contains("2027-02-22"), "{soon}");
    // On the day after its last one the agreement is over, and what it moved is not disposed.
    assert!(windows.contains("from 2026-11-25") && windows.contains("An agreement has ended"), "{windows}");
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
