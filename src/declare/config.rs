//! What `ringfence.yaml` says: the settings that hold unless the call says
//! otherwise. Its paths are relative to the folder it lies in.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;

use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::limits::Limits;
use crate::base::source::{Sources, Span};
use crate::base::taxonomy::Tree;
use crate::base::vocabulary::{Format, Status, Word, words};
use crate::declare::gate::Threshold;
use crate::declare::packs;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::files::{Files, lexically, slashed};
use crate::read::input::too_large;
use crate::read::yaml::{self, Node};

/// The name of the file.
pub use crate::read::documents::SETTINGS as FILE;

/// More than this is no configuration.
const MOST_BYTES: u64 = 1 << 20;

words! {
    /// A key of the settings. `diff::settings` says what a change of each lets pass.
    Setting: "a setting" {
        /// What is read.
        Inventory = "inventory",
        /// What is left out of it.
        Exclude = "exclude",
        /// What it is checked against.
        Policies = "policies",
        /// From which severity on findings fail.
        FailOn = "fail_on",
        /// Which findings are known.
        Baseline = "baseline",
        /// Which day's flows count.
        AsOf = "as_of",
        /// Which agreements count.
        Status = "status",
        /// Which reports are written.
        Reports = "reports",
        /// How long waivers may run.
        WaiverMax = "waiver_max",
        /// What is imported from other formats.
        Imports = "imports",
    }
}

impl Setting {
    /// What holds where it is not set.
    pub fn unset(self) -> &'static str {
        match self {
            Setting::Inventory => "the working folder",
            Setting::Exclude => "nothing",
            Setting::Policies => "core",
            Setting::FailOn => "high",
            Setting::Baseline | Setting::Reports | Setting::Imports => "none",
            Setting::AsOf => "none: effective dates are ignored",
            Setting::Status => "all",
            Setting::WaiverMax => "1y",
        }
    }
}

/// The settings of one file. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Folders and files of the inventory.
    pub inventory: Vec<PathBuf>,
    /// Globs of what to leave out.
    pub exclude: Vec<String>,
    /// Policies: the name of a built-in pack, a file or a folder.
    pub policies: Vec<String>,
    /// From which severity on findings count.
    pub fail_on: Option<Threshold>,
    /// Accepted findings.
    pub baseline: Option<PathBuf>,
    /// The day that dates are compared with.
    pub as_of: Option<Date>,
    /// Only agreements with these statuses.
    pub status: Vec<Status>,
    /// Reports to write besides.
    pub reports: Vec<(Format, PathBuf)>,
    /// How long a waiver may run from the day it was approved.
    pub waiver_max: Option<Duration>,
    /// Mappings of what is imported from other formats.
    pub imports: Vec<PathBuf>,
}

impl Config {
    /// Each key with what it is set to; paths as seen from a folder; empty: not set.
    pub fn entries(&self, folder: &Path) -> Vec<(Setting, Vec<String>)> {
        // Taken apart by name, so that a further setting cannot be left out.
        let Config {
            inventory,
            exclude,
            policies,
            fail_on,
            baseline,
            as_of,
            status,
            reports,
            waiver_max,
            imports,
        } = self;
        let path = |path: &PathBuf| slashed(path.strip_prefix(folder).unwrap_or(path));
        let policies = policies.iter().map(|p| path(&PathBuf::from(p)));
        let reports = reports.iter().map(|(format, file)| format!("{}={}", format.word(), path(file)));
        vec![
            (Setting::Inventory, inventory.iter().map(path).collect()),
            (Setting::Exclude, exclude.clone()),
            (Setting::Policies, policies.collect()),
            (Setting::FailOn, fail_on.iter().map(|t| t.word().to_owned()).collect()),
            (Setting::Baseline, baseline.iter().map(path).collect()),
            (Setting::AsOf, as_of.iter().map(ToString::to_string).collect()),
            (Setting::Status, status.iter().map(ToString::to_string).collect()),
            (Setting::Reports, reports.collect()),
            (Setting::WaiverMax, waiver_max.iter().map(ToString::to_string).collect()),
            (Setting::Imports, imports.iter().map(path).collect()),
        ]
    }
}

/// Finds the configuration beside or above a path: in the folder itself (the
/// folder of a file), then upwards.
pub fn find(files: &Files, from: &Path) -> Option<PathBuf> {
    let lexical = from.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let first = |folders: &mut dyn Iterator<Item = &Path>| {
        folders.map(|folder| folder.join(FILE)).find(|file| files.is_file(file))
    };
    if !lexical && files.is_of_revision(from) {
        // What is named need not be there: settings can lie above it all the same.
        let whole = lexically(&std::env::current_dir().ok()?.join(from));
        return first(&mut whole.ancestors());
    }
    if !lexical {
        return first(&mut files.canonical(from).ok()?.ancestors());
    }
    // Within the working folder names stay relative, as the user knows them.
    first(&mut from.ancestors()).or_else(|| first(&mut std::env::current_dir().ok()?.ancestors().skip(1)))
}

