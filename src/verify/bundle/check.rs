//! Whether a bundle is what it says: its entries those that are listed, the certificate one of
//! the inventory and the policies in it, the report one of the same findings.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::manifest::{CERTIFICATE, Gating, Kind, MANIFEST, Manifest, Member, Places, VERSION};
use super::zip::{self, Entry};
use super::{REPORTS, Unreadable};
use crate::base::duration::Duration;
use crate::base::finding::Audit;
use crate::base::glob::Glob;
use crate::base::limits::Limits;
use crate::base::source::{FileId, Sources};
use crate::declare::packs;
use crate::model::load::{Read, World};
use crate::read::input::Excluded;
use crate::verify::certificate::{self, Certificate, Expected, Listed, Verified, digests, list, verify};
use crate::verify::outcome::Outcome;

/// A larger archive is no bundle.
pub const MOST_BYTES: u64 = u32::MAX as u64;

/// A larger list is none.
const MOST_LISTED: u64 = 64 << 20;

/// How many failures of one sort are named.
const NAMED: usize = 20;

/// An archive whose form is sound.
pub struct Bundle<'a> {
    /// What it says that it holds.
    pub manifest: Manifest,
    entries: BTreeMap<&'a str, Entry<'a>>,
}

/// What a check came to.
#[derive(Debug)]
pub struct Checked {
    /// The certificate.
    pub certificate: Certificate,
    /// What its check came to, with all else that is wrong.
    pub verified: Verified,
    /// What is not wrong, and to be known.
    pub notes: Vec<String>,
    /// What the result in it comes to, by the gate and the baseline that it was made with.
    pub outcome: Outcome,
}

