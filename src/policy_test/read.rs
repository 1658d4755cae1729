//! From paths to tests that can be judged: finds the files, reads their policies and
//! inventories, and gives back every mistake.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::decode::{self, File, Finding, Inventory, Test};
use super::{Case, Data, Expected, Judged, Name, Suite, change};
use crate::audit::Options;
use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::glob::Glob;
use crate::base::limits::{Allowance, Limits};
use crate::base::source::{FileId, Sources};
use crate::base::taxonomy::Tree;
use crate::declare::inventory::{self, TaxonomyDeclared, builtin, declared_taxonomy};
use crate::declare::packs::{self, Pack};
use crate::declare::policy::policy;
use crate::model::load::{self, World};
use crate::model::{Model, Scope, build};
use crate::read::decode::{Decoder, Spanned};
use crate::read::documents::{is_policy, is_tests};
use crate::read::files::{DISK, Files, Kind, lexically};
use crate::read::input::{self, InputOptions, Settings, too_large};
use crate::read::yaml::{self, Node};

/// Where a file of tests lies.
#[derive(Debug, Clone)]
enum Home {
    /// It comes with the program.
    Pack(&'static Pack),
    /// On the disk.
    Disk(PathBuf),
}

/// A policy's documents, read once for all tests of it.
type Documents = Rc<Vec<Node<'static>>>;

struct Reader<'r> {
    sources: &'r mut Sources,
    diagnostics: Vec<Diagnostic>,
    built_in: TaxonomyDeclared,
    policies: FxHashMap<PathBuf, Option<Documents>>,
    inventories: FxHashMap<PathBuf, Documents>,
    allowance: Allowance,
}

/// Reads all tests below some paths; the name of a built-in pack stands for its own.
/// `wanted` says by file, name and rule which of them are run.
///
/// # Errors
/// All mistakes of all files; that there are no tests is one.
pub fn read(
    paths: &[PathBuf],
    wanted: impl Fn(&str, &str, Option<&str>) -> bool,
    limits: Limits,
    sources: &mut Sources,
) -> Result<Suite, Vec<Diagnostic>> {
    let built_in = builtin().unwrap_or_default();
    let mut reader = Reader {
        sources,
        diagnostics: Vec::new(),
        built_in,
        policies: FxHashMap::default(),
        inventories: FxHashMap::default(),
        allowance: Allowance::new(limits),
    };
    let mut suite = Suite::default();
    let mut any = false;
    for path in paths {
        for (file, home) in reader.found(path) {
            any = true;
            reader.cases(file, &home, &wanted, &mut suite);
        }
    }
    let mut diagnostics = reader.diagnostics;
    if diagnostics.is_empty() && suite.cases.is_empty() {
        let shown: Vec<String> = paths.iter().map(|p| format!("`{}`", p.display())).collect();
        diagnostics.push(match any {
            true => Diagnostic::without_place("no-tests", "there is no test like that")
                .help("leave `--filter` out to run all"),
            false => {
                Diagnostic::without_place("no-tests", format!("there are no tests in {}", shown.join(", ")))
                    .help("tests are YAML files with the key `tests`; or name a built-in pack")
            }
        });
    }
    if diagnostics.is_empty() {
        return Ok(suite);
    }
    diagnostics.sort_by_key(|d| (d.primary.as_ref().map(|l| l.span), d.code));
    diagnostics.dedup();
    Err(diagnostics)
}

/// Whether a text looks as if it had tests: one that cannot be read might be no such file.
fn looks_like_tests(text: &str) -> bool {
    text.lines().any(|line| {
        let key = line.split(':').next().unwrap_or_default().trim_end();
        line.contains(':') && matches!(key, "tests" | "\"tests\"" | "'tests'")
    })
}

