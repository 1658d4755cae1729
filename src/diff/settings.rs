//! What a change lets pass from then on by changing what judges: settings, policies, baseline.
//! None of it judges the change itself; the next one would be judged by it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layout::{Layout, Settings};
use super::rules::{self, InForce};
use super::state::{State, Which};
use super::table::Class;
use super::{Mistakes, Untrusted};
use crate::baseline::Baseline;
use crate::config::{FILE, Setting};
use crate::files::slashed;
use crate::gate::{Gate, Threshold};
use crate::packs;
use crate::source::Sources;
use crate::vocabulary::{Severity, Word};

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
    };
    SettingRow { more, less, other, why }
}

/// What of the settings, the policies and the baseline the head changes.
pub fn untrusted(layout: &Layout) -> Vec<Untrusted> {
    let mut all = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    for folder in folders(layout) {
        let (old, new) = (in_force(layout, Which::Base, &folder), in_force(layout, Which::Head, &folder));
        let key = |found: &Result<Settings, Mistakes>| found.as_ref().ok().and_then(|s| s.file.clone());
        if !pairs.insert((key(&old), key(&new), old.is_err(), new.is_err())) {
            continue;
        }
        match (old, new) {
            (Ok(old), Ok(new)) => {
                let changed = Changed { layout, old: &old, new: &new };
                for change in changed.all() {
                    all.insert((change.what.clone(), change.message.clone()), change);
                }
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
                let message =
                    format!("`{}` cannot be read in one of the states", slashed(&folder.join(FILE)));
                let what = "configuration".to_owned();
                all.insert(
                    (what.clone(), message.clone()),
                    Untrusted { what, message, class: Class::Both, location: None },
                );
            }
        }
    }
    let mut all: Vec<Untrusted> = all.into_values().collect();
    let order = |what: &str| ["configuration", "policy", "baseline"].iter().position(|w| *w == what);
    all.sort_by(|a, b| (order(&a.what), &a.message).cmp(&(order(&b.what), &b.message)));
    all
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
                message: format!("`{setting}` is {} and was {}", shown(is), shown(was)),
                class: class(setting, &before, &after),
                location: None,
            });
        }
        all.extend(self.policies());
        all.extend(self.baseline());
        all
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
        for name in config.policies.iter_mut().filter(|name| packs::pack(name).is_none()) {
            *name = state.called(Path::new(name)).to_string_lossy().into_owned();
        }
        config.entries(Path::new(""))
    }

    fn policies(&self) -> Vec<Untrusted> {
        let [old, new] = [Which::Base, Which::Head].map(|which| {
            let (state, settings) = self.side(which);
            InForce::read(self.layout, state, settings)
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
        Some(Untrusted { what: "baseline".to_owned(), message, class, location: None })
    }
}

/// What a setting says; a path to where it is called from has no parts.
fn shown(values: &[String]) -> String {
    let values: Vec<&str> = values.iter().map(|value| if value.is_empty() { "." } else { value }).collect();
    match values.as_slice() {
        [] => "nothing".to_owned(),
        values => format!("`{}`", values.join(", ")),
    }
}

/// What a change of a setting is.
fn class(setting: Setting, before: &[String], after: &[String]) -> Class {
    let row = row(setting);
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) =
        (before.iter().collect(), after.iter().collect());
    if setting == Setting::FailOn {
        let threshold = |values: &[String]| match values.first() {
            Some(word) => Threshold::parse(word),
            None => Some(Gate::default().fail_on),
        };
        return match (threshold(before), threshold(after)) {
            (Some(old), Some(new)) if lets_pass(old) == lets_pass(new) => Class::Neutral,
            (Some(old), Some(new)) if lets_pass(old) > lets_pass(new) => row.less,
            _ => row.more,
        };
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

/// How much a threshold lets pass.
fn lets_pass(threshold: Threshold) -> usize {
    match threshold {
        Threshold::Never => Severity::ALL.len(),
        Threshold::At(severity) => {
            Severity::ALL.iter().rev().position(|s| *s == severity).unwrap_or_default()
        }
    }
}
