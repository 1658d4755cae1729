//! A repository with a change in it, and a shell that has the program on its path.

#![allow(dead_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");

/// What a call came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A shell in a folder, with nothing of whoever runs the tests but the path.
pub struct Shell {
    folder: PathBuf,
    path: String,
    env: Vec<(String, String)>,
}

impl Shell {
    pub fn new(folder: &Path) -> Self {
        let programs = Path::new(BINARY).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        Shell { folder: folder.to_owned(), path, env: Vec::new() }
    }

    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With programs of this folder before all others.
    pub fn before(mut self, folder: &Path) -> Self {
        self.path = format!("{}:{}", folder.display(), self.path);
        self
    }

    pub fn run(&self, script: &str) -> Said {
        self.call("sh", &["-eu", "-c", script])
    }

    pub fn call(&self, program: &str, args: &[&str]) -> Said {
        let output = Command::new(program)
            .args(args)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Someone")
            .env("GIT_AUTHOR_EMAIL", "someone@example.org")
            .env("GIT_COMMITTER_NAME", "Someone")
            .env("GIT_COMMITTER_EMAIL", "someone@example.org")
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A program that is a script.
pub fn program(folder: &Path, name: &str, script: &str) {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The flow that the branch adds.
pub const LEAK: &str = "  - id: messenger-to-audiences
    from: facebook/messenger
    to: facebook/ads-audiences
    data: [communications.message.metadata]
    purposes: [advertising.audiences]
    safeguards: [encryption_in_transit]
    retention: 24h
";

/// `origin.git` with the fenced flagship on `main`, and `clone`, on whose branch `change`
/// there is one flow more.
pub fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shell = Shell::new(folder.path()).env("SAMPLE", &format!("{ROOT}/samples/messenger-banking-fenced"));
    let made = shell.env("LEAK", LEAK).run(
        "git init --quiet --bare --initial-branch main origin.git
         git -C origin.git config uploadpack.allowAnySHA1InWant true
         git clone --quiet origin.git clone 2>/dev/null
         cp -R \"$SAMPLE/.\" clone
         cd clone
         git checkout --quiet -B main
         git add --all
         git commit --quiet --message 'Declare'
         git push --quiet origin main
         git checkout --quiet -b change
         printf %s \"$LEAK\" >> platform.yaml
         git commit --quiet --all --message 'Add a flow'",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    folder
}
