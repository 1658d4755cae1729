//! From paths to a world that can be judged: reads, decodes, resolves, and gives
//! back every mistake of every file, or none.

mod declared;

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rustc_hash::{FxHashMap, FxHashSet};

pub use self::declared::keep_to_themselves;
use self::declared::{Declared, Reading};
use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::duration::Duration;
use crate::base::finding::Notice;
use crate::base::glob::Glob;
use crate::base::limits::{Allowance, Limits};
use crate::base::source::{FileId, SourceFile, Sources, Span};
use crate::base::stages::{Stages, Unit};
use crate::declare::inventory::{Inventory, Judges, Statement, Waiver};
use crate::declare::packs;
use crate::declare::policy::{Policy, policy};
use crate::model::{Model, build};
use crate::read::decode::Decoder;
use crate::read::documents::{DECLARED, is_mapping, is_policy, is_tests};
use crate::read::files::{DISK, Files, Kind};
use crate::read::input::{self, Excluded, InputOptions, InputSet, Settings};
use crate::read::yaml::{self, Node, Value};

/// What to read.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// Where the inventory lies.
    pub files: &'r Files,
    /// Folders and files of the inventory; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Globs of what to leave out, relative to the path given.
    pub exclude: Vec<String>,
    /// Baselines, which are no part of the inventory.
    pub baselines: Vec<PathBuf>,
    /// Policies: the name of a built-in pack, a file or a folder.
    pub policies: Vec<String>,
    /// Where policies that are no packs lie.
    pub policy_files: &'r Files,
    /// Whose promises and waivers count in the place of the inventory's own.
    pub judges: Option<&'r Judges>,
    /// How much it may ask for.
    pub limits: Limits,
    /// Whether the declarations are kept as they are written, too.
    pub keep: bool,
    /// Texts that are in the sources already, in the place of `paths` and `policies`.
    pub read: Option<&'r Read>,
    /// Which settings are in force.
    pub settings: Settings,
    /// Which file standard input stands for.
    pub stdin_name: Option<PathBuf>,
    /// How long waivers may run, if settings say.
    pub waiver_max: Option<Duration>,
    /// The day judged, from which waivers run that do not say when they were approved; without it
    /// these are not checked.
    pub day: Option<Date>,
    /// Where progress is reported.
    pub stages: Stages,
}

/// Which texts were read as what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The files of the inventory, settings left out, in the order of their names.
    pub inventory: Vec<FileId>,
    /// Those of the policies, in the order named.
    pub policies: Vec<FileId>,
    /// What `exclude` left out of the inventory.
    pub excluded: Vec<Excluded>,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Request {
            files: DISK,
            paths: Vec::new(),
            exclude: Vec::new(),
            baselines: Vec::new(),
            policies: Vec::new(),
            policy_files: DISK,
            judges: None,
            limits: Limits::USUAL,
            keep: false,
            read: None,
            settings: Settings::Beside,
            stdin_name: None,
            waiver_max: None,
            day: None,
            stages: Stages::default(),
        }
    }
}

impl Request<'_> {
    /// How the files of the inventory are found.
    pub fn input_options(&self) -> InputOptions {
        InputOptions {
            exclude: self.exclude.iter().map(Glob::new).collect(),
            baselines: self.baselines.clone(),
            limits: self.limits,
            settings: self.settings.clone(),
            stdin_name: self.stdin_name.clone(),
        }
    }
}

/// All that was read, resolved.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The declared world.
    pub model: Model,
    /// The policies, in the order named.
    pub policies: Vec<Policy>,
    /// BLAKE3 over the inventory's files.
    pub digest: String,
    /// What was noticed while reading.
    pub notices: Vec<Notice>,
    /// How many files the inventory has.
    pub files: usize,
    /// How many of these hold nothing but policies and tests of them.
    pub aside: usize,
    /// How many files `exclude` leaves out of it.
    pub excluded: usize,
    /// Which texts were read as what.
    pub read: Read,
    /// How long waivers may run, if settings say.
    pub waiver_max: Option<Duration>,
    /// Its own promises and waivers, for another state of it.
    pub judges: Judges,
    /// Its own waivers, whichever count.
    pub own_waivers: Vec<Waiver>,
    /// Its own promises, whichever count, in the order of ids.
    pub own_statements: Vec<Statement>,
    /// The declarations as they are written, if they were to be kept.
    pub declared: Inventory,
}

