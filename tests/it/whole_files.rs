//! What is written is written whole or not at all: a full disk, a folder that is not to be
//! written to and a kill at any moment leave the file that was there.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/messenger-banking");
const OLD: &str = "what was there before\n";
const DAY: [&str; 2] = ["--day", "2026-11-23"];

/// A way to write a file: its name, and the call.
struct Way {
    file: &'static str,
    args: Vec<String>,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder with an inventory in `in`, the program, and everything open to all users.
fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(SAMPLE), &folder.path().join("in"));
    fs::create_dir(folder.path().join("out")).unwrap();
    // A copy that is still being written cannot run, and a process that another test starts
    // meanwhile holds it open.
    let (built, own) = (env!("CARGO_BIN_EXE_ringfence"), folder.path().join("ringfence"));
    if fs::hard_link(built, &own).is_err() {
        fs::copy(built, &own).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn ringfence(at: &Path, args: &[String]) -> Command {
    let mut command = Command::new(at.join("ringfence"));
    command.args(args).args(DAY).current_dir(at).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Every way in which the program writes a file.
fn ways(at: &Path) -> Vec<Way> {
    let strings = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let mut ways: Vec<Way> = ["html", "json", "csv", "sarif", "text"]
        .into_iter()
        .map(|format| Way {
            file: "out/report",
            args: strings(&["audit", "in", "--format", format, "--output", "out/report"]),
        })
        .collect();
    ways.push(Way {
        file: "out/report",
        args: strings(&["audit", "in", "--quiet", "--report", "html=out/report"]),
    });
    ways.push(Way { file: "out/report", args: strings(&["graph", "in", "--output", "out/report"]) });
    ways.push(Way { file: "out/report", args: strings(&["promises", "in", "--output", "out/report"]) });
    let certificate = ["audit", "in", "--quiet", "--certificate", "out/report"];
    ways.push(Way { file: "out/report", args: strings(&certificate) });
    ways.push(Way {
        file: "out/known.json",
        args: strings(&["baseline", "write", "in", "--output", "out/known.json"]),
    });
    let list = Command::new(at.join("ringfence"))
        .args(["audit", "in", "--format", "json"])
        .args(DAY)
        .current_dir(at)
        .output()
        .unwrap();
    let result: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let print = result["findings"][0]["fingerprint"].as_str().unwrap();
    let waive = ["waive", print, "in", "--reason", "r", "--approved-by", "a", "--expires", "2027-01-01"];
    let mut args = strings(&waive);
    args.extend(strings(&["--file", "in/waivers.yaml"]));
    ways.push(Way { file: "in/waivers.yaml", args });
    ways
}

impl Way {
    /// What is there before: a baseline replaces none but an older one, and a waiver is added
    /// to a file of the inventory.
    fn old(&self) -> &'static str {
        match self.file {
            "out/known.json" => "{\"baseline\": 1, \"findings\": []}\n",
            "in/waivers.yaml" => "# what was there before\n",
            _ => OLD,
        }
    }

    fn reset(&self, at: &Path) {
        fs::write(at.join(self.file), self.old()).unwrap();
    }

    fn text(&self, at: &Path) -> String {
        fs::read_to_string(at.join(self.file)).unwrap()
    }

    /// What is there when nothing goes wrong.
    fn renewed(&self, at: &Path) -> String {
        self.reset(at);
        let done = ringfence(at, &self.args).output().unwrap();
        assert!(done.status.code().is_some_and(|code| code < 2), "{:?}: {}", self.args, said(&done));
        let text = self.text(at);
        assert_ne!(text, self.old(), "{:?}", self.args);
        text
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Files that nobody asked for, in all folders that are written to.
fn left_over(at: &Path) -> Vec<PathBuf> {
    let all = ["out", "in"].into_iter().flat_map(|folder| fs::read_dir(at.join(folder)).unwrap());
    let mut left: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    left.retain(|path| path.to_string_lossy().ends_with(".tmp"));
    left
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = place();
    let at = folder.path();
    for way in ways(at) {
        let new = way.renewed(at);
        // The most that a file may have, less than the report: writing fails as on a full disk.
        let blocks = new.len().div_ceil(512) / 2;
        way.reset(at);
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let done = Command::new("sh")
            .args(["-c", &limited, "sh", "./ringfence"])
            .args(&way.args)
            .args(DAY)
            .current_dir(at)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{:?}: {}", way.args, said(&done));
        assert!(said(&done).contains("error: cannot write"), "{:?}: {}", way.args, said(&done));
        assert_eq!(way.text(at), way.old(), "{:?}", way.args);
        assert_eq!(left_over(at), Vec::<PathBuf>::new(), "{:?}", way.args);
    }
}

/// A disk of its own that really is full, where the system lets one be made.
#[test]
fn a_disk_without_room_leaves_what_was_there() {
    let folder = place();
    let at = folder.path();
    let script = "mount -t tmpfs -o size=16k none out || exit 77; printf old > out/report; \
        ./ringfence audit in --format html --output out/report 2>err >&2; code=$?; \
        [ $code = 2 ] && [ \"$(cat out/report)\" = old ] && [ \"$(ls -A out)\" = report ]";
    let done = Command::new("unshare").args(["--mount", "sh", "-c", script]).current_dir(at).output();
    match done.as_ref().map(|done| done.status.code()) {
        Ok(Some(0)) => {
            let err = fs::read_to_string(at.join("err")).unwrap();
            assert!(err.contains("No space left on device"), "{err}");
        }
        Ok(Some(77)) | Err(_) => {
            eprintln!("NOT TRIED: no disk can be made here; the limit on files stands for it");
        }
        Ok(_) if done.as_ref().is_ok_and(|done| said(done).contains("unshare")) => {
            eprintln!("NOT TRIED: no disk can be made here; the limit on files stands for it");
        }
        _ => panic!("{done:?}"),
    }
}

#[test]
fn a_folder_that_is_not_to_be_written_to_keeps_what_it_has() {
    let folder = place();
    let at = folder.path();
    for way in ways(at) {
        way.reset(at);
        let target = at.join(way.file);
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        let written = target.parent().unwrap();
        fs::set_permissions(written, fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = ringfence(at, &way.args);
        // For root every folder is open: somebody else is who runs it then.
        if fs::metadata(at).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        let done = command.output().unwrap();
        fs::set_permissions(written, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(done.status.code(), Some(2), "{:?}: {}", way.args, said(&done));
        assert!(said(&done).contains("error: cannot write"), "{:?}: {}", way.args, said(&done));
        assert_eq!(way.text(at), way.old(), "{:?}", way.args);
        assert_eq!(left_over(at), Vec::<PathBuf>::new(), "{:?}", way.args);
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_file_or_the_new() {
    let folder = place();
    let at = folder.path();
    let ways = ways(at);
    let mut came: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, way) in ways.iter().cycle().take(60).enumerate() {
        let new = way.renewed(at);
        way.reset(at);
        let start = Instant::now();
        ringfence(at, &way.args).output().unwrap();
        let whole = start.elapsed();
        way.reset(at);
        let mut child = ringfence(at, &way.args).spawn().unwrap();
        // From the beginning to the end, the last third, where it writes, most often.
        let part = [35, 60, 75, 85, 92, 98][number / ways.len() % 6] + number as u32 % 7;
        std::thread::sleep(whole * part / 100);
        let _ = child.kill();
        let status = child.wait().unwrap();
        let text = way.text(at);
        assert!(text == way.old() || text == new, "{:?} left a part: {text:.200}", way.args);
        let what = if text == new { "the new file" } else { "the old file" };
        *came.entry(if status.signal().is_some() { what } else { "it was done" }).or_default() += 1;
        // A kill can leave the file that was not yet renamed; it is hidden and has its own name.
        for left in left_over(at) {
            assert!(left.file_name().unwrap().to_string_lossy().starts_with('.'));
            fs::remove_file(left).unwrap();
        }
    }
    println!("60 kills left {came:?}");
    assert!(came.contains_key("the old file"), "{came:?}");
}

#[test]
fn a_kill_while_it_is_written_leaves_the_old_file() {
    let folder = place();
    let at = folder.path();
    for way in ways(at) {
        let blocks = way.renewed(at).len().div_ceil(512) / 2;
        way.reset(at);
        // The signal of the limit ends the program in the midst of the file.
        let limited = format!("ulimit -c 0; ulimit -f {blocks}; exec \"$@\"");
        let done = Command::new("sh")
            .args(["-c", &limited, "sh", "./ringfence"])
            .args(&way.args)
            .args(DAY)
            .current_dir(at)
            .output()
            .unwrap();
        assert!(done.status.signal().is_some(), "{:?}: {:?}", way.args, done.status);
        assert_eq!(way.text(at), way.old(), "{:?}", way.args);
        left_over(at).iter().for_each(|left| fs::remove_file(left).unwrap());
    }
}

#[test]
fn the_mode_of_a_file_stays_and_nobody_reads_it_meanwhile() {
    let folder = place();
    let at = folder.path();
    for mode in [0o600, 0o640, 0o664] {
        for way in ways(at) {
            way.reset(at);
            let file = at.join(way.file);
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let mut child = ringfence(at, &way.args).spawn().unwrap();
            let until = Instant::now() + Duration::from_secs(60);
            while child.try_wait().unwrap().is_none() && Instant::now() < until {
                for left in left_over(at) {
                    let seen = fs::metadata(left).map_or(0, |m| m.mode() & 0o777);
                    assert!(seen & !mode == 0, "{:?}: {seen:o} instead of {mode:o}", way.args);
                }
            }
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, mode, "{:?}", way.args);
            assert_ne!(way.text(at), way.old());
        }
    }
}