impl<'a> Bundle<'a> {
    /// Reads the form of an archive and its list.
    ///
    /// # Errors
    /// When it is no bundle of this version.
    pub fn read(archive: &'a [u8]) -> Result<Self, Unreadable> {
        let entries: BTreeMap<&str, Entry> =
            zip::read(archive)?.into_iter().map(|entry| (entry.name, entry)).collect();
        let wrong = |why: String| Unreadable::Manifest(why);
        let list = entries.get(MANIFEST).ok_or_else(|| wrong("it is not there".to_owned()))?;
        if list.bytes > MOST_LISTED {
            return Err(wrong("it is larger than 64 MiB".to_owned()));
        }
        let bytes = list.whole()?;
        let manifest = match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(manifest) if manifest.bundle == VERSION => manifest,
            Ok(other) => return Err(Unreadable::Version(u64::from(other.bundle))),
            Err(error) => {
                let value = serde_json::from_slice::<Value>(&bytes).ok();
                let version = value.and_then(|value| value.get("bundle").and_then(Value::as_u64));
                return Err(match version {
                    Some(version) if version != u64::from(VERSION) => Unreadable::Version(version),
                    _ => wrong(error.to_string()),
                });
            }
        };
        Ok(Bundle { manifest, entries })
    }

    /// How long waivers may run by it, if that was set.
    pub fn waiver_max(&self) -> Option<Duration> {
        self.manifest.gate.as_ref().and_then(Gating::waiver_max)
    }

    /// How many entries there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is not as the list says; nothing of it is used then.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn failures(&self) -> Result<Vec<String>, Unreadable> {
        let mut failures = Vec::new();
        let mut listed: BTreeSet<&str> = [MANIFEST].into();
        let mut places = Places::default();
        for member in &self.manifest.entries {
            let name = member.entry.as_str();
            if !listed.insert(name) {
                failures.push(format!("{name} is listed twice"));
                continue;
            }
            if places.of(member.kind, &member.name) != *name {
                failures.push(format!("{name} is not the place of {}", member.name));
            }
            match self.entries.get(name) {
                None => failures.push(format!("{name} is missing")),
                Some(entry) if entry.bytes != member.bytes => {
                    failures
                        .push(format!("{name} has {} bytes, and {} are listed", entry.bytes, member.bytes));
                }
                Some(entry) if entry.digest()? != member.blake3 => {
                    failures.push(format!("{name} has another digest than is listed"));
                }
                Some(_) => {}
            }
        }
        let extra = self.entries.keys().filter(|name| !listed.contains(*name));
        failures.extend(extra.map(|name| format!("{name} is not listed")));
        let reports = REPORTS.map(|(_, name)| format!("reports/{name}"));
        for name in reports.iter().map(String::as_str).chain([CERTIFICATE]) {
            if !listed.contains(name) {
                failures.push(format!("{name} is not among what is listed"));
            }
        }
        let known = |member: &&Member| member.kind != Kind::Report || reports.contains(&member.entry);
        let unknown = self.manifest.entries.iter().filter(|member| !known(member));
        failures.extend(unknown.map(|member| format!("{} is no report of this version", member.entry)));
        Ok(some(failures))
    }

    /// Which entries hold what they should, but in other bytes of the archive than this program writes:
    /// there is more than one way to deflate a text and to write a list, and room in the others for what
    /// nobody reads.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn foreign(&self) -> Result<Vec<String>, Unreadable> {
        let packed =
            |(name, entry): (&&str, &Entry)| Ok((!entry.is_packed_as_written()?).then(|| (*name).to_owned()));
        let others: Vec<Result<Option<String>, Unreadable>> = self.entries.par_iter().map(packed).collect();
        let others = others.into_iter().collect::<Result<Vec<_>, _>>()?;
        let others: Vec<String> = others.into_iter().flatten().collect();
        if let Some(first) = others.first() {
            let (entries, are) = match others.len() {
                1 => (first.clone(), "is"),
                number if number == self.entries.len() => (format!("all {number} entries"), "are"),
                number => (format!("{number} entries ({first} the first)"), "are"),
            };
            return Ok(vec![format!(
                "{entries} {are} not packed in the bytes that `ringfence audit --bundle` writes: another program packed \
                 the archive, or changed it; check the archive as it was written"
            )]);
        }
        let mut list = Vec::new();
        let written = self.manifest.write(&mut list).is_ok();
        let as_written = match self.entries.get(MANIFEST) {
            Some(entry) => written && entry.whole()? == list,
            None => false,
        };
        Ok(if as_written {
            Vec::new()
        } else {
            vec![format!(
                "{MANIFEST} lists the entries in other words or another order than `ringfence audit --bundle`"
            )]
        })
    }

    /// The texts of the inventory and the policies.
    ///
    /// # Errors
    /// When one is no text.
    pub fn texts(&self, limits: Limits, sources: &mut Sources) -> Result<Read, Unreadable> {
        let mut read = Read { excluded: self.manifest.excluded.clone(), ..Read::default() };
        for member in &self.manifest.entries {
            let into = match member.kind {
                Kind::Inventory => &mut read.inventory,
                Kind::Pack | Kind::Policy => &mut read.policies,
                _ => continue,
            };
            into.push(self.text(member, limits, sources)?);
        }
        Ok(read)
    }

    fn text(&self, member: &Member, limits: Limits, sources: &mut Sources) -> Result<FileId, Unreadable> {
        Ok(sources.add(member.name.clone(), self.text_of(member, limits)?))
    }

    /// The text of an entry.
    pub(super) fn text_of(&self, member: &Member, limits: Limits) -> Result<String, Unreadable> {
        let no_text = || Unreadable::NoText(member.entry.clone());
        let entry = self.entries.get(member.entry.as_str()).ok_or_else(no_text)?;
        if entry.bytes > limits.file_size {
            return Err(no_text());
        }
        let text = String::from_utf8(entry.whole()?).map_err(|_| no_text())?;
        if text.contains('\0') { Err(no_text()) } else { Ok(text) }
    }

    /// The files of policies: of each its name in the archive and its digest.
    fn policies_listed(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.manifest.entries.iter().filter(|m| matches!(m.kind, Kind::Pack | Kind::Policy));
        files.map(|member| (member.entry.as_str(), member.blake3.as_str()))
    }

    /// The digest of the policy in an entry of that name.
    pub fn policy(&self, entry: &str) -> Option<&str> {
        self.policies_listed().find(|(name, _)| *name == entry).map(|(_, digest)| digest)
    }

    /// What its list says that `exclude` left out and these globs do not name.
    pub fn unnamed_exclusions(&self, named: &[String]) -> Vec<String> {
        let globs: Vec<Glob> = named.iter().map(Glob::new).collect();
        let unnamed =
            self.manifest.excluded.iter().filter(|one| !globs.iter().any(|glob| glob.matches(&one.name)));
        let failure = |one: &Excluded| {
            let files = if one.files == 1 { "1 file".to_owned() } else { format!("{} files", one.files) };
            format!(
                "leaves {files} of the inventory out by `exclude` ({0}): if that is meant, name it with `--exclude {0}`",
                one.name
            )
        };
        some(unnamed.map(failure).collect())
    }

    /// How its policies differ from those with these digests.
    pub fn other_policies(&self, named: &BTreeSet<String>) -> Vec<String> {
        let others = self.policies_listed().filter(|(_, digest)| !named.contains(*digest));
        let mut failures: Vec<String> = others
            .map(|(entry, _)| {
                format!("{entry} was applied, and `--policy` does not name a policy with its bytes")
            })
            .collect();
        let there: BTreeSet<&str> = self.policies_listed().map(|(_, digest)| digest).collect();
        if named.iter().any(|digest| !there.contains(digest.as_str())) {
            failures
                .push("`--policy` names a policy that was not applied, or was with other bytes".to_owned());
        }
        failures
    }

    /// Whether it has an entry, byte for byte.
    pub(super) fn holds(&self, packed: &zip::Packed) -> bool {
        self.entries.get(packed.name.as_str()).is_some_and(|entry| entry.is(packed))
    }

    /// What an entry holds in JSON.
    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Unreadable> {
        let entry = self.entries.get(name).ok_or_else(|| Unreadable::Damaged(name.to_owned()))?;
        serde_json::from_reader(BufReader::new(entry.open()))
            .map_err(|error| Unreadable::Json(name.to_owned(), error.to_string()))
    }

    /// Checks the certificate, and that list and report say the same; the world is that of
    /// [`Bundle::texts`].
    ///
    /// # Errors
    /// When certificate or report cannot be read.
    pub fn check(
        &self,
        world: &World,
        sources: &Sources,
        expected: &Expected,
    ) -> Result<Checked, Unreadable> {
        let certificate: Certificate = self.json(CERTIFICATE)?;
        if certificate.certificate != certificate::VERSION {
            let why = format!("it has version {}", certificate.certificate);
            return Err(Unreadable::Json(CERTIFICATE.to_owned(), why));
        }
        let mut verified = verify(&certificate, world, &digests(sources), expected);
        let (manifest, failures) = (&self.manifest, &mut verified.failures);
        let mut same = |same: bool, what: &str| {
            if !same {
                failures.push(what.to_owned());
            }
        };
        same(
            manifest.judged == certificate.judged,
            "MANIFEST.json names another day or scope than the certificate",
        );
        same(
            manifest.ringfence == certificate.ringfence,
            "MANIFEST.json names another version than the certificate",
        );
        same(
            manifest.inventory == certificate.inventory,
            "MANIFEST.json names another inventory than the certificate",
        );
        let report: Audit = self.json("reports/report.json")?;
        let judged = (&report.judged.day, &report.judged.as_of);
        let days = (&certificate.judged.day, &certificate.judged.as_of);
        same(judged == days, "reports/report.json is for another day than the certificate");
        same(
            report.ringfence.version == certificate.ringfence,
            "reports/report.json is of another version than the certificate",
        );
        same(
            report.inventory.digest == certificate.inventory,
            "reports/report.json is of another inventory than the certificate",
        );
        let policies = world.policies.iter().map(|policy| &policy.id.value);
        same(
            report.policies.iter().map(|policy| &policy.id).eq(policies),
            "reports/report.json is by other policies than those in policies",
        );
        failures.extend(other_findings(&report, &certificate.findings));
        let notes = self.by_which_policies(world, sources);
        let gate = manifest.gate.as_ref().and_then(Gating::gate).unwrap_or_default();
        let outcome = Outcome::of_report(&report, &gate);
        Ok(Checked { certificate, verified, notes, outcome })
    }

    /// By what was judged, and what else says when a report fails.
    fn by_which_policies(&self, world: &World, sources: &Sources) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(gate) = &self.manifest.gate {
            let statuses = gate.fail_on_status.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let findings = match gate.fail_on.as_str() {
                "never" => "no findings (`--fail-on never`)".to_owned(),
                severity => {
                    format!("findings of `{severity}` or more severe by policies that are {statuses}")
                }
            };
            notes.push(format!(
                "the reports fail on: {findings}; notices: {}",
                match gate.deny_notices.as_deref() {
                    None => "none".to_owned(),
                    Some([]) => "all".to_owned(),
                    Some(codes) => codes.join(", "),
                }
            ));
            let longest = gate.waiver_max.iter();
            notes.extend(longest.map(|most| format!("waivers may run for {most} (`waiver_max`)")));
        }
        let baselines = self.manifest.entries.iter().filter(|member| member.kind == Kind::Baseline);
        notes
            .extend(baselines.map(|m| format!("the reports take findings as known that are in {}", m.entry)));
        let files = self.manifest.entries.iter().filter(|m| matches!(m.kind, Kind::Pack | Kind::Policy));
        for (member, &file) in files.zip(&world.read.policies) {
            let name = &member.name;
            let own = packs::carried_as(name);
            if member.kind == Kind::Policy {
                notes.push(format!("judged by {}, which does not come with the program", member.entry));
            } else if own == sources.get(file).and_then(|file| file.text()) {
                notes.push(format!("judged by {name} as it comes with this version"));
            } else {
                notes.push(format!("judged by {name}, which is not as it comes with this version"));
            }
        }
        notes
    }
}