/// Reads everything. Of the texts of an inventory without mistakes, what tells lines and columns
/// stays in `sources`, and their digests; all others stay whole.
///
/// # Errors
/// All mistakes of all files, in no particular order.
pub fn load(request: &Request, sources: &mut Sources) -> Result<World, Vec<Diagnostic>> {
    let reading = request.stages.begin("reading", 0);
    let mut diagnostics = Vec::new();
    let inventory = request.input_options();
    let options = InputOptions { settings: Settings::Any, ..inventory.clone() };
    let mut allowance = Allowance::new(request.limits);
    let set = match request.read {
        Some(read) => input::held(&read.inventory, &read.excluded, sources),
        None => input::read(request.files, &request.paths, &inventory, sources, &mut diagnostics),
    };
    for (name, path) in &set.baselines {
        declares_nothing(request, name, path, sources, &mut diagnostics);
    }
    let (policies, policy_documents) = match request.read {
        Some(read) => {
            (read.policies.clone(), held_policies(&read.policies, &mut allowance, sources, &mut diagnostics))
        }
        None => policy_documents(
            request.policy_files,
            &request.policies,
            &options,
            &mut allowance,
            sources,
            &mut diagnostics,
        ),
    };

    let files: Vec<FileId> = set.files.iter().filter(|f| !f.is_config).map(|f| f.file).collect();
    let read = Read { inventory: files, policies, excluded: set.excluded().collect() };
    let files = &read.inventory;
    let texts: &Sources = sources;
    let (digest, telling) = rayon::join(|| digest(&set, texts), || declared::telling(files, texts));
    let within = Reading { files, telling, place: request.files };
    let declared = declared::declared(&within, sources, allowance, &reading, &mut diagnostics);
    let Declared {
        inventory: mut declared,
        judges,
        policies: policies_within,
        data,
        purposes,
        broken,
        aside,
    } = declared;
    let mut decoder = Decoder::new(&mut diagnostics, &data, &purposes).within(&request.limits);
    let own_waivers = declared.waivers.clone();
    let mut own_statements = declared.statements.clone();
    own_statements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    let too_long = |waiver: &Waiver| waiver.runs_too_long(request.waiver_max, request.day);
    own_waivers.iter().filter_map(too_long).for_each(|mistake| decoder.report(mistake));
    if let Some(judges) = request.judges {
        judges.judge(&mut decoder, &mut declared);
    }
    let mut policies = Vec::new();
    policies.extend(policy_documents.iter().filter_map(|node| policy(&mut decoder, node)));
    unique_policies(&policies, sources, decoder.diagnostics);
    let notices = reading_notices(&set, &policies_within, &policies, sources);
    reading.end(sources.bytes(), Unit::Bytes);
    let kept = if request.keep { declared.clone() } else { Inventory::default() };
    let resolving = request.stages.begin("resolving", 0);
    let model = build(declared, data, purposes, &mut diagnostics);
    resolving.end(model.flows.len(), Unit::Flows);
    if diagnostics.is_empty() {
        return Ok(World {
            model,
            policies,
            digest,
            notices,
            files: files.len(),
            aside,
            excluded: read.excluded.iter().map(|excluded| excluded.files).sum(),
            read,
            waiver_max: request.waiver_max,
            judges,
            own_waivers,
            own_statements,
            declared: kept,
        });
    }
    if broken {
        // What a file that could not be read declares may be what is missing.
        for diagnostic in diagnostics.iter_mut().filter(|d| d.code.starts_with("unknown-")) {
            let named = matches!(
                diagnostic.code,
                "unknown-party"
                    | "unknown-system"
                    | "unknown-agreement"
                    | "unknown-category"
                    | "unknown-purpose"
            );
            if named && diagnostic.help.is_none() {
                diagnostic.help = Some("it may be declared in a file that could not be read".to_owned());
            }
        }
    }
    give_back(&diagnostics, request, sources);
    diagnostics.sort_by_key(|d| (d.primary.as_ref().map(|l| l.span), d.code));
    diagnostics.dedup();
    let mut said = FxHashSet::default();
    let texts: &Sources = sources;
    diagnostics.retain(|d| {
        // What was read as a policy and among the inventory's files is reported once.
        let text = |span: Span| texts.get(span.file).map(SourceFile::digest);
        d.primary.as_ref().is_none_or(|l| {
            said.insert((d.code, d.message.clone(), l.span.start, text(l.span).map(|hash| *hash.as_bytes())))
        })
    });
    Err(diagnostics)
}

