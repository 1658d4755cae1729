//! The list of what a bundle holds.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::Options;
use crate::base::duration::Duration;
use crate::base::visible::in_json;
use crate::base::vocabulary::{PolicyStatus, Word};
use crate::declare::gate::{Denied, Gate, Threshold};
use crate::model::load::World;
use crate::read::input::Excluded;
use crate::verify::certificate::Judged;

/// The version of the form.
pub const VERSION: u32 = 1;

/// The list.
pub const MANIFEST: &str = "MANIFEST.json";

/// The certificate.
pub const CERTIFICATE: &str = "certificate.json";

/// The settings.
const SETTINGS: &str = "ringfence.yaml";

/// What is in a bundle, and what it was made for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form.
    pub bundle: u32,
    /// The version of the program that wrote it.
    pub ringfence: String,
    /// For which day and scope.
    pub judged: Judged,
    /// When the reports say that it fails, if the audit was asked for something of its own.
    #[serde(default)]
    pub gate: Option<Gating>,
    /// What `exclude` left out of the inventory.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
    /// The digest of the inventory, as in the audit.
    pub inventory: String,
    /// All entries but this list: the files of the inventory and the policies in the order in
    /// which they were read, then the others.
    pub entries: Vec<Member>,
}

/// When a verdict fails, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gating {
    /// From which severity on.
    pub fail_on: String,
    /// Of policies with which standings.
    pub fail_on_status: Vec<PolicyStatus>,
    /// On which notices: none; all where the list is empty; or those with these codes.
    pub deny_notices: Option<Vec<String>>,
    /// How long waivers may run, if settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver_max: Option<String>,
}

impl Gating {
    /// That of an audit that is asked for nothing of its own.
    pub fn usual() -> Self {
        Gating::new(&Gate::default(), &Options::new(Date::MIN), None)
    }

    /// That of an audit.
    pub fn new(gate: &Gate, options: &Options, waiver_max: Option<Duration>) -> Self {
        let deny_notices = match &gate.denied {
            Denied::None => None,
            Denied::All => Some(Vec::new()),
            Denied::Codes(codes) => Some(codes.clone()),
        };
        let fail_on = gate.fail_on.word().to_owned();
        let waiver_max = waiver_max.map(|most| most.to_string());
        Gating { fail_on, fail_on_status: options.binding.clone(), deny_notices, waiver_max }
    }

    /// How long waivers may run, if that was set.
    pub fn waiver_max(&self) -> Option<Duration> {
        Duration::parse(self.waiver_max.as_deref()?)
    }

    /// As reports take it.
    pub fn gate(&self) -> Option<Gate> {
        let denied = match &self.deny_notices {
            None => Denied::None,
            Some(codes) if codes.is_empty() => Denied::All,
            Some(codes) => Denied::Codes(codes.clone()),
        };
        Some(Gate { fail_on: Threshold::parse(&self.fail_on)?, denied })
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file of the inventory.
    Inventory,
    /// A policy that comes with the program.
    Pack,
    /// A file of another policy.
    Policy,
    /// The settings.
    Settings,
    /// The baseline.
    Baseline,
    /// The certificate.
    Certificate,
    /// A report.
    Report,
}

/// An entry of the archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Its name in the archive.
    pub entry: String,
    /// What it is.
    pub kind: Kind,
    /// What the reports call it.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// BLAKE3 of them, in hexadecimal.
    pub blake3: String,
}

impl Member {
    /// An entry whose bytes are not known yet.
    pub fn new(places: &mut Places, kind: Kind, name: &str) -> Self {
        Member { entry: places.of(kind, name), kind, name: name.to_owned(), bytes: 0, blake3: String::new() }
    }
}

