//! What services run: the action's scripts, the installer, the job for GitLab. Run here with
//! what the service would give them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::pipeline::{BINARY, LEAK, ROOT, Said, Shell, program, repository};
use serde_yaml::Value;
use tempfile::TempDir;

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

fn yaml(file: &str) -> Value {
    serde_yaml::from_str(&text(file)).unwrap()
}

/// Every `NAME` in a text's `PREFIX.NAME`.
fn named(text: &str, prefix: &str) -> BTreeSet<String> {
    let name =
        |rest: &str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap().to_owned();
    text.split(prefix).skip(1).map(name).collect()
}

#[test]
fn what_the_action_declares_is_what_it_uses() {
    let action = yaml("action.yml");
    let declared: BTreeSet<String> =
        action["inputs"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect();
    assert_eq!(named(&text("action.yml"), "inputs."), declared);
    // What a step is given is what its script reads, and the other way round.
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        let Some(script) = step["run"].as_str().and_then(|run| run.split("$GITHUB_ACTION_PATH/").nth(1))
        else {
            continue;
        };
        let script = text(script.trim_end_matches('"'));
        let given: BTreeSet<String> =
            step["env"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect();
        for name in &given {
            assert!(
                name == "GH_TOKEN"
                    || script.contains(&format!("${name}"))
                    || script.contains(&format!("${{{name}")),
                "{name}"
            );
        }
        for word in script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            assert!(!word.starts_with("INPUT_") || given.contains(word), "{word}");
        }
    }
    let run = text("ci/github/run.sh");
    for output in named(&text("action.yml"), "steps.run.outputs.") {
        assert!(run.contains(&format!("output {output} ")), "{output}");
    }
}

#[test]
fn no_foreign_text_gets_into_a_script_and_every_action_is_pinned() {
    let mut pinned = 0;
    for file in ["action.yml", ".github/workflows/ci.yml", ".github/workflows/release.yml", "docs/use/ci.md"]
    {
        for line in text(file).lines() {
            let Some((_, action)) = line.split_once("uses: ") else { continue };
            if action.starts_with("./") || action.starts_with("OWNER/") {
                continue;
            }
            let (_, pin) = action.split_once('@').unwrap();
            let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{file}: {line}"));
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{file}: {line}");
            assert!(version.split('.').count() == 3, "{file}: {line}");
            pinned += 1;
        }
    }
    assert!(pinned >= 7, "{pinned}");
    let mut scripts = Vec::new();
    for step in yaml("action.yml")["runs"]["steps"].as_sequence().unwrap() {
        scripts.extend(step["run"].as_str().map(str::to_owned));
    }
    for file in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        for (_, job) in yaml(file)["jobs"].as_mapping().unwrap() {
            for step in job["steps"].as_sequence().unwrap() {
                scripts.extend(step["run"].as_str().map(str::to_owned));
            }
        }
    }
    assert!(scripts.len() >= 12);
    assert!(scripts.iter().all(|script| !script.contains("${{")), "{scripts:#?}");
}

/// What the runner of a workflow gives, and takes.
struct Runner {
    folder: TempDir,
    env: BTreeMap<String, String>,
}

impl Runner {
    fn new() -> Self {
        let folder = repository();
        let runner = folder.path().join("runner");
        fs::create_dir(&runner).unwrap();
        let mut env = BTreeMap::new();
        let empty = [
            "PATHS",
            "POLICY",
            "BASE",
            "FAIL_ON",
            "FAIL_ON_WIDENING",
            "BASELINE",
            "ARGS",
            "VERSION",
            "SHA256",
        ];
        env.extend(empty.map(|name| (format!("INPUT_{name}"), String::new())));
        let file = |name: &str| runner.join(name).display().to_string();
        for (key, value) in [
            ("GITHUB_OUTPUT", file("output")),
            ("GITHUB_STEP_SUMMARY", file("summary")),
            ("RUNNER_TEMP", runner.display().to_string()),
            ("GITHUB_ACTION_PATH", ROOT.to_owned()),
            ("GITHUB_SERVER_URL", "https://example.org".to_owned()),
            ("GITHUB_REPOSITORY", "someone/inventory".to_owned()),
            ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
            ("GITHUB_SHA", String::new()),
            ("EVENT_BASE", String::new()),
            ("RINGFENCE", BINARY.to_owned()),
        ] {
            env.insert(key.to_owned(), value);
        }
        Runner { folder, env }
    }