/// Reads a configuration. Its text stays in `sources`.
///
/// # Errors
/// All its mistakes.
pub fn read(
    files: &Files,
    path: &Path,
    limits: &Limits,
    sources: &mut Sources,
) -> Result<Config, Vec<Diagnostic>> {
    read_with_places(files, path, limits, sources).map(|(config, _)| config)
}

/// As [`read`], with where each setting is written.
///
/// # Errors
/// As there.
pub fn read_with_places(
    files: &Files,
    path: &Path,
    limits: &Limits,
    sources: &mut Sources,
) -> Result<(Config, BTreeMap<Setting, Span>), Vec<Diagnostic>> {
    let unreadable = |why: &str| {
        vec![Diagnostic::without_place("unreadable-file", format!("cannot read `{}`: {why}", path.display()))]
    };
    let bytes = files.read(path, MOST_BYTES + 1).map_err(|e| unreadable(&e.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable("it is larger than 1 MiB"));
    }
    if bytes.len() as u64 > limits.file_size {
        let name = path.display().to_string();
        return Err(vec![too_large(&name, Some(bytes.len() as u64), limits.file_size)]);
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    let file = sources.add_at(path.display().to_string(), path.to_owned(), text.clone());
    let mut diagnostics = Vec::new();
    let documents = yaml::parse(file, &text, limits, &mut diagnostics);
    let tree = Tree::default();
    let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
    let folder = path.parent().unwrap_or(Path::new(""));
    let config = match documents.as_slice() {
        [] => Config::default(),
        [document] => decode(&mut d, document, files, folder),
        [_, second, ..] => {
            d.report(
                Diagnostic::new("two-documents", "a configuration is one document", second.span)
                    .label("expected nothing after the first document"),
            );
            Config::default()
        }
    };
    let written = documents.first().map(written).unwrap_or_default();
    if diagnostics.is_empty() { Ok((config, written)) } else { Err(diagnostics) }
}

/// Where each setting is written.
fn written(document: &Node) -> BTreeMap<Setting, Span> {
    match &document.value {
        yaml::Value::Map(entries) => {
            entries.iter().filter_map(|e| Some((Setting::parse(&e.key)?, e.key_span))).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn decode(d: &mut Decoder, document: &Node, files: &Files, folder: &Path) -> Config {
    let mut config = Config::default();
    if document.value == yaml::Value::Null {
        return config;
    }
    let Some(mut f) = Fields::new(d, document, "a configuration") else {
        return config;
    };
    let path = |d: &mut Decoder, text: Spanned<String>| {
        let path = folder.join(&text.value);
        if !files.may_name(&path) {
            d.report(
                Diagnostic::new("outside-repository", "this leads out of the repository", text.span)
                    .label("expected a path within the repository")
                    .help("the settings of a revision come with it, and lead to nothing besides it: name a policy that lies elsewhere in the call, `--policy FILE`"),
            );
            return None;
        }
        Some(path)
    };
    config.inventory = f.list(d, "inventory", |d, n| d.text(n).and_then(|text| path(d, text)));
    config.exclude = f.list(d, "exclude", |d, n| d.text(n)).into_iter().map(|t| t.value).collect();
    config.policies = f.list(d, "policies", |d, n| {
        let name = d.text(n)?;
        if packs::is_pack(&name.value) {
            return Some(name.value);
        }
        path(d, name).map(|path| path.to_string_lossy().into_owned())
    });
    config.fail_on = f.with(d, "fail_on", |d, n| d.word::<Threshold>(n)).map(|w| w.value);
    config.baseline = f.with(d, "baseline", |d, n| d.text(n).and_then(|text| path(d, text)));
    config.as_of = f.with(d, "as_of", |d, n| d.date(n)).map(|t| t.value);
    config.status = f.list(d, "status", |d, n| d.word::<Status>(n)).into_iter().map(|w| w.value).collect();
    let reports = f.with(d, "reports", |d, n| {
        Some(d.map(n, "a map from format to file", |d, name, file| {
            let format = format(d, &name)?;
            let text = d.text(file)?;
            if let Some(why) = leads_away(folder, Path::new(&text.value)) {
                d.report(
                    Diagnostic::new("report-elsewhere", format!("a report would be written {why}"), text.span)
                        .label("expected a file in the folder of the settings or below")
                        .help("settings come with the inventory, from whoever sends it: `--report FORMAT=FILE` writes anywhere"),
                );
                return None;
            }
            Some((format, folder.join(text.value)))
        }))
    });
    config.reports = reports.unwrap_or_default();
    config.waiver_max = f.with(d, "waiver_max", |d, n| d.duration(n)).map(|long| long.value);
    config.imports = f.list(d, "imports", |d, n| d.text(n).and_then(|text| path(d, text)));
    f.finish(d);
    config
}

/// Whether a file that settings name lies elsewhere than in their folder, and where. The
/// repository's own folder is not for reports, and a link can lead anywhere.
fn leads_away(folder: &Path, file: &Path) -> Option<&'static str> {
    let mut place = folder.to_owned();
    for part in file.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) if name.eq_ignore_ascii_case(".git") => {
                return Some("into a repository's own folder");
            }
            Component::Normal(name) => {
                place.push(name);
                if place.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
                    return Some("where a link leads");
                }
            }
            _ => return Some("outside of the folder of the settings"),
        }
    }
    None
}