/// Says so if a file that is left out as a baseline declares something: nobody would read that.
fn declares_nothing(
    request: &Request,
    name: &str,
    path: &Path,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let text = request.files.read(path, request.limits.file_size.saturating_add(1)).ok();
    let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        // Whoever reads it as a baseline says so.
        return;
    };
    let file = sources.add_at(name.to_owned(), path.to_owned(), text);
    let text = sources.get(file).and_then(SourceFile::text).unwrap_or_default();
    for document in yaml::parse(file, text, &request.limits, &mut Vec::new()) {
        let Value::Map(entries) = &document.value else { continue };
        for entry in entries.iter().filter(|entry| DECLARED.contains(&entry.key.as_ref())) {
            let message = format!("`{}` in a file that is named as a baseline would not be read", entry.key);
            diagnostics.push(
                Diagnostic::new("unknown-key", message, entry.key_span)
                    .label("a key of an inventory")
                    .help("a baseline is a file of its own: move this to another file"),
            );
        }
    }
}

/// Reads again the texts that mistakes are shown in, if they were let go. One that has changed since
/// is not shown.
fn give_back(mistakes: &[Diagnostic], request: &Request, sources: &mut Sources) {
    let labels = mistakes.iter().flat_map(|mistake| mistake.primary.iter().chain(&mistake.secondary));
    for id in labels.map(|label| label.span.file) {
        declared::give_back(id, request.files, sources);
    }
}

/// Whether a text holds policies and their tests and nothing else: so it is no part of an
/// inventory.
pub fn is_policy_text(text: &str, limits: &Limits) -> bool {
    let nodes = yaml::parse(FileId(0), text, limits, &mut Vec::new());
    !nodes.is_empty() && nodes.iter().all(|node| is_policy(node) || is_tests(node))
}

/// Whether a text holds mappings of imports and nothing else.
pub fn is_mapping_text(text: &str, limits: &Limits) -> bool {
    let nodes = yaml::parse(FileId(0), text, limits, &mut Vec::new());
    !nodes.is_empty() && nodes.iter().all(is_mapping)
}

/// Whether a text holds tests of policies and nothing else.
pub fn is_tests_text(text: &str, limits: &Limits) -> bool {
    let nodes = yaml::parse(FileId(0), text, limits, &mut Vec::new());
    !nodes.is_empty() && nodes.iter().all(is_tests)
}

fn documents<'s>(
    file: FileId,
    sources: &'s Sources,
    allowance: &mut Allowance,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'s>> {
    let text = sources.get(file).and_then(SourceFile::text).unwrap_or_default();
    yaml::read(file, text, allowance, diagnostics)
}

/// The policies in texts that were read already.
fn held_policies(
    files: &[FileId],
    allowance: &mut Allowance,
    sources: &Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'static>> {
    let mut all = Vec::new();
    for &file in files {
        let found = documents(file, sources, allowance, diagnostics);
        all.extend(found.into_iter().filter(is_policy).map(Node::into_owned));
    }
    all
}

/// The policies named: their files, and their documents.
fn policy_documents(
    files: &Files,
    names: &[String],
    options: &InputOptions,
    allowance: &mut Allowance,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<FileId>, Vec<Node<'static>>) {
    let (mut read, mut all) = (Vec::new(), Vec::new());
    for name in names {
        if let Some(carried) = packs::carried(name) {
            let carried = match carried {
                Ok(carried) => carried,
                Err(known) => {
                    let message = format!("`{name}` is no version of a pack that this program carries");
                    let help = format!("it carries {known}; name the pack alone for the newest");
                    diagnostics.push(Diagnostic::without_place("unknown-policy", message).help(help));
                    continue;
                }
            };
            let file = sources.add(carried.file, carried.policy.to_owned());
            read.push(file);
            // What comes with the program is in no need of limits.
            let found = documents(file, sources, &mut Allowance::default(), diagnostics);
            all.extend(found.into_iter().map(Node::into_owned));
            continue;
        }
        let (path, digest) = packs::path_and_digest(name);
        let kind = files.kind(Path::new(path));
        if kind.is_err() {
            let bare = name.split('@').next().unwrap_or(name);
            let help = match nearest(bare, packs::names()) {
                _ if name.contains("@sha256:") => {
                    format!("a file is pinned by its BLAKE3 digest: `FILE{}…`", packs::DIGEST)
                }
                Some(near) => format!("did you mean the pack `{near}`?"),
                None => {
                    let all: Vec<&str> = packs::names().collect();
                    format!("packs: {}; or name a file or folder", all.join(", "))
                }
            };
            let message = format!("there is no policy `{name}`: neither a pack nor a file nor a folder");
            diagnostics.push(Diagnostic::without_place("unknown-policy", message).help(help));
            continue;
        }
        let is_folder = kind.is_ok_and(|kind| kind == Kind::Folder);
        let before = (all.len(), diagnostics.len());
        let set = input::read(files, &[PathBuf::from(path)], options, sources, diagnostics);
        if let Some(digest) = digest {
            let found = set.files.iter().find(|f| !f.is_config).and_then(|f| sources.get(f.file));
            let found = found.filter(|_| !is_folder).map(SourceFile::digest);
            diagnostics.extend(pinned(path, digest, found));
        }
        for file in set.files.iter().filter(|f| !f.is_config) {
            read.push(file.file);
            let found = documents(file.file, sources, allowance, diagnostics);
            // Of a folder only the policies: its tests and samples are inventories.
            let kept = found.into_iter().filter(|node| is_policy(node) || !(is_folder || is_tests(node)));
            all.extend(kept.map(Node::into_owned));
        }
        if (all.len(), diagnostics.len()) == before {
            let message = format!("there is no policy in `{name}`");
            diagnostics.push(
                Diagnostic::without_place("no-policy", message)
                    .help("a policy is a document with the key `policy`"),
            );
        }
    }
    (read, all)
}