    fn set(&mut self, key: &str, value: &str) {
        self.env.insert(key.to_owned(), value.to_owned());
    }

    fn shell(&self, folder: &str) -> Shell {
        self.env.iter().fold(Shell::new(&self.folder.path().join(folder)), |shell, (k, v)| shell.env(k, v))
    }

    /// Runs the step in a folder.
    fn run(&self, folder: &str) -> Said {
        fs::write(&self.env["GITHUB_OUTPUT"], "").unwrap();
        fs::write(&self.env["GITHUB_STEP_SUMMARY"], "").unwrap();
        let said = self.shell(folder).call("bash", &[&format!("{ROOT}/ci/github/run.sh")]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        said
    }

    fn output(&self, name: &str) -> String {
        let written = fs::read_to_string(&self.env["GITHUB_OUTPUT"]).unwrap();
        let prefix = format!("{name}=");
        written.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    }

    fn summary(&self) -> String {
        fs::read_to_string(&self.env["GITHUB_STEP_SUMMARY"]).unwrap()
    }

    /// The merge result of `change` and `main`, as the service makes it, in a clone of one
    /// commit; `main` has gone on meanwhile.
    fn merged(&mut self) {
        let made = self.shell("clone").run(
            "git checkout --quiet main
             echo >> promises.yaml
             git commit --quiet --all --message 'Go on'
             git push --quiet origin main
             git checkout --quiet -b merge main
             git merge --quiet --no-ff --no-edit change
             git push --quiet origin merge
             git clone --quiet --depth 1 --branch merge \"file://$PWD/../origin.git\" ../shallow
             git rev-parse HEAD",
        );
        assert_eq!(made.code, 0, "{}", made.err);
        self.set("GITHUB_SHA", made.out.trim());
    }
}

#[test]
fn a_pull_request_is_compared_with_what_it_is_merged_into() {
    let mut runner = Runner::new();
    runner.merged();
    let said = runner.run("shallow");
    assert_eq!(
        (runner.output("exit-code").as_str(), runner.output("findings").as_str()),
        ("1", "1"),
        "{}",
        said.out
    );
    assert!(said.out.contains("messenger-to-audiences") && said.out.contains("\n::error file=platform.yaml"));
    assert!(runner.summary().contains("terms/purpose"));
    assert_eq!(runner.output("nothing"), "");
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(runner.output("sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    // Still a clone of little: the base came alone.
    let depth =
        runner.shell("shallow").run("git rev-list --count --all; git rev-parse --is-shallow-repository");
    assert_eq!(depth.out, "1\ntrue\n");
}

#[test]
fn a_checked_out_branch_is_compared_with_where_it_left() {
    let mut runner = Runner::new();
    runner.merged();
    let shas = runner.shell("clone").run("git rev-parse origin/main; git checkout --quiet change");
    runner.set("EVENT_BASE", shas.out.trim());
    runner.run("clone");
    assert_eq!((runner.output("exit-code").as_str(), runner.output("findings").as_str()), ("1", "1"));
    // In a clone of one commit nobody can know where that was.
    let made = runner.shell("clone").run(
        "git push --quiet origin change
         git clone --quiet --depth 1 --branch change \"file://$PWD/../origin.git\" ../branch",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let said = runner.run("branch");
    assert_eq!(runner.output("exit-code"), "2");
    assert!(said.out.contains("fetch-depth: 0"), "{}", said.out);
}

#[test]
fn other_events_audit_and_some_stop() {
    let mut runner = Runner::new();
    runner.set("GITHUB_EVENT_NAME", "push");
    runner.run("clone");
    assert_eq!((runner.output("exit-code").as_str(), runner.output("findings").as_str()), ("1", "1"));
    runner.set("INPUT_FAIL_ON", "never");
    runner.set("INPUT_PATHS", "platform.yaml\n  partners  \n\nhost.yaml\nconcern.yaml\npromises.yaml\n");
    runner.set("INPUT_POLICY", "core");
    runner.set("INPUT_ARGS", "--day\n2026-11-23");
    let said = runner.run("clone");
    assert_eq!(runner.output("exit-code"), "0", "{}", said.out);
    assert!(said.out.contains("2026-11-23"));
    // Not judged is no pass.
    runner.set("INPUT_PATHS", "nowhere");
    runner.run("clone");
    assert_eq!((runner.output("exit-code").as_str(), runner.output("sarif").as_str()), ("2", ""));
    assert!(runner.summary().contains("judged nothing"));
    for event in ["pull_request_target", "workflow_run"] {
        runner.set("GITHUB_EVENT_NAME", event);
        runner.run("clone");
        assert_eq!(runner.output("exit-code"), "2", "{event}");
    }
}

#[test]
fn a_named_base_and_a_merge_queue_are_compared_with() {
    let mut runner = Runner::new();
    runner.set("INPUT_BASE", "main");
    runner.set("INPUT_PATHS", ".");
    runner.set("INPUT_FAIL_ON", "never");
    runner.run("clone");
    assert_eq!((runner.output("exit-code").as_str(), runner.output("findings").as_str()), ("0", "1"));
    runner.set("INPUT_FAIL_ON_WIDENING", "true");
    runner.run("clone/partners/..");
    assert_eq!(runner.output("exit-code"), "1");
    runner.set("INPUT_BASE", "HEAD");
    runner.run("clone");
    assert_eq!((runner.output("exit-code").as_str(), runner.output("nothing").as_str()), ("0", "true"));
    for wrong in ["--upload-pack=touch x", "nowhere", "0123456789012345678901234567890123456789"] {
        runner.set("INPUT_BASE", wrong);
        runner.run("clone");
        assert_eq!(runner.output("exit-code"), "2", "{wrong}");
    }
    runner.set("INPUT_BASE", "main");
    runner.set("INPUT_PATHS", "partners\nplatform.yaml");
    runner.run("clone");
    assert_eq!(runner.output("exit-code"), "2");
    runner.set("INPUT_BASE", "");
    runner.set("INPUT_PATHS", "");
    runner.set("GITHUB_EVENT_NAME", "merge_group");
    let base = runner.shell("clone").run("git rev-parse main").out;
    runner.set("EVENT_BASE", base.trim());
    runner.run("clone");
    assert_eq!(runner.output("exit-code"), "1");
}

#[test]
fn names_in_a_change_are_no_commands_to_the_runner() {
    let mut runner = Runner::new();
    runner.set("INPUT_BASE", "main");
    let file = runner.folder.path().join("clone/platform.yaml");
    let flow = LEAK.replace("messenger-to-audiences", "second").replace(
        "    retention",
        "    title: \"x\\n::add-mask::financial\\n::error::forged\"\n    retention",
    );
    fs::write(&file, fs::read_to_string(&file).unwrap() + &flow).unwrap();
    assert_eq!(runner.shell("clone").run("git commit --quiet --all --message 'Forge'").code, 0);
    let said = runner.run("clone");
    let mut token = None;
    for line in said.out.lines() {
        if let Some(new) = line.strip_prefix("::stop-commands::") {
            assert!(new.len() == 32 && token.is_none());
            token = Some(format!("::{new}::"));
        } else if token.as_deref() == Some(line) {
            token = None;
        } else if token.is_none() && line.starts_with("::") {
            assert!(!line.contains("forged") || line.contains("%0A"), "{line}");
            assert!(!line.starts_with("::add-mask") && !line.starts_with("::error::forged"), "{line}");
        }
    }
    assert!(token.is_none() && said.out.contains("::stop-commands::"));
}

/// Where comments go: a `gh` that notes what it is asked.
struct Comments {
    runner: Runner,
}

impl Comments {
    fn new(existing: &str, fails: bool) -> Self {
        let mut runner = Runner::new();
        let folder = runner.folder.path().to_owned();
        program(
            &folder.join("bin"),
            "gh",
            &format!(
                "echo \"$*\" >> \"$RUNNER_TEMP/calls\"
                 {}
                 for word; do case $word in body=@*) cp \"${{word#body=@}}\" \"$RUNNER_TEMP/body\" ;; esac; done
                 case $* in *--paginate*) printf '{existing}' ;; esac",
                if fails { "echo 'HTTP 403: not accessible' >&2; exit 1" } else { "" }
            ),
        );
        let report = folder.join("report.md");
        fs::write(&report, "<!-- ringfence -->\n## Ringfence\n").unwrap();
        runner.set("REPORT", &report.display().to_string());
        for (key, value) in [
            ("PULL_REQUEST", "7"),
            ("COMMENT_KEY", ". inventory"),
            ("EXIT_CODE", "1"),
            ("NOTHING", ""),
            ("GH_TOKEN", "none"),
        ] {
            runner.set(key, value);
        }
        Comments { runner }
    }

    /// What was asked of the service, what was written, and what the log says.
    fn write(&self) -> (String, String, String) {
        let temporary = Path::new(&self.runner.env["RUNNER_TEMP"]);
        let said = self
            .runner
            .shell("clone")
            .before(&self.runner.folder.path().join("bin"))
            .call("bash", &[&format!("{ROOT}/ci/github/comment.sh")]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let read = |name: &str| fs::read_to_string(temporary.join(name)).unwrap_or_default();
        (read("calls"), read("body"), said.out)
    }
}

#[test]
fn a_comment_is_written_once_and_then_over() {
    let (calls, body, _) = Comments::new("", false).write();
    assert!(calls.contains("--method POST repos/someone/inventory/issues/7/comments"), "{calls}");
    assert!(body.starts_with("<!-- ringfence-action ") && body.contains("## Ringfence"));
    let (calls, again, _) = Comments::new("41\\n42\\n", false).write();
    assert!(
        calls.contains("--method PATCH repos/someone/inventory/issues/comments/41")
            && !calls.contains("POST")
    );
    assert_eq!(body, again);
}

#[test]
fn a_change_of_nothing_is_not_commented_on() {
    let mut comments = Comments::new("", false);
    comments.runner.set("NOTHING", "true");
    assert!(!comments.write().0.contains("--method"));
    let mut comments = Comments::new("41\\n", false);
    comments.runner.set("NOTHING", "true");
    assert!(comments.write().0.contains("PATCH"), "what was said before holds no longer");
}

#[test]
fn a_token_that_may_not_write_fails_nothing() {
    let (_, _, log) = Comments::new("", true).write();
    assert!(log.contains("::warning") && log.contains("fork"), "{log}");
}

#[test]
fn a_comment_is_no_longer_than_the_service_allows() {
    let mut comments = Comments::new("", false);
    let report = comments.runner.env["REPORT"].clone();
    fs::write(&report, "Zürich → Genève\n".repeat(9_000)).unwrap();
    let (_, body, _) = comments.write();
    assert!(body.chars().count() < 65_536 && body.len() > 60_000 && body.contains("is cut here"));
    assert!(body.ends_with("Zürich → Genève\n"));
    comments.runner.set("REPORT", "");
    comments.runner.set("EXIT_CODE", "2");
    assert!(comments.write().1.contains("judged nothing"));
}

/// A folder of releases with this build in it, and a machine to install it on.
struct Release {
    folder: TempDir,
    archive: String,
}

impl Release {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new(folder.path()).env("ROOT", ROOT).env("PROGRAM", BINARY);
        let made = shell.run(
            "target=$(sh \"$ROOT/ci/install.sh\" --show-target)
             \"$ROOT/ci/package.sh\" v1.2.3 \"$target\" \"$PROGRAM\" releases/v1.2.3 >&2
             cd releases/v1.2.3
             if command -v sha256sum >/dev/null; then sha256sum ringfence-*; else shasum -a 256 ringfence-*; fi > SHA256SUMS
             echo ringfence-*",
        );
        assert_eq!(made.code, 0, "{}", made.err);
        // No cargo but this one, which builds nothing worth the name.
        program(
            &folder.path().join("bin"),
            "cargo",
            "echo \"$* in $PWD\" >> \"$HOME/cargo\"
             while [ \"$1\" != --root ]; do shift; done
             mkdir -p \"$2/bin\"
             printf '#!/bin/sh\\necho built\\n' > \"$2/bin/ringfence\"",
        );
        Release { folder, archive: made.out.trim().to_owned() }
    }

    fn install(&self, options: &str) -> Said {
        let shell = Shell::new(self.folder.path()).env("ROOT", ROOT).before(&self.folder.path().join("bin"));
        shell.run(&format!(
            "sh \"$ROOT/ci/install.sh\" --to \"$PWD/to\" --releases \"file://$PWD/releases\" {options}"
        ))
    }

    fn sums(&self) -> String {
        self.folder.path().join("releases/v1.2.3/SHA256SUMS").display().to_string()
    }

    /// Nothing lies where the program would.
    fn nothing(&self) -> bool {
        fs::read_dir(self.folder.path().join("to")).map_or(true, |entries| entries.count() == 0)
    }

    fn built(&self) -> String {
        fs::read_to_string(self.folder.path().join("cargo")).unwrap_or_default()
    }
}

#[test]
fn a_release_is_installed_if_its_checksum_is_right() {
    let release = Release::new();
    let said = release.install("--version v1.2.3");
    assert_eq!(said.code, 0, "{}", said.err);
    let installed = Shell::new(release.folder.path()).call(said.out.trim(), &["--version"]);
    assert!(installed.out.starts_with("ringfence "), "{installed:?}");
    assert_eq!(release.built(), "");
    let listed = Shell::new(release.folder.path()).run("tar -tzf releases/v1.2.3/*.tar.gz").out;
    for part in
        ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "man/ringfence-audit.1", "completions/ringfence.zsh"]
    {
        assert!(listed.contains(part), "{part}");
    }
}

#[test]
fn a_wrong_checksum_installs_nothing_and_builds_nothing() {
    let release = Release::new();
    fs::write(release.sums(), format!("{}  {}\n", "0".repeat(64), release.archive)).unwrap();
    for options in [
        "--version v1.2.3 --source \"$ROOT\"",
        &format!("--version v1.2.3 --git https://example.org --sha256 {}", "1".repeat(64)),
        // A checksum that is known holds even where there is no such release.
        &format!("--version v9.9.9 --source \"$ROOT\" --sha256 {}", "1".repeat(64)),
    ] {
        let said = release.install(options);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{options}");
        assert!(said.err.contains("nothing was installed"), "{}", said.err);
        assert!(release.nothing() && release.built().is_empty(), "{options}");
    }
}

#[test]
fn a_known_checksum_is_held_against_the_archive_alone() {
    let release = Release::new();
    let sum = fs::read_to_string(release.sums()).unwrap()[..64].to_uppercase();
    fs::remove_file(release.sums()).unwrap();
    let said = release.install(&format!("--version v1.2.3 --sha256 {sum}"));
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn without_a_release_the_source_is_built_away_from_the_working_folder() {
    let release = Release::new();
    for (options, wanted) in [
        ("--version v9.9.9 --source \"$ROOT\"", "--path ."),
        ("--version v9.9.9 --git https://example.org/r", "--git https://example.org/r --tag v9.9.9"),
        ("--source \"$ROOT\"", "--path ."),
    ] {
        fs::remove_file(release.folder.path().join("cargo")).ok();
        let said = release.install(options);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(Shell::new(release.folder.path()).call(said.out.trim(), &[]).out, "built\n");
        let built = release.built();
        assert!(built.starts_with("install --locked") && built.contains(wanted), "{built}");
        assert!(!built.trim().ends_with(&format!("in {}", release.folder.path().display())), "{built}");
    }
    // A release that has no build for this machine.
    fs::write(release.sums(), format!("{}  another.tar.gz\n", "0".repeat(64))).unwrap();
    assert_eq!(release.install("--version v1.2.3 --source \"$ROOT\"").code, 0);
}

#[test]
fn an_installer_without_a_way_says_so() {
    let release = Release::new();
    for options in [
        "--version v9.9.9",
        "--version ../v1.2.3",
        "--version v1.2.3 --releases http://example.org",
        "--frobnicate yes",
        "--version",
    ] {
        let said = release.install(options);
        assert_eq!((said.code, release.nothing()), (1, true), "{options}: {}", said.err);
    }
}

#[test]
fn the_action_takes_a_release_by_its_tag_and_a_commit_by_its_source() {
    let version = env!("CARGO_PKG_VERSION");
    for (reference, version_input, wanted) in [
        (format!("v{version}"), "", format!("--version v{version} --releases https://example.org/o/r/releases/download --source")),
        ("a".repeat(40), "", "--releases https://example.org/o/r/releases/download --source".to_owned()),
        ("main".to_owned(), "v3.2.1", "--version v3.2.1 --releases https://example.org/o/r/releases/download --git https://example.org/o/r".to_owned()),
    ] {
        let mut runner = Runner::new();
        // An action folder whose installer says what it was asked.
        let action = runner.folder.path().join("action");
        program(&action.join("ci"), "install.sh", "echo \"$*\"");
        fs::copy(Path::new(ROOT).join("Cargo.toml"), action.join("Cargo.toml")).unwrap();
        runner.set("GITHUB_ACTION_PATH", &action.display().to_string());
        runner.set("ACTION_REPOSITORY", "o/r");
        runner.set("ACTION_REF", &reference);
        runner.set("INPUT_VERSION", version_input);
        let said = runner.shell("clone").call("bash", &[&format!("{ROOT}/ci/github/install.sh")]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(runner.output("program").contains(&wanted), "{}", runner.output("program"));
    }
}

/// The job for GitLab, with what the service gives it.
struct Job {
    folder: TempDir,
    job: Value,
}

impl Job {
    fn new() -> Self {
        Job { folder: repository(), job: yaml("ci/gitlab.yml")["ringfence"].clone() }
    }

    fn lines(&self, key: &str) -> Vec<String> {
        self.job[key].as_sequence().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()).collect()
    }

    fn clone(&self) -> std::path::PathBuf {
        self.folder.path().join("clone")
    }

    /// Runs what needs no network, and gives the token if there is one.
    fn run(&self, token: &str) -> Said {
        let bin = self.folder.path().join("bin");
        program(
            &bin,
            "curl",
            "for word; do case $word in body@*) cp \"${word#body@}\" \"$BIN/note\" ;; esac; done
             echo \"$*\" > \"$BIN/called\"",
        );
        let shell = Shell::new(&self.clone());
        let base = shell.run("git rev-parse main").out;
        let mut lines = self.lines("before_script");
        lines.retain(|line| line.starts_with("rm "));
        assert_eq!(lines.len(), 1);
        lines.extend(self.lines("script"));
        shell
            .before(&bin)
            .env("BIN", &bin.display().to_string())
            .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.trim())
            .env("RINGFENCE_ARGS", "--day 2026-11-23")
            .env("RINGFENCE_TOKEN", token)
            .env("CI_API_V4_URL", "https://example.org/api")
            .env("CI_PROJECT_ID", "3")
            .env("CI_MERGE_REQUEST_IID", "4")
            .run(&lines.join("\n"))
    }

    fn artifacts(&self) -> Vec<std::path::PathBuf> {
        let artifacts = &self.job["artifacts"];
        let mut files: Vec<&str> =
            artifacts["paths"].as_sequence().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        files.extend(artifacts["reports"].as_mapping().unwrap().values().map(|f| f.as_str().unwrap()));
        assert_eq!(files.len(), 4);
        files.into_iter().map(|file| self.clone().join(file)).collect()
    }

    fn posted(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join("bin").join(file)).ok()
    }
}

#[test]
fn the_job_for_gitlab_writes_what_it_hands_on() {
    let job = Job::new();
    let said = job.run("");
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    for file in job.artifacts() {
        assert!(fs::metadata(&file).unwrap().len() > 0, "{file:?}");
    }
    // The note is text in a block, and without a token there is none.
    assert_eq!(job.posted("called"), None);
    assert_eq!(job.run("token").code, 1);
    let called = job.posted("called").unwrap();
    assert!(called.contains("https://example.org/api/projects/3/merge_requests/4/notes"), "{called}");
    let note = job.posted("note").unwrap();
    assert!(note.starts_with("```text\n") && note.contains("messenger-to-audiences"), "{note}");
}

/// What a change brings under the names of reports: files, folders and links.
const BROUGHT: [&str; 3] = [
    "for name in txt sarif gitlab.json junit.xml; do echo forged > ringfence.$name; done
     mkdir elsewhere; echo forged > elsewhere/ringfence.txt
     ln -s elsewhere ringfence-reports",
    "mkdir ringfence-reports
     for name in txt sarif gitlab.json junit.xml; do echo forged > ringfence-reports/ringfence.$name; done",
    // Nothing is judged where a link leads out.
    "for name in txt sarif gitlab.json junit.xml; do ln -s ../secret ringfence.$name; done
     ln -s .. ringfence-reports",
];

#[test]
fn the_job_for_gitlab_hands_on_nothing_that_a_change_brought() {
    for (brought, code) in BROUGHT.iter().zip([1, 1, 2]) {
        let job = Job::new();
        let secret = job.folder.path().join("secret");
        fs::write(&secret, "forged").unwrap();
        let shell = Shell::new(&job.clone());
        let made = shell.run(&format!("{brought}\ngit add --all\ngit commit --quiet --message 'Forge'"));
        assert_eq!(made.code, 0, "{}", made.err);
        let said = job.run("token");
        assert_eq!(said.code, code, "{}{}", said.out, said.err);
        assert_eq!(job.posted("note").is_some(), code == 1);
        assert!(!job.posted("note").unwrap_or_default().contains("forged"));
        for file in job.artifacts() {
            assert_eq!(file.exists(), code == 1, "{file:?}");
            assert!(!fs::read_to_string(file).unwrap_or_default().contains("forged"));
        }
        assert_eq!(fs::read_to_string(&secret).unwrap(), "forged");
        assert!(!job.folder.path().join("ringfence.txt").exists());
    }
}

#[test]
fn the_action_hands_on_nothing_that_a_change_brought() {
    for (brought, code) in BROUGHT.iter().zip(["1", "1", "2"]) {
        let mut runner = Runner::new();
        let clone = runner.folder.path().join("clone");
        fs::write(runner.folder.path().join("secret"), "forged").unwrap();
        let names = "for name in sarif json markdown github; do echo forged > report.$name; done";
        let script = format!("{brought}\n{names}\ngit add --all\ngit commit --quiet --message 'Forge'");
        assert_eq!(runner.shell("clone").run(&script).code, 0);
        runner.set("INPUT_BASE", "main");
        let said = runner.run("clone");
        assert_eq!(runner.output("exit-code"), code, "{}", said.out);
        assert_eq!(runner.output("sarif").is_empty(), code == "2");
        assert!(!Path::new(&runner.output("sarif")).starts_with(&clone));
        for text in [said.out, runner.summary()] {
            assert!(!text.contains("forged"), "{text}");
        }
    }
}
