//! From arguments to a world: the configuration, the paths and the policies.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::finding::promise_of_rule;
use crate::base::source::Sources;
use crate::declare::baseline::Baseline;
use crate::declare::config::{self, Config};
use crate::declare::packs;
use crate::model::load::{self, Request, World};
use crate::read::files::{DISK, Files};
use crate::read::input::{Settings, too_large};
use jiff::civil::Date;

use super::session::Session;
use super::stop::{Stop, stop};

/// What was read.
#[derive(Default)]
pub struct Input {
    /// The settings.
    pub config: Config,
    /// The file that they stand in.
    pub file: Option<PathBuf>,
    /// The inventory's paths.
    pub paths: Vec<PathBuf>,
    /// The policies, as named.
    policies: Vec<String>,
    /// Baselines, which are no part of the inventory.
    baselines: Vec<PathBuf>,
    /// The day judged.
    day: Option<Date>,
    /// Whether the declarations are kept as they are written.
    keep: bool,
    /// The declared world and the policies.
    pub world: World,
    /// All texts.
    pub sources: Sources,
}

/// Reads the configuration, if there is one, the inventory and the policies.
pub fn read(
    session: &Session,
    paths: &[PathBuf],
    policies: &[String],
    baseline: Option<&Path>,
    day: Date,
) -> Result<Input, Stop> {
    reading(session, paths, |config| self::policies(policies, config), (baseline, None), (day, false))
}

/// As [`read`], and keeps the declarations as they are written, to make edits in.
pub fn read_keeping(
    session: &Session,
    paths: &[PathBuf],
    policies: &[String],
    day: Date,
) -> Result<Input, Stop> {
    reading(session, paths, |config| self::policies(policies, config), (None, None), (day, true))
}

/// As [`read`], but what is left out is what the call names, whatever the settings say.
pub fn read_excluding(
    session: &Session,
    paths: &[PathBuf],
    policies: &[String],
    exclude: &[String],
    day: Date,
) -> Result<Input, Stop> {
    reading(session, paths, |config| self::policies(policies, config), (None, Some(exclude)), (day, false))
}

/// As [`read`], without policies: for what the inventory itself says.
pub fn without_policies(
    session: &Session,
    paths: &[PathBuf],
    baseline: Option<&Path>,
    day: Date,
) -> Result<Input, Stop> {
    reading(session, paths, |_| Vec::new(), (baseline, None), (day, false))
}

/// As [`read_excluding`], without policies.
pub fn inventory_excluding(
    session: &Session,
    paths: &[PathBuf],
    exclude: &[String],
    day: Date,
) -> Result<Input, Stop> {
    reading(session, paths, |_| Vec::new(), (None, Some(exclude)), (day, false))
}

fn reading(
    session: &Session,
    paths: &[PathBuf],
    policies: impl Fn(&Config) -> Vec<String>,
    (baseline, exclude): (Option<&Path>, Option<&[String]>),
    (day, keep): (Date, bool),
) -> Result<Input, Stop> {
    let mut sources = Sources::new();
    let Found { mut config, file } = configuration(session, paths, &mut sources)?;
    if let Some(exclude) = exclude {
        config.exclude = exclude.to_vec();
    }
    let baselines = config.baseline.iter().cloned().chain(baseline.map(Path::to_owned)).collect();
    if let Some(baseline) = baseline {
        config.baseline = Some(baseline.to_owned());
    }
    let nowhere = paths.is_empty() && config.inventory.is_empty();
    let is_verifying = exclude.is_some();
    let paths = self::paths(paths, &config, file.as_deref());
    let policies = policies(&config);
    let input = Input { config, file, paths, policies, baselines, day: Some(day), keep, ..Input::default() };
    let world = load::load(&input.request(session, DISK), &mut sources).map_err(|diagnostics| {
        let mut stop = session.invalid(&diagnostics, &sources);
        if nowhere {
            stop = stop.after("note: no path was given, so the working folder was read; name the inventory's");
        }
        if is_verifying {
            stop = stop.after(
                "error: nothing was verified: the files read here have mistakes, and the files that were audited \
                 had none; this is probably another inventory\n  help: name the inventory that was audited: \
                 `ringfence verify FILE PATH`\n",
            );
        }
        stop
    })?;
    Ok(Input { world, sources, ..input })
}

/// The settings, paths and policies alone: nothing of the inventory is read.
pub fn unread(
    session: &Session,
    paths: &[PathBuf],
    policies: &[String],
    day: Date,
    sources: &mut Sources,
) -> Result<Input, Stop> {
    let Found { config, file } = configuration(session, paths, sources)?;
    let baselines = config.baseline.iter().cloned().collect();
    let paths = self::paths(paths, &config, file.as_deref());
    let policies = self::policies(policies, &config);
    Ok(Input { config, file, paths, policies, baselines, day: Some(day), ..Input::default() })
}

impl Input {
    /// The request to read it from these files.
    pub fn request<'f>(&self, session: &Session, files: &'f Files) -> Request<'f> {
        Request {
            files,
            policy_files: files,
            paths: self.paths.clone(),
            exclude: self.config.exclude.clone(),
            baselines: self.baselines.clone(),
            policies: self.policies.clone(),
            limits: session.limits,
            settings: Settings::InForce(self.file.clone()),
            stdin_name: session.stdin_name.clone(),
            stages: session.stages.clone(),
            waiver_max: self.config.waiver_max,
            day: self.day,
            keep: self.keep,
            ..Request::default()
        }
    }
}

