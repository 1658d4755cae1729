//! Words that stood for something else: prose and names say it as readers know it from elsewhere.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Words and phrases that do not stand in documentation, comments or messages, each with what to write
/// in its place. They are found in any case, between the ends of words.
const PHRASES: &[(&str, &str)] = &[
    ("alongside of", "beside"),
    ("anew", "again"),
    ("are told", "are reported, are listed"),
    ("as what they arrive", "the categories that they arrive as"),
    ("chain of counting flows", "chain of flows in scope"),
    ("come to light", "appear"),
    ("comes to light", "appears"),
    ("computes no reach", "does not recompute reachability"),
    ("do not bind", "are not binding"),
    ("findings count from", "at or above a severity"),
    ("for people to judge", "Ringfence does not decide whether ... is lawful"),
    ("graver", "more severe"),
    ("gravest", "most severe"),
    ("have expired or not", "evaluate expiry as of this date"),
    ("held against", "checked against, compared with"),
    ("hold against", "check against, compare with"),
    ("holds against", "checks against, compares with"),
    ("is told", "is reported, is listed"),
    ("judge less", "audit less"),
    ("lest", "so that ... not"),
    ("look again", "run it again"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("nobody knows", "unknown"),
    ("tells apart", "distinguishes"),
    ("thereof", "of it"),
    ("told alike", "worded alike"),
    ("told apart", "distinguished"),
    ("whence", "where ... from"),
    ("whosesoever", "of any origin, of any agreement"),
    ("without a flow that counts", "without a flow in scope"),
    ("written over", "overwritten"),
    ("written whole or not at all", "written atomically"),
];

/// Names that are no longer those of anything in the source, each with the one to use.
const NAMES: &[(&str, &str)] = &[
    ("Alike", "OriginClass"),
    ("Candidates", "BackwardSlice"),
    ("Passing::Many", "OriginFilter::Many"),
    ("Passing::One", "OriginFilter::One"),
    ("Sourceless", "a closure"),
    ("Whose::Many", "ItemsOf::Many"),
    ("abandon", "exit_cleaning_up"),
    ("bits::keep", "bits::and_assign"),
    ("bits::new", "bits::has_new"),
    ("bits::take", "bits::and_not_assign"),
    ("owed", "missing_findings"),
    ("sift", "candidates"),
    ("strangers", "disallowed_leaves"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a path with this extension, in order.
fn files(path: &Path, extension: &str) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let below = entries.iter().flat_map(|path| match path.is_dir() {
        true => files(path, extension),
        false => vec![path.clone()],
    });
    below.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// Where a word stands in a line, between the ends of words.
fn stands(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_part)
            && !line[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

/// The lines of a file that are looked at: of the changelog what is not released yet.
fn lines(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let all = text.lines().map(str::to_owned).enumerate().map(|(at, line)| (at + 1, line));
    if path.file_name().is_some_and(|name| name == "CHANGELOG.md") {
        let released = |line: &str| line.starts_with("## [") && !line.contains("Unreleased");
        return all.take_while(|(_, line)| !released(line)).collect();
    }
    all.collect()
}

#[test]
fn prose_uses_the_words_that_readers_know() {
    let root = root();
    let prose = ["docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let prose = prose.iter().flat_map(|path| files(&root.join(path), "md"));
    // Made from the policies, whose texts speak of law and quote it.
    let prose = prose.filter(|path| !path.starts_with(root.join("docs/use/rules")));
    let mut found = Vec::new();
    for path in prose.chain(files(&root.join("src"), "rs")) {
        for (number, line) in lines(&path) {
            let line = line.to_lowercase();
            for (phrase, instead) in PHRASES.iter().filter(|(phrase, _)| stands(&line, phrase)) {
                let place = path.strip_prefix(root).unwrap().display();
                found.push(format!("{place}:{number}: `{phrase}`: write `{instead}`"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn names_in_the_source_are_those_of_the_field() {
    let root = root();
    let mut found = Vec::new();
    for path in files(&root.join("src"), "rs") {
        for (number, line) in lines(&path) {
            for (name, instead) in NAMES.iter().filter(|(name, _)| stands(&line, name)) {
                let place = path.strip_prefix(root).unwrap().display();
                found.push(format!("{place}:{number}: `{name}`: the name is `{instead}`"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_are_sorted_and_found_between_the_ends_of_words() {
    assert!(PHRASES.is_sorted_by_key(|(phrase, _)| *phrase));
    assert!(stands("it is mended.", "mended") && stands("anew", "anew"));
    assert!(!stands("recommended", "mended") && !stands("a_mended", "mended"));
}