impl Reader<'_> {
    /// The files of tests below a path, or of a pack.
    fn found(&mut self, path: &Path) -> Vec<(FileId, Home)> {
        if let Some(pack) = path.to_str().and_then(packs::pack) {
            let add = |(name, text): &(&str, &str)| {
                let shown = format!("policies/{}/tests/{name}", pack.id);
                (self.sources.add(shown, (*text).to_owned()), Home::Pack(pack))
            };
            return pack.tests.iter().map(add).collect();
        }
        // Looked through first: what holds no tests is none of our concern.
        let mut looked = Sources::new();
        let mut mistakes = Vec::new();
        let given = [path.to_owned()];
        let set = input::read(DISK, &given, &self.options(), &mut looked, &mut mistakes);
        for mistake in mistakes {
            let text = mistake.primary.as_ref().and_then(|label| looked.get(label.span.file));
            match text {
                None => self.diagnostics.push(near_pack(path, mistake)),
                Some(text) if text.text().is_some_and(looks_like_tests) => self.diagnostics.push(
                    Diagnostic::without_place(
                        mistake.code,
                        format!("`{}` cannot be read: {}", text.name(), mistake.message),
                    )
                    .help(mistake.help.unwrap_or_default()),
                ),
                Some(_) => {}
            }
        }
        let mut all = Vec::new();
        for file in set.files.iter().filter(|f| !f.is_config) {
            let Some(read) = looked.get(file.file) else {
                continue;
            };
            let text = read.text().unwrap_or_default();
            let mut mistakes = Vec::new();
            let documents = yaml::parse(file.file, text, &self.allowance.limits, &mut mistakes);
            let broken = !mistakes.is_empty() && looks_like_tests(text);
            if !broken && !documents.iter().any(decode::is_file) {
                continue;
            }
            let place = read.path().unwrap_or(Path::new(read.name())).to_owned();
            let shown = shown(&place);
            let id = self.sources.add_at(shown, place.clone(), text.to_owned());
            all.push((id, Home::Disk(place)));
        }
        all
    }

    fn options(&self) -> InputOptions {
        InputOptions { limits: self.allowance.limits, ..InputOptions::default() }
    }

    fn parse(&mut self, file: FileId) -> Vec<Node<'static>> {
        let text = self.sources.get(file).and_then(|f| f.text()).unwrap_or_default();
        yaml::read(file, text, &mut self.allowance, &mut self.diagnostics)
            .into_iter()
            .map(Node::into_owned)
            .collect()
    }

    /// Reads the tests of one file.
    fn cases(
        &mut self,
        file: FileId,
        home: &Home,
        wanted: &impl Fn(&str, &str, Option<&str>) -> bool,
        suite: &mut Suite,
    ) {
        let before = self.diagnostics.len();
        let documents = self.parse(file);
        let nothing = Tree::default();
        let mut decoder = Decoder::new(&mut self.diagnostics, &nothing, &nothing);
        let files: Vec<File> = documents
            .iter()
            .filter(|node| decode::is_file(node))
            .filter_map(|node| decode::file(&mut decoder, node))
            .collect();
        let broken = self.diagnostics.len() > before;
        for declared in files {
            let policies = self.policy_documents(&declared, file, home);
            let mut inventories: Vec<Option<Vec<Node<'static>>>> = Vec::new();
            let mut places: Vec<Option<usize>> = Vec::new();
            for (at, test) in declared.tests.iter().enumerate() {
                let (documents, based_on) = self.inventory(&declared.tests, at, test, &inventories, home);
                let name = self.sources.get(file).map(|f| f.name().to_owned()).unwrap_or_default();
                let rule = test.rule.as_ref().map(|r| r.value.as_str());
                let case = match (&documents, &policies) {
                    (Some(documents), Some(policies)) if !broken => {
                        self.case(name.clone(), test, documents, policies)
                    }
                    _ => None,
                };
                let case = case.filter(|_| wanted(&name, &test.name.value, rule));
                let based_on = based_on.and_then(|base| places.get(base).copied().flatten());
                places.push(case.is_some().then_some(suite.cases.len()));
                suite.cases.extend(case.map(|case| Case { based_on, ..case }));
                inventories.push(documents);
            }
        }
    }

    /// The documents of a test's inventory, and the test that it is based on.
    fn inventory(
        &mut self,
        tests: &[Test],
        at: usize,
        test: &Test,
        before: &[Option<Vec<Node<'static>>>],
        home: &Home,
    ) -> (Option<Vec<Node<'static>>>, Option<usize>) {
        let mut based_on = None;
        let mut documents = match test.inventory.as_ref() {
            None => return (None, None),
            Some(Inventory::Inline(node)) => vec![node.clone()],
            Some(Inventory::Paths(paths)) => match self.files(paths, home) {
                Some(documents) => documents,
                None => return (None, None),
            },
            Some(Inventory::BasedOn(name)) => {
                let Some(base) = tests.iter().position(|t| t.name.value == name.value) else {
                    let names = tests.iter().take(at).map(|t| t.name.value.as_str());
                    let help = match nearest(&name.value, names) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "name an earlier test of this file".to_owned(),
                    };
                    self.diagnostics.push(
                        Diagnostic::new(
                            "unknown-test",
                            format!("there is no test `{}`", name.value),
                            name.span,
                        )
                        .label("expected the name of an earlier test")
                        .help(help),
                    );
                    return (None, None);
                };
                if base >= at {
                    let span = tests.get(base).map_or(name.span, |t| t.name.span);
                    let message = match base == at {
                        true => "a test cannot be based on itself",
                        false => "a test cannot be based on a later one",
                    };
                    self.diagnostics.push(
                        Diagnostic::new("unknown-test", message, name.span)
                            .label("expected the name of an earlier test")
                            .also(span, "this test"),
                    );
                    return (None, None);
                }
                based_on = Some(base);
                match before.get(base).cloned().flatten() {
                    Some(documents) => documents,
                    None => return (None, based_on),
                }
            }
        };
        let mut lost = false;
        for (path, value) in &test.changes {
            if let Some(mistake) = change::set(&mut documents, path, value) {
                self.diagnostics.push(mistake);
                lost = true;
            }
        }
        ((!lost).then_some(documents), based_on)
    }

    /// An inventory in files of its own.
    fn files(&mut self, paths: &[Spanned<String>], home: &Home) -> Option<Vec<Node<'static>>> {
        let mut all = Vec::new();
        for path in paths {
            let Home::Disk(test) = home else {
                self.diagnostics.push(
                    Diagnostic::new(
                        "missing-path",
                        "tests that come with the program lie in no folder",
                        path.span,
                    )
                    .label("expected the inventory itself"),
                );
                return None;
            };
            let place = lexically(&test.parent().unwrap_or(Path::new("")).join(&path.value));
            if let Some(read) = self.inventories.get(&place) {
                all.extend(read.iter().cloned());
                continue;
            }
            let before = self.diagnostics.len();
            let given = [place.clone()];
            let options = InputOptions { settings: Settings::Beside, ..self.options() };
            let set = input::read(DISK, &given, &options, self.sources, &mut self.diagnostics);
            // A path that leads nowhere is a mistake of the test.
            for mistake in self.diagnostics.iter_mut().skip(before).filter(|m| m.code == "missing-path") {
                let help = mistake.help.take().unwrap_or_default();
                *mistake = Diagnostic::new(mistake.code, mistake.message.clone(), path.span)
                    .label("expected a file or folder, relative to this file")
                    .help(help);
            }
            let mut documents = Vec::new();
            for file in set.files.iter().filter(|f| !f.is_config) {
                documents.extend(self.parse(file.file));
            }
            let others: Vec<Node> =
                documents.extract_if(.., |node| is_policy(node) || is_tests(node)).collect();
            load::keep_to_themselves(&others, &mut self.diagnostics);
            if self.diagnostics.len() > before {
                return None;
            }
            all.extend(documents.iter().cloned());
            self.inventories.insert(place, Rc::new(documents));
        }
        Some(all)
    }

    /// The policies that a file tests: those it names, else the nearest one above.
    fn policy_documents(&mut self, declared: &File, file: FileId, home: &Home) -> Option<Vec<Documents>> {
        if declared.policies.is_empty() {
            return match home {
                Home::Pack(pack) => self.of_pack(pack).map(|documents| vec![documents]),
                Home::Disk(path) => self.nearest_policy(path, file).map(|documents| vec![documents]),
            };
        }
        let mut all = Vec::new();
        for name in &declared.policies {
            if let Some(pack) = packs::pack(&name.value) {
                all.push(self.of_pack(pack)?);
                continue;
            }
            let place = match home {
                Home::Pack(_) => None,
                Home::Disk(test) => {
                    let place = lexically(&test.parent().unwrap_or(Path::new("")).join(&name.value));
                    match DISK.kind(&place) {
                        Ok(Kind::Folder) => Some(place.join("policy.yaml")).filter(|p| DISK.is_file(p)),
                        Ok(_) => Some(place),
                        Err(_) => None,
                    }
                }
            };
            let Some(place) = place else {
                let message =
                    format!("there is no policy `{}`: neither a pack nor a file beside this one", name.value);
                let help = match nearest(&name.value, packs::names()) {
                    Some(near) => format!("did you mean the pack `{near}`?"),
                    None => "name a pack, or a file relative to this one".to_owned(),
                };
                self.diagnostics.push(
                    Diagnostic::new("unknown-policy", message, name.span)
                        .label("expected a pack or a file")
                        .help(help),
                );
                return None;
            };
            let documents = self.of_file(&place)?;
            if documents.is_empty() {
                self.diagnostics.push(
                    Diagnostic::new(
                        "no-policy",
                        format!("there is no policy in `{}`", name.value),
                        name.span,
                    )
                    .label("expected a file with the key `policy`"),
                );
                return None;
            }
            all.push(documents);
        }
        Some(all)
    }

    fn nearest_policy(&mut self, test: &Path, file: FileId) -> Option<Documents> {
        let whole = DISK.canonical(test).unwrap_or_else(|_| test.to_owned());
        let above = whole.ancestors().skip(1).map(|folder| folder.join("policy.yaml"));
        let Some(place) = above.into_iter().find(|place| DISK.is_file(place)) else {
            let shown = self.sources.get(file).map(|f| f.name().to_owned()).unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::without_place(
                    "no-policy",
                    format!("`{shown}` tests no policy: there is no `policy.yaml` beside or above it"),
                )
                .help("name the policies: `policies: [../house.yaml]`"),
            );
            return None;
        };
        self.of_file(&place)
    }

    fn of_pack(&mut self, pack: &Pack) -> Option<Documents> {
        let name = PathBuf::from(format!("policies/{}/policy.yaml", pack.id));
        if let Some(known) = self.policies.get(&name) {
            return known.clone();
        }
        let file = self.sources.add(name.display().to_string(), pack.policy.to_owned());
        Some(self.kept(name, file))
    }

    fn of_file(&mut self, place: &Path) -> Option<Documents> {
        let whole = DISK.canonical(place).unwrap_or_else(|_| place.to_owned());
        if let Some(known) = self.policies.get(&whole) {
            return known.clone();
        }
        let most = self.allowance.limits.file_size;
        let bytes = DISK.read(&whole, most.saturating_add(1));
        if bytes.as_ref().is_ok_and(|bytes| bytes.len() as u64 > most) {
            self.diagnostics.push(too_large(&place.display().to_string(), None, most));
            self.policies.insert(whole, None);
            return None;
        }
        let Ok(Ok(text)) = bytes.map(String::from_utf8) else {
            let message = format!("`{}` cannot be read", place.display());
            self.diagnostics.push(Diagnostic::without_place("unreadable", message));
            self.policies.insert(whole, None);
            return None;
        };
        let file = self.sources.add_at(shown(&whole), whole.clone(), text);
        Some(self.kept(whole, file))
    }

    fn kept(&mut self, name: PathBuf, file: FileId) -> Documents {
        let mut documents = self.parse(file);
        documents.retain(is_policy);
        let documents = Rc::new(documents);
        self.policies.insert(name, Some(documents.clone()));
        documents
    }

    /// The world of a test, unless there are mistakes.
    fn world(&mut self, documents: &[Node], policies: &[Documents]) -> Option<World> {
        let before = self.diagnostics.len();
        let own = declared_taxonomy(documents, &self.allowance.limits, &mut self.diagnostics);
        let data = Tree::new(self.built_in.data.iter().cloned().chain(own.data));
        let purposes = Tree::new(self.built_in.purposes.iter().cloned().chain(own.purposes));
        let mut decoder = Decoder::new(&mut self.diagnostics, &data, &purposes);
        let mut declared = inventory::Inventory::default();
        documents.iter().for_each(|document| declared.read(&mut decoder, document));
        let policies =
            policies.iter().flat_map(|p| p.iter()).filter_map(|node| policy(&mut decoder, node)).collect();
        let model = build(declared, data, purposes, &mut self.diagnostics);
        (self.diagnostics.len() == before).then(|| World { model, policies, ..World::default() })
    }

    fn case(
        &mut self,
        file: String,
        test: &Test,
        documents: &[Node],
        policies: &[Documents],
    ) -> Option<Case> {
        let world = self.world(documents, policies)?;
        let all = self.judged(&world);
        let judged = match &test.rule {
            None => all,
            Some(rule) => vec![self.rule(rule, &all)?],
        };
        let day = self.day(test, &world, &judged)?;
        let statuses = (!test.status.is_empty()).then(|| test.status.clone());
        let scope = Scope { as_of: test.as_of, statuses, running_on: None };
        let finds = test.finds.as_ref().map(|list| self.expected(list, &judged, &world.model));
        let not = self.expected(&test.not, &judged, &world.model)?;
        let finds = match finds {
            Some(list) => Some(list?),
            None => None,
        };
        Some(Case {
            file,
            name: test.name.value.clone(),
            location: self.sources.location(test.name.span),
            judged,
            names_rule: test.rule.is_some(),
            options: Options { scope, ..Options::new(day) },
            world,
            finds,
            not,
            based_on: None,
            changes: test.changes.len(),
        })
    }

    fn judged(&self, world: &World) -> Vec<Judged> {
        let policies = world.policies.iter().enumerate();
        policies
            .flat_map(|(p, policy)| {
                policy.rules.iter().enumerate().map(move |(r, rule)| (p, policy, r, rule))
            })
            .map(|(p, policy, r, rule)| Judged {
                policy: p,
                rule: r,
                id: policy.full_id(rule),
                location: self.sources.location(rule.id.span),
            })
            .collect()
    }

    /// The rule named: by its full id, or by its own if only one policy has it.
    fn rule(&mut self, named: &Spanned<String>, known: &[Judged]) -> Option<Judged> {
        let own = |id: &str| id.split_once('/').map_or(id.to_owned(), |(_, rule)| rule.to_owned());
        let found: Vec<&Judged> =
            known.iter().filter(|j| j.id == named.value || own(&j.id) == named.value).collect();
        if let [one] = found.as_slice() {
            return Some((*one).clone());
        }
        let mistake = match found.as_slice() {
            [] => {
                let names: Vec<String> = known.iter().map(|j| own(&j.id)).collect();
                let near = nearest(&named.value, names.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("rules: {}", names.join(", ")),
                };
                Diagnostic::new("unknown-rule", format!("there is no rule `{}`", named.value), named.span)
                    .label("expected a rule that is judged")
                    .help(help)
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|j| j.id.as_str()).collect();
                let message = format!("several policies have a rule `{}`", named.value);
                Diagnostic::new("unknown-rule", message, named.span)
                    .label("expected `policy/rule`")
                    .help(format!("write one of {}", ids.join(", ")))
            }
        };
        self.diagnostics.push(mistake);
        None
    }

    fn day(&mut self, test: &Test, world: &World, judged: &[Judged]) -> Option<Date> {
        let policy = judged.first().and_then(|j| world.policies.get(j.policy));
        let policy = policy.or_else(|| world.policies.first());
        let day = test.day.or_else(|| policy.and_then(|p| p.as_of));
        if day.is_none() {
            self.diagnostics.push(
                Diagnostic::new("missing-key", "this test is judged on no day", test.name.span)
                    .label("expected a `day`")
                    .help("add `day: 2026-01-01` to it, or `as_of` to the policy"),
            );
        }
        day
    }

    fn expected(&mut self, list: &[Finding], judged: &[Judged], model: &Model) -> Option<Vec<Expected>> {
        let before = self.diagnostics.len();
        let mut all = Vec::new();
        for finding in list {
            let rule = match (&finding.rule, judged) {
                (Some(rule), _) => self.rule(rule, judged).map(|j| j.id),
                (None, [only]) => Some(only.id.clone()),
                (None, _) => None,
            };
            let systems = || model.systems.values().map(|s| s.name.as_str());
            let parties = || model.parties.values().map(|p| p.id());
            let flows = || model.flows.values().map(|f| f.name.as_str());
            let agreements = || model.agreements.values().map(|a| a.id());
            let places: Vec<&str> = systems().chain(parties()).collect();
            let subjects: Vec<&str> = systems().chain(parties()).chain(flows()).chain(agreements()).collect();
            let flows: Vec<&str> = flows().collect();
            let source = self.name(finding.source.as_ref(), "unknown-system", "system", &places);
            let sink = self.name(finding.sink.as_ref(), "unknown-system", "system or party", &places);
            let flow = self.name(finding.flow.as_ref(), "unknown-flow", "flow", &flows);
            let subject = self.name(finding.subject.as_ref(), "unknown-subject", "subject", &subjects);
            let data = finding.data.as_ref().map(|node| {
                let mut decoder = Decoder::new(&mut self.diagnostics, &model.data, &model.purposes);
                let keys: Vec<_> =
                    decoder.list(node, |d, n| d.category(n)).into_iter().map(|k| k.value).collect();
                let leaves = model.data.leaves(&keys);
                let cover = model.data.cover(&leaves);
                Data { leaves, cover }
            });
            let location = self.sources.location(finding.span);
            all.push(Expected { rule, source, sink, flow, subject, data, location });
        }
        (self.diagnostics.len() == before).then_some(all)
    }

    /// A name, or a glob that some name matches.
    fn name(
        &mut self,
        named: Option<&Spanned<String>>,
        code: &'static str,
        what: &str,
        known: &[&str],
    ) -> Option<Name> {
        let named = named?;
        let name = Name { text: named.value.clone(), glob: Glob::new(&named.value) };
        if known.iter().any(|known| name.glob.matches(known)) {
            return Some(name);
        }
        let help = match nearest(&named.value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name one that the test's inventory declares".to_owned(),
        };
        self.diagnostics.push(
            Diagnostic::new(
                code,
                format!("there is no {what} `{}` in this inventory", named.value),
                named.span,
            )
            .label(format!("expected a {what}"))
            .help(help),
        );
        None
    }
}

/// A path that leads nowhere might be meant to name a pack.
fn near_pack(path: &Path, mistake: Diagnostic) -> Diagnostic {
    let near = path.to_str().and_then(|name| nearest(name, packs::names()));
    match (mistake.code, near) {
        ("missing-path", Some(near)) => mistake.help(format!("did you mean the pack `{near}`?")),
        _ => mistake,
    }
}

/// How a path is shown: from the working folder, if it lies below.
fn shown(path: &Path) -> String {
    let here = Files::Disk.canonical(Path::new("."));
    let whole = Files::Disk.canonical(path).unwrap_or_else(|_| path.to_owned());
    let shown = here.ok().and_then(|here| whole.strip_prefix(here).ok().map(Path::to_owned));
    crate::read::files::slashed(&shown.unwrap_or_else(|| path.to_owned()))
}
