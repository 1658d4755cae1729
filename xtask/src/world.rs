//! What is declared so far, and the files that it goes to.
//!
//! Each system knows which leaves it holds: a flow is only declared for data that its
//! sender has by then, so that nothing comes from nowhere unless that is wanted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::data::{Categories, Leaves};
use crate::random::Random;
use crate::yaml::{Map, Value, Writer, text, word, words};

/// How much of what.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many flows, exactly.
    pub flows: usize,
    /// What the random numbers start from.
    pub seed: u64,
    /// How many leaks there are for each cell of about 25 banks.
    pub leaks: f64,
}

impl Options {
    /// The usual rate of leaks.
    pub fn new(flows: usize, seed: u64) -> Self {
        Options { flows, seed, leaks: 0.5 }
    }
}

/// A system, by its place.
pub type SystemId = usize;

/// A system under construction.
#[derive(Debug, Clone)]
pub struct System {
    /// Its full name, `party/system`.
    pub name: String,
    /// What it is run for.
    pub purposes: Vec<&'static str>,
    /// What starts there.
    pub originates: Vec<&'static str>,
    /// What it turns into what.
    pub derives: Vec<(&'static str, &'static str)>,
    /// How long it keeps data.
    pub retention: &'static str,
    /// What it holds.
    pub held: Leaves,
}

/// A flow to be declared.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Its id.
    pub id: String,
    /// From where.
    pub from: SystemId,
    /// To where.
    pub to: SystemId,
    /// What moves.
    pub data: Vec<&'static str>,
    /// Its leaves.
    pub leaves: Leaves,
    /// For what; empty: what the receiver is run for.
    pub purposes: Vec<&'static str>,
    /// All its other keys.
    pub more: Map,
    /// Whether what it carries counts as held at the receiver.
    pub is_disposed: bool,
}

/// Everything so far.
#[derive(Debug)]
pub struct World {
    /// The options.
    pub options: Options,
    /// The categories.
    pub categories: Categories,
    /// The systems, of all parties.
    pub systems: Vec<System>,
    /// The platform's systems.
    pub platform: Vec<SystemId>,
    /// How many flows there are.
    pub flows: usize,
    /// Declarations of findings that are accepted.
    pub waivers: Vec<Value>,
    folder: PathBuf,
    /// Flows inside the platform, waiting for their file, by team.
    pending: BTreeMap<String, (usize, Vec<Value>)>,
    per_file: usize,
}

const TITLES: &[&str] = &[
    "Nightly export",
    "Hourly synchronisation",
    "Event stream",
    "Batch hand-over",
    "Change feed",
    "Replica for reads",
    "Back-fill after incidents",
    "Look-up on demand",
    "Weekly summary",
    "Queue of updates",
    "Snapshot for the month’s end",
    "Répertoire partagé",
];
const ABOUT: &[&str] = &[
    "for the service that customers see",
    "as the contract's annex B describes it",
    "since the old interface was switched off",
    "until the migration is finished",
    "as agreed with the data protection officer",
    "for the people who answer questions",
    "over the shared message bus",
    "with the fields listed in the catalogue",
];
const OWNERS: &[&str] =
    &["payments", "trust", "growth", "core-data", "partnerships", "identity", "réseau", "messaging"];

impl World {
    /// Nothing yet; files go below a folder.
    pub fn new(options: Options, folder: &Path) -> Self {
        let per_file = (options.flows / 150).clamp(12, 400);
        World {
            options,
            categories: Categories::new(),
            systems: Vec::new(),
            platform: Vec::new(),
            flows: 0,
            waivers: Vec::new(),
            folder: folder.to_owned(),
            pending: BTreeMap::new(),
            per_file,
        }
    }

    /// Random numbers of their own for a part of the world.
    pub fn random(&self, name: &str) -> Random {
        Random::new(self.options.seed, name)
    }

