//! What a change lets pass from then on by changing what judges: settings, policies, baseline.
//! None of it judges the change itself; the next one would be judged by it.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layout::{Layout, Settings};
use super::rules::{self, InForce};
use super::state::{State, Which};
use super::{Mistakes, Untrusted};
use crate::base::duration::Duration;
use crate::base::source::{Location, Sources};
use crate::base::vocabulary::{Severity, Word};
use crate::declare::baseline::Baseline;
use crate::declare::config::{FILE, Setting};
use crate::declare::fields::Class;
use crate::declare::gate::{Gate, Threshold};
use crate::declare::packs;
use crate::read::files::slashed;

/// How changes of one setting are classed.
#[derive(Debug, Clone, Copy)]
pub struct SettingRow {
    /// It says more, or says it at all.
    pub more: Class,
    /// It says less, or no more.
    pub less: Class,
    /// It says something else.
    pub other: Class,
    /// Why.
    pub why: &'static str,
}

/// How changes of a setting are classed. Each setting has its row, or this does not compile.
pub const fn row(setting: Setting) -> SettingRow {
    use Class::{Assertion as A, Both as B, Narrowing as N, Neutral as O, Widening as W};
    let (more, less, other, why) = match setting {
        Setting::Inventory => (W, W, B, "what is dropped is not judged; what is added has not been judged"),
        Setting::Exclude => {
            (W, W, B, "what is left out is not judged; what no longer is has not been judged")
        }
        Setting::Policies => (O, O, O, "the rules are compared one by one, see below"),
        Setting::FailOn => (A, N, O, "findings that are less grave no longer fail"),
        Setting::Baseline => (A, N, A, "it accepts findings; what the file holds is compared, too"),
        Setting::AsOf => (B, B, B, "flows of other days count"),
        Setting::Status => (B, B, B, "other agreements count"),
        Setting::Reports => {
            (O, A, A, "a report that is no longer written where it was tells nobody anything")
        }
        Setting::Imports => (O, O, O, "what is imported is declared in files, whose edits are compared"),
        Setting::WaiverMax => (A, N, O, "waivers run longer before anybody has to approve them again"),
    };
    SettingRow { more, less, other, why }
}

/// What of what judges is changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// The changes.
    pub all: Vec<Untrusted>,
    /// The files that their locations name, and where these lie.
    pub files: BTreeMap<String, PathBuf>,
}

/// What of the settings, the policies and the baseline the head changes.
pub fn untrusted(layout: &Layout) -> Changes {
    let mut all = BTreeMap::new();
    let files = Files::default();
    for (old, new) in pairs(layout) {
        match (old, new) {
            (Ok(old), Ok(new)) => {
                let changed = Changed { layout, old: &old, new: &new, files: &files };
                for change in changed.all() {
                    all.insert((change.what.clone(), change.message.clone()), change);
                }
            }
            (Err(_), Err(_)) => {}
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => {
                let message = format!("`{FILE}` cannot be read in one of the states");
                let what = "configuration".to_owned();
                let location = one.file.as_deref().map(|file| files.first(&layout.states().head, file));
                all.insert(
                    (what.clone(), message.clone()),
                    Untrusted { what, message, class: Class::Both, location },
                );
            }
        }
    }
    let mut all: Vec<Untrusted> = all.into_values().collect();
    let order = |what: &str| ["configuration", "policy", "baseline"].iter().position(|w| *w == what);
    all.sort_by(|a, b| (order(&a.what), &a.message).cmp(&(order(&b.what), &b.message)));
    Changes { all, files: files.0.into_inner() }
}

type Found = Result<Settings, Mistakes>;

/// The settings that hold for the same folder in both states, each pair of files once.
pub(super) fn pairs(layout: &Layout) -> Vec<(Found, Found)> {
    let mut seen = BTreeSet::new();
    let both = folders(layout).into_iter();
    let both = both.map(|f| (in_force(layout, Which::Base, &f), in_force(layout, Which::Head, &f)));
    let key = |found: &Found| found.as_ref().ok().and_then(|s| s.file.clone());
    both.filter(|(old, new)| seen.insert((key(old), key(new), old.is_err(), new.is_err()))).collect()
}