fn format(d: &mut Decoder, name: &Spanned<String>) -> Option<Format> {
    let format = Format::parse(&name.value);
    if format.is_none() {
        let known: Vec<&str> = Format::ALL.iter().map(|f| f.word()).collect();
        d.report(
            Diagnostic::new("unknown-word", format!("`{}` is not a format", name.value), name.span)
                .label("expected a format")
                .help(format!("known: {}", known.join(", "))),
        );
    }
    format
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::source::FileId;
    use crate::base::vocabulary::Severity;
    use crate::read::files::DISK;
    use crate::read::yaml::{Entry, Scalar, Value};

    /// A tree of nodes from YAML, with places that mean nothing.
    fn node(value: &serde_yaml::Value) -> Node<'static> {
        let span = Span::new(FileId(0), 0, 0);
        let text = |v: &serde_yaml::Value| serde_yaml::to_string(v).unwrap().trim().replace('\'', "");
        let value = match value {
            serde_yaml::Value::Null => Value::Null,
            serde_yaml::Value::Sequence(items) => Value::Seq(items.iter().map(node).collect()),
            serde_yaml::Value::Mapping(map) => Value::Map(
                map.iter()
                    .map(|(k, v)| Entry { key: text(k).into(), key_span: span, value: node(v) })
                    .collect(),
            ),
            scalar => Value::Scalar(Scalar { text: text(scalar).into(), plain: true }),
        };
        Node { span, value }
    }

    fn decoded(text: &str) -> (Config, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let tree = Tree::default();
        let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
        let config = decode(&mut d, &node(&serde_yaml::from_str(text).unwrap()), DISK, Path::new("project"));
        (config, diagnostics)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let (config, mistakes) = decoded(
            "inventory: declared\nexclude: ['drafts/**']\npolicies: [core, house.yaml]\nfail_on: never\n\
             baseline: accepted.yaml\nas_of: 2018-08-06\nstatus: active\nreports: {json: out/audit.json}\nwaiver_max: 6m\nimports: ropa.import.yaml\n",
        );
        assert_eq!(mistakes, []);
        assert_eq!(
            config,
            Config {
                inventory: vec![PathBuf::from("project/declared")],
                exclude: vec!["drafts/**".to_owned()],
                policies: vec!["core".to_owned(), "project/house.yaml".to_owned()],
                fail_on: Some(Threshold::Never),
                baseline: Some(PathBuf::from("project/accepted.yaml")),
                as_of: Some("2018-08-06".parse().unwrap()),
                status: vec![Status::Active],
                reports: vec![(Format::Json, PathBuf::from("project/out/audit.json"))],
                waiver_max: Duration::parse("6m"),
                imports: vec![PathBuf::from("project/ropa.import.yaml")],
            }
        );
        assert_eq!(decoded("fail_on: low").0.fail_on, Some(Threshold::At(Severity::Low)));
    }

    #[test]
    fn mistakes_are_those_of_every_other_file() {
        let (_, mistakes) = decoded("inventry: x\nfail_on: hi\nreports: {jsn: x}\nas_of: 2018-13-01\n");
        let codes: Vec<_> = mistakes.iter().map(|m| m.code).collect();
        assert_eq!(codes, ["unknown-word", "bad-date", "unknown-word", "unknown-key"]);
        assert_eq!(mistakes.last().unwrap().help.as_deref(), Some("did you mean `inventory`?"));
    }

    #[test]
    fn is_found_beside_and_above() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("x.yaml"), "").unwrap();
        let file = std::fs::canonicalize(folder.path()).unwrap().join("a").join(FILE);
        assert_ne!(find(DISK, &deep), Some(file.clone()));
        std::fs::write(&file, "").unwrap();
        for from in [&deep, &deep.join("x.yaml"), &folder.path().join("a")] {
            assert_eq!(find(DISK, from), Some(file.clone()), "{from:?}");
        }
    }
}
