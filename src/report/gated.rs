//! What a comparison stops besides findings: for formats that list findings and show nothing else,
//! so that whoever reads only these sees why it fails.

use super::Report;
use crate::base::source::Location;
use crate::compare::{Class, Declaration};

/// An entry beside the findings.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What stands for a rule.
    pub check: &'static str,
    /// The class of the change.
    pub class: Class,
    /// What is changed, in a few words.
    pub title: String,
    /// What exactly.
    pub message: String,
    /// Whether the comparison fails by it.
    pub fails: bool,
    /// Where it is written, if that is known.
    pub location: Option<Location>,
}

impl Entry {
    /// What tells it from others: no place, which may move.
    pub fn fingerprint(&self) -> String {
        let text = format!("{}\n{}\n{}", self.check, self.title, self.message);
        let digest = blake3::hash(text.as_bytes()).to_hex();
        format!("rd1:{}", digest.get(..16).unwrap_or_default())
    }
}

/// The checks that entries are of, with what each one means.
pub const CHECKS: [(&str, &str); 4] = [
    (SETTING, "A change of settings, policies or the baseline, which judge what comes after it"),
    (EDIT, "An edit that widens what may move, or claims something away"),
    (REACH, "Data of an origin gets to a system that none of it got to before"),
    (FILES, "Files that HEAD's settings would judge and BASE's do not"),
];

const SETTING: &str = "diff/setting";
const EDIT: &str = "diff/edit";
const REACH: &str = "diff/reach";
const FILES: &str = "diff/unjudged-files";

/// All entries of a comparison; of an audit there are none. Changes of what judges are there in any
/// case, edits and reach where they make it fail.
pub fn entries(report: &Report) -> Vec<Entry> {
    let Some((diff, widening)) = report.compared else {
        return Vec::new();
    };
    let applied = if diff.trust_head { "applied" } else { "not applied" };
    let mut all: Vec<Entry> = Vec::new();
    for change in diff.untrusted.iter().filter(|change| !matches!(change.what.as_str(), "waiver" | "promise"))
    {
        all.push(Entry {
            check: SETTING,
            class: change.class,
            title: format!("{} changed", change.what),
            message: format!("{}: {} [{}, {applied}]", change.what, change.message, change.class),
            fails: widening && change.gates(),
            location: change.location.clone(),
        });
    }
    if !diff.unjudged.is_empty() {
        all.push(Entry {
            check: FILES,
            class: Class::Widening,
            title: "files that BASE does not judge".to_owned(),
            message: super::say::unjudged(diff).unwrap_or_default(),
            fails: widening,
            location: diff
                .untrusted
                .iter()
                .find(|c| c.what == "configuration")
                .and_then(|c| c.location.clone()),
        });
    }
    let edits = diff.edits.iter().flatten();
    for edit in edits {
        let judges = matches!(edit.of, Declaration::Waiver | Declaration::Statement);
        let fails = widening && edit.class.gates();
        if fails || judges {
            let applied = if judges && !diff.trust_head { ", not applied" } else { "" };
            all.push(Entry {
                check: EDIT,
                class: edit.class,
                title: format!("{} {}", edit.of, edit.id),
                message: format!("{} {}, {} [{}{applied}]", edit.of, edit.id, edit.said(), edit.class),
                fails,
                location: edit.location.clone(),
            });
        }
    }
    let reach = diff.reach.iter().flat_map(|reach| &reach.added).filter(|reach| reach.new_system);
    // Where an edit brings it, that is the entry.
    let edited = diff.edits.iter().flatten().any(|edit| edit.class.gates());
    if widening && !edited {
        all.extend(reach.map(|reach| {
            let place = |place: &crate::base::finding::Place| {
                place.system.clone().unwrap_or_else(|| place.party.clone())
            };
            let (origin, target) = (place(&reach.origin), place(&reach.target));
            Entry {
                check: REACH,
                class: Class::Widening,
                title: format!("{target} newly reached"),
                message: format!("{} from {origin} newly gets to {target}", reach.data.join(", ")),
                fails: true,
                location: reach.path.last().map(|hop| hop.location.clone()),
            }
        }));
    }
    all
}