    /// A new system.
    pub fn system(
        &mut self,
        name: String,
        purposes: &[&'static str],
        originates: &[&'static str],
        retention: &'static str,
    ) -> SystemId {
        let held = self.categories.leaves(originates);
        let system = System {
            name,
            purposes: purposes.to_vec(),
            originates: originates.to_vec(),
            derives: Vec::new(),
            retention,
            held,
        };
        self.systems.push(system);
        self.systems.len() - 1
    }

    /// A new system of the platform.
    pub fn platform_system(
        &mut self,
        id: &str,
        purposes: &[&'static str],
        originates: &[&'static str],
        retention: &'static str,
    ) -> SystemId {
        let system = self.system(format!("{PLATFORM}/{id}"), purposes, originates, retention);
        self.platform.push(system);
        system
    }

    /// Lets a system derive one thing from another.
    pub fn derive(&mut self, system: SystemId, from: &'static str, into: &'static str) {
        self.systems[system].derives.push((from, into));
        self.arrive(system, 0);
    }

    /// Leaves arrive at a system.
    pub fn arrive(&mut self, system: SystemId, leaves: Leaves) {
        let mut held = self.systems[system].held | leaves;
        for &(from, into) in &self.systems[system].derives {
            if held & self.categories.leaves(&[from]) != 0 {
                held |= self.categories.leaves(&[into]);
            }
        }
        self.systems[system].held = held;
    }

    /// What a system holds.
    pub fn held(&self, system: SystemId) -> Leaves {
        self.systems[system].held
    }

    /// How many flows are still to come.
    pub fn left(&self) -> usize {
        self.options.flows.saturating_sub(self.flows)
    }

    /// A flow as it is written; what it carries arrives.
    pub fn flow(&mut self, random: &mut Random, flow: Flow) -> Value {
        self.flows += 1;
        if !flow.is_disposed {
            let carried = self.held(flow.from) & flow.leaves;
            self.arrive(flow.to, carried);
        }
        let mut map: Map = vec![("id", word(flow.id))];
        if random.chance(0.5) {
            let title = random.pick(TITLES);
            map.push(("title", text(format!("{title} {}", random.pick(ABOUT)))));
        }
        map.push(("from", word(self.systems[flow.from].name.as_str())));
        map.push(("to", word(self.systems[flow.to].name.as_str())));
        map.push(("data", words(&flow.data)));
        if !flow.purposes.is_empty() {
            map.push(("purposes", words(&flow.purposes)));
        }
        map.extend(flow.more);
        if random.chance(0.25) {
            map.push(("basis", word(if random.chance(0.7) { "assumed" } else { "public" })));
        }
        if random.chance(0.25) {
            map.push(("labels", self.labels(random)));
        }
        if random.chance(0.08) {
            map.push(("tags", words(&[random.pick(&["nightly", "bulk", "legacy", "streaming"])])));
        }
        if random.chance(0.02) {
            let url = format!("https://catalogue.meridian.example/flows/{}", random.below(1_000_000));
            map.push((
                "source",
                Value::Map(vec![("title", text("Catalogue of interfaces")), ("url", text(url))]),
            ));
        }
        Value::Map(map)
    }

    /// Labels such as a ticket and an owner.
    pub fn labels(&self, random: &mut Random) -> Value {
        let mut map = vec![("ticket", word(format!("DATA-{}", 1000 + random.below(90_000))))];
        if random.chance(0.6) {
            map.push(("owner", text(random.pick(OWNERS))));
        }
        Value::Map(map)
    }

    /// A flow inside the platform, to be written to one of its team's files.
    pub fn internal(&mut self, random: &mut Random, team: &str, flow: Flow) -> Result<()> {
        let value = self.flow(random, flow);
        let (files, flows) = self.pending.entry(team.to_owned()).or_default();
        flows.push(value);
        if flows.len() >= self.per_file {
            *files += 1;
            let (file, flows) = (*files, std::mem::take(flows));
            self.write(
                &format!("platform/{team}/flows-{file:04}.yaml"),
                vec![("flows", Value::List(flows))],
            )?;
        }
        Ok(())
    }

    /// Writes what waits for its file.
    pub fn flush(&mut self) -> Result<()> {
        for (team, (files, flows)) in std::mem::take(&mut self.pending) {
            if !flows.is_empty() {
                let name = format!("platform/{team}/flows-{:04}.yaml", files + 1);
                self.write(&name, vec![("flows", Value::List(flows))])?;
            }
        }
        Ok(())
    }

    /// A party with its systems.
    pub fn declare(&self, id: &str, name: &str, role: &str, more: Map, systems: &[SystemId]) -> Value {
        let mut random = self.random(id);
        let systems = systems.iter().map(|&at| {
            let s = &self.systems[at];
            let id = s.name.split_once('/').map_or(s.name.as_str(), |(_, id)| id);
            let mut map: Map = vec![("id", word(id)), ("purposes", words(&s.purposes))];
            if !s.originates.is_empty() {
                map.push(("originates", words(&s.originates)));
            }
            if !s.derives.is_empty() {
                let derives = s.derives.iter();
                let derives =
                    derives.map(|(f, i)| Value::Map(vec![("from", words(&[*f])), ("into", words(&[*i]))]));
                map.push(("derives", Value::List(derives.collect())));
            }
            map.push(("retention", word(s.retention)));
            if random.chance(0.1) {
                map.push(("region", word(random.pick(&["GB", "US", "DE", "IE", "FR", "SG"]))));
            }
            if random.chance(0.1) {
                map.push(("subjects", Value::Number(1000 * (1 + random.below(9000)))));
            }
            if random.chance(0.05) {
                map.push(("tags", words(&["system-of-record"])));
            }
            Value::Map(map)
        });
        let systems = systems.collect();
        let mut map: Map = vec![("id", word(id)), ("name", text(name)), ("role", word(role))];
        map.extend(more);
        map.push(("systems", Value::List(systems)));
        Value::Map(map)
    }

    /// Writes one file.
    pub fn write(&self, name: &str, sections: Vec<(&'static str, Value)>) -> Result<()> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut writer = Writer::new(self.options.seed, name);
        for (key, value) in sections {
            writer.section(key, value);
        }
        fs::write(&path, writer.out).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The platform's id.
pub const PLATFORM: &str = "meridian";