impl Manifest {
    /// The list of an audit's bundle.
    pub fn new(options: &Options, gate: &Gate, world: &World, entries: Vec<Member>) -> Self {
        Manifest {
            bundle: VERSION,
            ringfence: env!("CARGO_PKG_VERSION").to_owned(),
            judged: Judged::of(options),
            gate: Some(Gating::new(gate, options, world.waiver_max)).filter(|gate| *gate != Gating::usual()),
            excluded: world.read.excluded.clone(),
            inventory: world.digest.clone(),
            entries,
        }
    }

    /// Writes it, an entry a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"bundle\":{},\n\"ringfence\":{}", self.bundle, json(&self.ringfence)?)?;
        write!(out, ",\n\"judged\":{}", json(&self.judged)?)?;
        if let Some(gate) = &self.gate {
            write!(out, ",\n\"gate\":{}", json(gate)?)?;
        }
        if !self.excluded.is_empty() {
            write!(out, ",\n\"excluded\":{}", json(&self.excluded)?)?;
        }
        write!(out, ",\n\"inventory\":{},\n\"entries\":[", json(&self.inventory)?)?;
        for (at, member) in self.entries.iter().enumerate() {
            write!(out, "{}\n{}", if at == 0 { "" } else { "," }, json(member)?)?;
        }
        out.write_all(b"\n]}\n")
    }
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(in_json(&serde_json::to_string(value)?))
}

/// Where things lie in a bundle: what comes first has the plain place.
#[derive(Debug, Default)]
pub struct Places {
    taken: BTreeSet<String>,
}

impl Places {
    /// The place of the next one of this kind and name.
    pub fn of(&mut self, kind: Kind, name: &str) -> String {
        let safe = safe(name);
        let plain = match kind {
            Kind::Inventory => format!("inventory/{safe}"),
            // A pack's name begins with the folder.
            Kind::Pack => safe.clone(),
            Kind::Policy => format!("policies/{safe}"),
            Kind::Settings => format!("settings/{SETTINGS}"),
            Kind::Baseline => format!("baseline/{safe}"),
            Kind::Certificate => CERTIFICATE.to_owned(),
            Kind::Report => format!("reports/{safe}"),
        };
        let mut place = plain;
        let mut number = 2_usize;
        // Two policies can have files of one name.
        while kind == Kind::Policy && self.taken.contains(&place) {
            place = format!("policies/{number}/{safe}");
            number += 1;
        }
        self.taken.insert(place.clone());
        place
    }
}

/// A name of which each part is a file's name on any system: other characters are written as
/// `%` and two digits for each byte, as are parts that lead elsewhere.
fn safe(name: &str) -> String {
    let parts = name.split('/').map(|part| {
        let leads = matches!(part, "." | "..");
        let odd = |c: char| leads || c.is_control() || "\\:*?\"<>|%".contains(c);
        let mut safe = String::new();
        for c in part.chars() {
            if odd(c) {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| safe += &format!("%{byte:02X}"));
            } else {
                safe.push(c);
            }
        }
        safe
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a name begins at the root of a disk.
pub fn is_absolute(name: &str) -> bool {
    name.starts_with('/') || Path::new(name).is_absolute()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_place_within() {
        let mut places = Places::default();
        let mut of = |kind, name| places.of(kind, name);
        assert_eq!(of(Kind::Inventory, "a/b.yaml"), "inventory/a/b.yaml");
        assert_eq!(of(Kind::Inventory, "../a.yaml"), "inventory/%2E%2E/a.yaml");
        assert_eq!(of(Kind::Inventory, "<stdin>"), "inventory/%3Cstdin%3E");
        assert_eq!(of(Kind::Inventory, "c:\\ä\n%.yaml"), "inventory/c%3A%5Cä%0A%25.yaml");
        assert_eq!(of(Kind::Pack, "policies/core/policy.yaml"), "policies/core/policy.yaml");
        assert_eq!(of(Kind::Policy, "core/policy.yaml"), "policies/2/core/policy.yaml");
        assert_eq!(of(Kind::Policy, "core/policy.yaml"), "policies/3/core/policy.yaml");
        assert!(is_absolute("/etc/a.yaml") && !is_absolute("etc/a.yaml"));
    }
}