/// How the findings of a report differ from those of a certificate.
fn other_findings(report: &Audit, listed: &[Listed]) -> Vec<String> {
    let mut shown: Vec<Listed> = report.findings.iter().map(list).collect();
    // Of most findings a report does not say whose data they are about; the certificate does where
    // waivers limit that.
    for (shown, listed) in shown.iter_mut().zip(listed) {
        if let (Some(shown), Some(listed)) = (&mut shown.extent, &listed.extent)
            && shown.origins.is_none()
        {
            shown.origins.clone_from(&listed.origins);
        }
    }
    if shown == listed {
        return Vec::new();
    }
    let by_name = |all: &[Listed]| -> BTreeMap<String, Listed> {
        all.iter().map(|one| (one.fingerprint.clone(), one.clone())).collect()
    };
    let (shown, listed) = (by_name(&shown), by_name(listed));
    let mut failures = Vec::new();
    for (name, one) in &shown {
        match listed.get(name) {
            None => failures.push(format!("reports/report.json has {name}, and the certificate has not")),
            Some(other) if one != other => {
                failures
                    .push(format!("reports/report.json says something else of {name} than the certificate"));
            }
            Some(_) => {}
        }
    }
    let missing = listed.keys().filter(|name| !shown.contains_key(*name));
    failures
        .extend(missing.map(|name| format!("reports/report.json lacks {name}, which the certificate has")));
    if failures.is_empty() {
        failures.push("reports/report.json has the findings in another order, or one twice".to_owned());
    }
    some(failures)
}

/// The first few.
fn some(mut failures: Vec<String>) -> Vec<String> {
    let more = failures.len().saturating_sub(NAMED);
    failures.truncate(NAMED);
    if more > 0 {
        failures.push(format!("and {more} more like it"));
    }
    failures
}
