//! From arguments to a world: the configuration, the paths, the policies; and how
//! mistakes in them are shown.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ringfence::base::diagnostic::Diagnostic;
use ringfence::base::source::Sources;
use ringfence::base::visible::visible;
use ringfence::declare::baseline::Baseline;
use ringfence::declare::config::{self, Config};
use ringfence::declare::packs;
use ringfence::model::load::{self, Request, World};
use ringfence::read::files::{DISK, Files};
use ringfence::read::input::{Settings, too_large};
use ringfence::report::terminal;

use super::limits::{limits, mistakes_shown, stdin_name};
use super::output::{self, Color};

/// The exit code of a wrong input or call.
pub const WRONG: u8 = 2;

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
    /// The declared world and the policies.
    pub world: World,
    /// All texts.
    pub sources: Sources,
}

/// Reads the configuration, if there is one, the inventory and the policies. If
/// there are mistakes, they have been shown and the exit code is the error.
pub fn read(
    paths: &[PathBuf],
    policies: &[String],
    baseline: Option<&Path>,
    color: Color,
) -> Result<Input, ExitCode> {
    reading(paths, |config| self::policies(policies, config), baseline, None, color)
}

/// As [`read`], but what is left out is what the call names, whatever the settings say.
pub fn read_excluding(
    paths: &[PathBuf],
    policies: &[String],
    exclude: &[String],
    color: Color,
) -> Result<Input, ExitCode> {
    reading(paths, |config| self::policies(policies, config), None, Some(exclude), color)
}

/// As [`read`], without policies: for what the inventory itself says.
pub fn without_policies(paths: &[PathBuf], baseline: Option<&Path>, color: Color) -> Result<Input, ExitCode> {
    reading(paths, |_| Vec::new(), baseline, None, color)
}

/// As [`read_excluding`], without policies.
pub fn inventory_excluding(paths: &[PathBuf], exclude: &[String], color: Color) -> Result<Input, ExitCode> {
    reading(paths, |_| Vec::new(), None, Some(exclude), color)
}

fn reading(
    paths: &[PathBuf],
    policies: impl Fn(&Config) -> Vec<String>,
    baseline: Option<&Path>,
    exclude: Option<&[String]>,
    color: Color,
) -> Result<Input, ExitCode> {
    let mut sources = Sources::new();
    let Found { mut config, file } =
        configuration(paths, &mut sources).map_err(|mistakes| show(&mistakes, &sources, color))?;
    if let Some(exclude) = exclude {
        config.exclude = exclude.to_vec();
    }
    let baselines = config.baseline.iter().cloned().chain(baseline.map(Path::to_owned)).collect();
    if let Some(baseline) = baseline {
        config.baseline = Some(baseline.to_owned());
    }
    let nowhere = paths.is_empty() && config.inventory.is_empty();
    let verifying = exclude.is_some();
    let paths = self::paths(paths, &config, file.as_deref());
    let policies = policies(&config);
    let input = Input { config, file, paths, policies, baselines, ..Input::default() };
    match load::load(&input.request(&DISK), &mut sources) {
        Ok(world) => Ok(Input { world, sources, ..input }),
        Err(mistakes) => {
            if verifying {
                output::say(
                    "error: nothing was verified: what is read here has mistakes, and what was audited had none; \
                     it is probably another inventory\n  help: name the inventory that was audited: `ringfence \
                     verify FILE PATH`\n",
                );
            }
            if nowhere {
                output::say("note: no path was named, so this folder was read; name the inventory's");
            }
            Err(show(&mistakes, &sources, color))
        }
    }
}

impl Input {
    /// What is read, from there.
    pub fn request<'f>(&self, files: &'f Files) -> Request<'f> {
        Request {
            files,
            policy_files: files,
            paths: self.paths.clone(),
            exclude: self.config.exclude.clone(),
            baselines: self.baselines.clone(),
            policies: self.policies.clone(),
            limits: limits(),
            settings: Settings::InForce(self.file.clone()),
            stdin_name: stdin_name(),
            ..Request::default()
        }
    }
}

/// The policies named, else configured, else `core`.
pub fn policies(named: &[String], config: &Config) -> Vec<String> {
    match (named, config.policies.as_slice()) {
        ([], []) => vec!["core".to_owned()],
        ([], configured) => configured.to_vec(),
        (named, _) => named.to_vec(),
    }
}