/// What is wrong with a file that is pinned by a digest.
fn pinned(path: &str, digest: &str, found: Option<blake3::Hash>) -> Option<Diagnostic> {
    let mistake =
        |message: String, help: String| Some(Diagnostic::without_place("policy-digest", message).help(help));
    let Some(found) = found else {
        return mistake(
            format!("`{path}` cannot be pinned by a digest"),
            "a digest is that of one file: pin each policy of a folder".to_owned(),
        );
    };
    let is = format!("the digest of the file is `{}{found}`", packs::DIGEST.trim_start_matches('@'));
    match blake3::Hash::from_hex(digest) {
        Ok(wanted) if wanted == found => None,
        Ok(_) => mistake(
            format!("`{path}` is not the file that is pinned"),
            format!("{is}: look at what has changed before you pin that"),
        ),
        Err(_) => mistake(format!("`{digest}` is no digest: expected 64 hexadecimal digits"), is),
    }
}

fn unique_policies(policies: &[Policy], sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    let mut named: FxHashMap<&str, Span> = FxHashMap::default();
    for policy in policies {
        let first = *named.entry(&policy.id.value).or_insert(policy.id.span);
        let text = |span: Span| sources.get(span.file).map(|f| (f.name(), f.text()));
        let again = policy.id.span;
        if first.file != again.file && (first.start, text(first)) == (again.start, text(again)) {
            diagnostics.push(
                Diagnostic::new(
                    "duplicate-id",
                    format!("the policy `{}` is named twice", policy.id.value),
                    again,
                )
                .label("read twice")
                .help("name it once"),
            );
        } else if first != again {
            diagnostics.push(
                Diagnostic::new(
                    "duplicate-id",
                    format!("two policies are called `{}`", policy.id.value),
                    policy.id.span,
                )
                .label("declared again")
                .also(first, "first declared here"),
            );
        }
    }
}

fn reading_notices(set: &InputSet, within: &[Node], in_force: &[Policy], sources: &Sources) -> Vec<Notice> {
    let mut notices = Vec::new();
    let in_force: FxHashSet<&str> = in_force.iter().map(|p| p.id.value.as_str()).collect();
    for document in within {
        let Value::Map(entries) = &document.value else {
            continue;
        };
        let Some(entry) = entries.iter().find(|e| e.key == "policy") else {
            continue;
        };
        let id = match &entry.value.value {
            Value::Scalar(scalar) => scalar.text.as_ref(),
            _ => "",
        };
        if !in_force.contains(id) {
            notices.push(Notice {
                code: "policy-not-in-force".to_owned(),
                message: format!("the policy `{id}` lies among the inventory's files but is not applied; name it with `--policy` or in `policies`"),
                subjects: Vec::new(),
                location: Some(sources.location(entry.key_span)),
            });
        }
    }
    let excluded: Vec<Excluded> = set.excluded().collect();
    if !excluded.is_empty() {
        let files: usize = excluded.iter().map(|excluded| excluded.files).sum();
        notices.push(Notice {
            code: "files-excluded".to_owned(),
            message: format!("`exclude` leaves out {files} file{}", if files == 1 { "" } else { "s" }),
            subjects: excluded.into_iter().map(|excluded| excluded.name).collect(),
            location: None,
        });
    }
    notices
}

/// BLAKE3 over the files in the order of their names: name, zero byte, length, bytes.
fn digest(set: &InputSet, sources: &Sources) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in set.files.iter().filter(|f| !f.is_config) {
        let text = sources.get(file.file).and_then(SourceFile::text).unwrap_or_default();
        hasher.update(file.name.as_bytes());
        hasher.update(&[0]);
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
