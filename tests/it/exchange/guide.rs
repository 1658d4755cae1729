//! `docs/use/import.md` as somebody would follow it: from a register in Excel to the first audit.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

fn ringfence(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

fn registers() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registers")
}

#[test]
fn from_a_register_in_excel_to_the_first_audit() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::copy(registers().join("register.xlsx"), here.join("register.xlsx")).unwrap();

    // The first import: what is known is taken, what is not is listed.
    let first = [
        "import",
        "table",
        "register.xlsx",
        "--write-map",
        "ropa.import.yaml",
        "--output",
        "declared/ropa.yaml",
    ];
    let (code, text) = ringfence(here, &first);
    assert_eq!(code, 1, "{text}");
    for said in [
        "open extended",
        "Prize draws",
        "`Hashed email` is taken for contact.email",
        "who gets the data is not said",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let sketch = fs::read_to_string(here.join("ropa.import.yaml")).unwrap();
    assert!(
        sketch.contains("  # Hashed email: contact.email  # like `email`")
            && sketch.contains("\n  # Prize draws: ?"),
        "{sketch}"
    );
    // What is proposed is a comment, and the rest is a mapping as it stands: the same comes out.
    let before = fs::read_to_string(here.join("declared/ropa.yaml")).unwrap();
    let (code, text) = ringfence(here, &["import", "table", "--map", "ropa.import.yaml"]);
    assert_eq!(code, 1, "{text}");
    let body = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let after = fs::read_to_string(here.join("declared/ropa.yaml")).unwrap();
    assert_eq!(body(&before).replace("basis: assumed\n", ""), body(&after).replace("basis: assumed\n", ""));

    // The decisions, and the settings.
    fs::copy(registers().join("decided.yaml"), here.join("ropa.import.yaml")).unwrap();
    fs::write(here.join("ringfence.yaml"), "inventory: declared\nimports: [ropa.import.yaml]\n").unwrap();
    let (code, text) = ringfence(here, &["import"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Nothing that concerns a path is open."), "{text}");
    let (code, text) = ringfence(here, &["check"]);
    assert!(code == 0 && !text.contains("import-stale"), "{text}");
    // It finds what no register shows: what the broker's list and the shop's own data are used for.
    let (code, text) = ringfence(here, &["audit", "--fail-on", "high"]);
    assert!(code == 1 && text.contains("FAIL:"), "{text}");
    assert!(
        text.contains("vetting-bureau-plc") || text.contains("coachai") || text.contains("ad-partners"),
        "{text}"
    );

    // Nothing changes by itself, and a change of the register is seen.
    let (code, text) = ringfence(here, &["import", "--check"]);
    assert_eq!((code, text.as_str()), (0, "What is imported is what is written.\n"));
    fs::copy(registers().join("register.csv"), here.join("register.xlsx")).unwrap();
    let (code, text) = ringfence(here, &["check"]);
    assert!(
        code == 0 && text.contains("notice[import-stale]: its source `../register.xlsx` has changed"),
        "{text}"
    );
    let (code, text) = ringfence(here, &["import", "--check"]);
    assert!(code == 1 && text.contains("would change"), "{text}");
}

#[test]
fn a_file_that_was_not_imported_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("own.yaml"), "parties: []\n").unwrap();
    fs::write(folder.path().join("list.csv"), "to party,data,purpose\nA,name,Newsletter\n").unwrap();
    let (code, text) = ringfence(folder.path(), &["import", "table", "list.csv", "--output", "own.yaml"]);
    assert!(code == 2 && text.contains("was not made by an import"), "{text}");
    assert_eq!(fs::read_to_string(folder.path().join("own.yaml")).unwrap(), "parties: []\n");
    // `--once` lets go of the source for good.
    let (code, _) =
        ringfence(folder.path(), &["import", "table", "list.csv", "--once", "--output", "new.yaml"]);
    assert_eq!(code, 0);
    assert!(fs::read_to_string(folder.path().join("new.yaml")).unwrap().starts_with("parties:"));
}