/// Reads a state's baseline, if its settings name one. If it cannot be read, that has
/// been shown.
pub fn baseline(
    config: &Config,
    files: &Files,
    sources: &mut Sources,
    color: Color,
) -> Result<Option<Baseline>, ExitCode> {
    let Some(path) = &config.baseline else {
        return Ok(None);
    };
    let most = limits().file_size;
    let bytes = files.read(path, most.saturating_add(1));
    if bytes.as_ref().is_ok_and(|bytes| bytes.len() as u64 > most) {
        let name = path.display().to_string();
        return Err(show(&[too_large(&name, None, most)], sources, color));
    }
    let text =
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
    match text {
        Ok(text) => {
            let read = Baseline::read(path.clone(), text, &limits(), sources);
            read.map(Some).map_err(|mistakes| show(&mistakes, sources, color))
        }
        Err(error) => {
            let shown = visible(&path.display().to_string());
            output::say(&format!(
                "error: cannot read the baseline `{shown}`: {error}\n  help: `ringfence baseline write --output {shown}` writes one"
            ));
            Err(ExitCode::from(WRONG))
        }
    }
}

/// What can be explained: the taxonomies, the policies named, else configured, and the
/// promises of the inventory, if one is named. Of the packs that whose rule is wanted; all
/// if none is and no policies are named.
pub fn explainable(
    paths: &[PathBuf],
    policies: &[String],
    rule: Option<&str>,
    color: Color,
) -> Result<World, ExitCode> {
    let mut sources = Sources::new();
    let Found { config, file } =
        configuration(paths, &mut sources).map_err(|mistakes| show(&mistakes, &sources, color))?;
    let mut all: Vec<String> = match rule.and_then(|rule| packs::pack(rule.split('/').next()?)) {
        Some(pack) => vec![pack.id.to_owned()],
        None if policies.is_empty() => packs::names().map(str::to_owned).collect(),
        None => vec!["core".to_owned()],
    };
    let others = if policies.is_empty() { &config.policies } else { policies };
    for policy in others {
        if !all.contains(policy) {
            all.push(policy.clone());
        }
    }
    let paths = if paths.is_empty() { Vec::new() } else { self::paths(paths, &config, file.as_deref()) };
    let request = Request {
        paths,
        exclude: config.exclude,
        baselines: config.baseline.into_iter().collect(),
        policies: all,
        limits: limits(),
        settings: Settings::InForce(file),
        stdin_name: stdin_name(),
        ..Request::default()
    };
    load::load(&request, &mut sources).map_err(|mistakes| show(&mistakes, &sources, color))
}

/// The built-in taxonomies, and no inventory.
pub fn nothing(color: Color) -> Result<World, ExitCode> {
    let mut sources = Sources::new();
    load::load(&Request::default(), &mut sources).map_err(|mistakes| show(&mistakes, &sources, color))
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
pub fn configuration(paths: &[PathBuf], sources: &mut Sources) -> Result<Found, Vec<Diagnostic>> {
    let first = paths.iter().find(|p| p.as_os_str() != "-").map_or(Path::new(""), PathBuf::as_path);
    match config::find(&DISK, first) {
        Some(file) => Ok(Found { config: config::read(&DISK, &file, &limits(), sources)?, file: Some(file) }),
        None => Ok(Found::default()),
    }
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

/// Shows the first mistakes on standard error, and how many they are.
pub fn show(mistakes: &[Diagnostic], sources: &Sources, color: Color) -> ExitCode {
    let stderr = io::stderr();
    let mut ordered: Vec<&Diagnostic> = mistakes.iter().collect();
    ordered.sort_by_key(|mistake| mistake.primary.as_ref().map(|label| label.span));
    let more = ordered.len().saturating_sub(mistakes_shown());
    ordered.truncate(mistakes_shown());
    let text = terminal::render(&ordered, sources, color.on(&stderr), output::error_width());
    output::say(text.trim_end());
    if more > 0 {
        output::say(&format!("\n… and {more} more; --max-errors 0 shows all"));
    }
    output::say(&tally(mistakes));
    ExitCode::from(WRONG)
}

/// `error: 3 mistakes in 2 files; nothing was judged`.
fn tally(mistakes: &[Diagnostic]) -> String {
    let files: BTreeSet<_> =
        mistakes.iter().filter_map(|m| m.primary.as_ref()).map(|l| l.span.file).collect();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let within = match files.len() {
        0 => String::new(),
        n => format!(" in {n} file{}", plural(n)),
    };
    format!("error: {} mistake{}{within}; nothing was judged", mistakes.len(), plural(mistakes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence::base::source::{FileId, Span};

    #[test]
    fn mistakes_are_counted_with_their_files() {
        let at = |file| Diagnostic::new("x", "x", Span::new(FileId(file), 0, 1));
        assert_eq!(tally(&[at(0), at(1), at(1)]), "error: 3 mistakes in 2 files; nothing was judged");
        let none = Diagnostic::without_place("x", "x");
        assert_eq!(tally(&[none]), "error: 1 mistake; nothing was judged");
    }
}