/// Where the files lie that locations name.
#[derive(Debug, Default)]
pub(super) struct Files(RefCell<BTreeMap<String, PathBuf>>);

impl Files {
    /// A place in a file of a state, which is named as from the state's topmost folder.
    pub(super) fn at(&self, state: &State, file: &Path, (line, column): (u32, u32)) -> Location {
        let name = slashed(&state.called(file));
        self.0.borrow_mut().entry(name.clone()).or_insert_with(|| file.to_owned());
        Location { file: name, line, column }
    }

    /// The beginning of a file.
    pub(super) fn first(&self, state: &State, file: &Path) -> Location {
        self.at(state, file, (1, 1))
    }
}

/// The folders for which a call could find other settings: what is judged, with all above it,
/// as called from the topmost folder of either state.
fn folders(layout: &Layout) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for which in [Which::Base, Which::Head] {
        let state = layout.states().get(which);
        let anchor = layout.anchor(which).to_owned();
        for path in layout.inventory(which).into_iter().chain([anchor]) {
            let below = state.below_root(&path).unwrap_or_default();
            all.extend(below.ancestors().map(Path::to_owned));
        }
    }
    all
}

/// The settings that hold for a folder of a state.
fn in_force(layout: &Layout, which: Which, folder: &Path) -> Result<Settings, Mistakes> {
    let state = layout.states().get(which);
    let named = state.root.join(folder);
    let settings = Settings::above(&state.files, &named, layout.limits(), &mut Sources::new())?;
    Ok(layout.within_tree(state, settings))
}

/// The settings that hold for one folder in both states.
struct Changed<'c> {
    layout: &'c Layout<'c>,
    old: &'c Settings,
    new: &'c Settings,
    files: &'c Files,
}

impl Changed<'_> {
    fn all(&self) -> Vec<Untrusted> {
        let mut all = Vec::new();
        let (old, new) = (self.entries(Which::Base), self.entries(Which::Head));
        let stated =
            |settings: &Settings| settings.config.entries(settings.folder().unwrap_or(Path::new("")));
        let stated = stated(self.old).into_iter().zip(stated(self.new));
        let compared = old.into_iter().zip(new).filter(|((_, before), (_, after))| before != after);
        let stated: BTreeMap<Setting, (Vec<String>, Vec<String>)> =
            stated.map(|((setting, before), (_, after))| (setting, (before, after))).collect();
        for ((setting, before), (_, after)) in compared {
            // As it is written, unless the same words mean something else since the file moved.
            let (was, is) = match stated.get(&setting) {
                Some((was, is)) if was != is => (was, is),
                _ => (&before, &after),
            };
            all.push(Untrusted {
                what: "configuration".to_owned(),
                message: format!("`{setting}` is {} and was {}", shown(setting, is), shown(setting, was)),
                class: class(setting, &before, &after),
                location: self.written(setting),
            });
        }
        all.extend(self.policies());
        all.extend(self.baseline());
        all
    }

    /// Where a setting is written now, or was if it is gone.
    fn written(&self, setting: Setting) -> Option<Location> {
        let sides = [Which::Head, Which::Base].map(|which| self.side(which));
        let place = |(state, settings): &(&State, &Settings)| {
            let line = settings.lines.get(&setting)?;
            Some(self.files.at(state, settings.file.as_deref()?, *line))
        };
        let file = |(state, settings): &(&State, &Settings)| {
            Some(self.files.first(state, settings.file.as_deref()?))
        };
        sides.iter().find_map(place).or_else(|| sides.iter().find_map(file))
    }

    fn side(&self, which: Which) -> (&State, &Settings) {
        match which {
            Which::Base => (&self.layout.states().base, self.old),
            Which::Head => (&self.layout.states().head, self.new),
        }
    }

    /// What is set, with paths as called from the topmost folder: a file of settings that moves
    /// means something else by the same words.
    fn entries(&self, which: Which) -> Vec<(Setting, Vec<String>)> {
        let (state, settings) = self.side(which);
        let mut config = settings.config.clone();
        config.inventory = config.inventory.iter().map(|path| state.called(path)).collect();
        config.baseline = config.baseline.as_deref().map(|path| state.called(path));
        for (_, file) in &mut config.reports {
            *file = state.called(file);
        }
        for name in config.policies.iter_mut().filter(|name| !packs::is_pack(name)) {
            *name = state.called(Path::new(name)).to_string_lossy().into_owned();
        }
        config.entries(Path::new(""))
    }

    fn policies(&self) -> Vec<Untrusted> {
        let [old, new] = [Which::Base, Which::Head].map(|which| {
            let (state, settings) = self.side(which);
            InForce::read(self.layout, state, settings, self.files)
        });
        rules::compare(&old, &new)
    }

    fn baseline(&self) -> Option<Untrusted> {
        let [old, new] = [Which::Base, Which::Head].map(|which| {
            let (state, settings) = self.side(which);
            let path = settings.config.baseline.as_deref()?;
            self.layout.text(state, settings.folder(), path)
        });
        if old == new {
            return None;
        }
        let read = |bytes: Option<Vec<u8>>| match bytes {
            None => Some(Baseline::default()),
            Some(bytes) => {
                let text = String::from_utf8(bytes).ok()?;
                let limits = self.layout.limits();
                Baseline::read(PathBuf::new(), text, limits, &mut Sources::new()).ok()
            }
        };
        let class = match (read(old), read(new)) {
            (Some(old), Some(new)) if new.entries().all(|e| old.get(&e.finding) == Some(e)) => {
                Class::Narrowing
            }
            _ => Class::Assertion,
        };
        let message = "the baseline is changed".to_owned();
        let location = [Which::Head, Which::Base].into_iter().find_map(|which| {
            let (state, settings) = self.side(which);
            Some(self.files.first(state, settings.config.baseline.as_deref()?))
        });
        Some(Untrusted { what: "baseline".to_owned(), message, class, location })
    }
}