#[test]
fn additions_go_into_the_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("list.csv"), "to party,data,purpose,agreement\nMailer,name,Newsletter,C-1\n")
        .unwrap();
    let set = |id: &str| {
        format!(
            "import: table\nsources: [list.csv]\noutput: made.yaml\nself: {{id: shop, name: Shop}}\nset:\n  {id}: {{terms: {{onward_transfer: permitted}}, labels: {{ticket: 7}}}}\n"
        )
    };
    fs::write(here.join("m.yaml"), set("agreements/c-1")).unwrap();
    let (code, text) = ringfence(here, &["import", "table", "--map", "m.yaml"]);
    assert_eq!(code, 0, "{text}");
    let made = fs::read_to_string(here.join("made.yaml")).unwrap();
    assert!(made.contains("onward_transfer: permitted") && made.contains("ticket: '7'"), "{made}");
    fs::write(here.join("m.yaml"), set("agreements/c-2")).unwrap();
    let (code, text) = ringfence(here, &["import", "table", "--map", "m.yaml"]);
    assert!(
        code == 2 && text.contains("did you mean `agreements/c-1`?") && text.contains("m.yaml:6:3"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(here.join("made.yaml")).unwrap(), made);
    // A mapping beside the inventory is no part of it.
    let (code, text) = ringfence(here, &["check", "."]);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("policy m.yaml"), "{text}");
    let (code, text) = ringfence(here, &["files", "."]);
    assert!(code == 0 && text.contains("a mapping: run by `ringfence import`"), "{text}");
}

#[test]
fn mistakes_of_a_mapping_are_told_together_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("list.csv"), "to party,data\nA,name\n").unwrap();
    let mapping = "import: tabel\ndata: {X: contact.emial}\npurposes: {Y: markting}\nparties: {A: {id: a, role: banc}, a: none}\nlayout: flow\ncolumns: {too: x}\naccept: [{entry: x}]\nvague: some\nfoo: 1\n";
    fs::write(here.join("m.yaml"), mapping).unwrap();
    let (code, text) = ringfence(here, &["import", "table", "list.csv", "--map", "m.yaml"]);
    assert_eq!(code, 2);
    for said in [
        "did you mean `table`?",
        "did you mean `contact.email`?",
        "did you mean `marketing`?",
        "did you mean `bank`?",
        "`a` is mapped twice",
        "did you mean `flows`?",
        "`too` is not what a column can hold",
        "needs the key `reason`",
        "expected `primary` or `widest`",
        "unknown key `foo` in a mapping",
        "nothing was written",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn the_loss_report_is_written_in_four_forms() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("list.csv"), "to party,data,purpose\nA,Frobnication index,Newsletter\nB,name,=1+1\n")
        .unwrap();
    let mut args = vec!["import", "table", "list.csv", "--output", "made.yaml"];
    for loss in ["json=l.json", "csv=l.csv", "markdown=l.md", "text=l.txt"] {
        args.extend(["--loss", loss]);
    }
    let (code, text) = ringfence(here, &args);
    assert_eq!(code, 1, "{text}");
    let json = fs::read_to_string(here.join("l.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let schema: serde_json::Value =
        serde_json::from_str(&ringfence::testing::exchange::schema().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mistakes: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
    let entry = &value["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["value"] == "Frobnication index")
        .unwrap();
    assert_eq!(
        (entry["code"].as_str(), entry["effect"].as_str(), entry["path_relevant"].as_bool()),
        (Some("extended"), Some("loses"), Some(true))
    );
    assert_eq!((&entry["at"]["cell"], &entry["at"]["file"]), (&"B2".into(), &"list.csv".into()));
    let sheet = fs::read_to_string(here.join("l.csv")).unwrap();
    let rows = csv::Reader::from_reader(sheet.as_bytes()).records().count();
    assert_eq!(rows, value["entries"].as_array().unwrap().len());
    // No cell is a formula.
    assert!(sheet.contains("\"'=1+1\""), "{sheet}");
    assert!(fs::read_to_string(here.join("l.md")).unwrap().contains("| yes | extended |"));
    assert!(fs::read_to_string(here.join("l.txt")).unwrap().contains("open extended"));
    // An accepted entry no longer fails.
    let ids: Vec<String> = value["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["path_relevant"] == true)
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect();
    let accept: String =
        ids.iter().map(|id| format!("  - {{entry: \"{id}\", reason: looked at, by: J. Doe}}\n")).collect();
    fs::write(here.join("m.yaml"), format!("import: table\naccept:\n{accept}")).unwrap();
    let (code, text) =
        ringfence(here, &["import", "table", "list.csv", "--map", "m.yaml", "--output", "made.yaml"]);
    assert_eq!(code, 0, "{text}");
}