/// The policies that a call names: one at a time, or several with commas between them. What is a file or folder as it
/// stands is one, whatever its name.
pub fn named(policies: &[String]) -> Vec<String> {
    let split = |policy: &String| -> Vec<String> {
        if !policy.contains(',') || Path::new(policy).exists() {
            return vec![policy.clone()];
        }
        policy.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    policies.iter().flat_map(split).collect()
}

/// The policies named, else configured, else `core`.
pub fn policies(named: &[String], config: &Config) -> Vec<String> {
    let named = self::named(named);
    match (named.as_slice(), config.policies.as_slice()) {
        ([], []) => vec!["core".to_owned()],
        ([], configured) => configured.to_vec(),
        (named, _) => named.to_vec(),
    }
}

/// Reads a state's baseline, if its settings name one.
pub fn baseline(
    session: &Session,
    config: &Config,
    files: &Files,
    sources: &mut Sources,
) -> Result<Option<Baseline>, Stop> {
    let Some(path) = &config.baseline else {
        return Ok(None);
    };
    let most = session.limits.file_size;
    let bytes = files.read(path, most.saturating_add(1));
    if bytes.as_ref().is_ok_and(|bytes| bytes.len() as u64 > most) {
        let name = path.display().to_string();
        return Err(session.invalid(&[too_large(&name, None, most)], sources));
    }
    let text =
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
    match text {
        Ok(text) => {
            let read = Baseline::read(path.clone(), text, &session.limits, sources);
            read.map(Some).map_err(|diagnostics| session.invalid(&diagnostics, sources))
        }
        Err(error) => {
            let shown = path.display();
            stop!(
                "cannot read the baseline `{shown}`: {error}\n  help: `ringfence baseline write --output {shown}` writes one"
            )
        }
    }
}

/// What can be explained: the taxonomies, the policies named, else configured, and the
/// promises of the inventory, if one is named. Of the packs that whose rule is wanted; all
/// if none is and no policies are named.
pub fn explainable(
    session: &Session,
    paths: &[PathBuf],
    policies: &[String],
    rule: Option<&str>,
) -> Result<World, Stop> {
    let mut sources = Sources::new();
    let Found { config, file } = configuration(session, paths, &mut sources)?;
    let mut all: Vec<String> = match rule.and_then(|rule| packs::pack(rule.split('/').next()?)) {
        Some(pack) => vec![pack.id.to_owned()],
        None if policies.is_empty() => packs::names().map(str::to_owned).collect(),
        None => vec!["core".to_owned()],
    };
    let others = if policies.is_empty() { config.policies.clone() } else { named(policies) };
    for policy in others {
        if !all.contains(&policy) {
            all.push(policy);
        }
    }
    // A promise stands in the inventory, wherever that is.
    let is_promise = rule.is_some_and(|rule| promise_of_rule(rule).is_some());
    let reads = is_promise || !paths.is_empty();
    let paths = if reads { self::paths(paths, &config, file.as_deref()) } else { Vec::new() };
    let request = Request {
        paths,
        exclude: config.exclude,
        baselines: config.baseline.into_iter().collect(),
        policies: all,
        limits: session.limits,
        settings: Settings::InForce(file),
        stdin_name: session.stdin_name.clone(),
        stages: session.stages.clone(),
        ..Request::default()
    };
    load::load(&request, &mut sources).map_err(|diagnostics| session.invalid(&diagnostics, &sources))
}

/// The built-in taxonomies, and no inventory.
pub fn builtin_world(session: &Session) -> Result<World, Stop> {
    let mut sources = Sources::new();
    load::load(&Request::default(), &mut sources)
        .map_err(|diagnostics| session.invalid(&diagnostics, &sources))
}

/// The settings, and the file that they stand in.
#[derive(Default)]
pub struct Found {
    /// The settings.
    pub config: Config,
    /// Their file, if there is one.
    pub file: Option<PathBuf>,
}

/// Finds and reads the settings for some paths.
pub fn configuration(session: &Session, paths: &[PathBuf], sources: &mut Sources) -> Result<Found, Stop> {
    let first = paths.iter().find(|p| p.as_os_str() != "-").map_or(Path::new(""), PathBuf::as_path);
    let Some(file) = config::find(DISK, first) else {
        return Ok(Found::default());
    };
    let config = config::read(DISK, &file, &session.limits, sources)
        .map_err(|diagnostics| session.invalid(&diagnostics, sources))?;
    Ok(Found { config, file: Some(file) })
}

/// The paths named, else configured, else the working folder. Whoever names the very folder that the
/// settings stand in means what they say of it: the same is read from outside of it as from within.
pub fn paths(named: &[PathBuf], config: &Config, file: Option<&Path>) -> Vec<PathBuf> {
    let configured = config.inventory.as_slice();
    let whole = |path: &Path| DISK.canonical(path).ok();
    let home = file.and_then(|file| {
        whole(file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    });
    let is_home = |path: &Path| path.as_os_str() != "-" && home.is_some() && whole(path) == home;
    match (named, configured) {
        ([], []) => vec![PathBuf::from(".")],
        ([], configured) => configured.to_vec(),
        (named, []) => named.to_vec(),
        (named, configured) => named
            .iter()
            .flat_map(|path| if is_home(path) { configured.to_vec() } else { vec![path.clone()] })
            .collect(),
    }
}