/// What a setting says; a path to where it is called from has no parts.
fn shown(setting: Setting, values: &[String]) -> String {
    let values: Vec<&str> = values.iter().map(|value| if value.is_empty() { "." } else { value }).collect();
    match values.as_slice() {
        [] => match setting {
            Setting::Policies | Setting::FailOn | Setting::WaiverMax => {
                format!("not set (`{}`)", setting.unset())
            }
            Setting::Inventory => format!("not set ({})", setting.unset()),
            _ => "not set".to_owned(),
        },
        values => format!("`{}`", values.join(", ")),
    }
}

/// What a change of a setting is.
fn class(setting: Setting, before: &[String], after: &[String]) -> Class {
    let row = row(setting);
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) =
        (before.iter().collect(), after.iter().collect());
    match in_order(setting, before, after) {
        Some(Ordering::Equal) => return Class::Neutral,
        Some(Ordering::Less) => return row.less,
        Some(Ordering::Greater) => return row.more,
        None => {}
    }
    if old == new {
        // In another order, or twice.
        return Class::Neutral;
    }
    match (old.is_subset(&new), new.is_subset(&old)) {
        (true, _) => row.more,
        (_, true) => row.less,
        _ => row.other,
    }
}

/// Of a setting with an order, how what it lets pass now compares with before.
fn in_order(setting: Setting, before: &[String], after: &[String]) -> Option<Ordering> {
    match setting {
        Setting::FailOn => {
            let passes = |values: &[String]| match values.first() {
                Some(word) => Threshold::parse(word).map_or(usize::MAX, lets_pass),
                None => lets_pass(Gate::default().fail_on),
            };
            Some(passes(after).cmp(&passes(before)))
        }
        Setting::WaiverMax => {
            let runs = |values: &[String]| match values.first() {
                Some(text) => Duration::parse(text).unwrap_or(Duration::Unlimited),
                None => Duration::LONGEST_WAIVER,
            };
            Some(runs(after).cmp(&runs(before)))
        }
        _ => None,
    }
}

/// How much a threshold lets pass.
fn lets_pass(threshold: Threshold) -> usize {
    match threshold {
        Threshold::Never => Severity::ALL.len(),
        Threshold::At(severity) => {
            Severity::ALL.iter().rev().position(|s| *s == severity).unwrap_or_default()
        }
    }
}
