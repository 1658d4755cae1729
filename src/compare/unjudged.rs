//! Files of HEAD that its own settings would judge and BASE's do not. BASE decides what is judged, so
//! nothing in them is a finding yet: what cannot be judged has to be told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layout::{Layout, Settings};
use super::state::Which;
use crate::base::finding::Notice;
use crate::base::glob::Glob;
use crate::base::source::{FileId, Sources};
use crate::read::documents::{is_policy, is_tests};
use crate::read::files::slashed;
use crate::read::input::{self, InputOptions};
use crate::read::yaml;

/// Files of HEAD that HEAD's settings would judge and BASE's do not, as called from the topmost
/// folder, sorted. Where HEAD is trusted there are none: its settings judge.
pub fn unjudged(layout: &Layout) -> Vec<String> {
    if layout.judging == Which::Head {
        return Vec::new();
    }
    let mut found = BTreeMap::new();
    for (old, new) in super::settings::pairs(layout) {
        let (Ok(old), Ok(new)) = (old, new) else { continue };
        let by_base = Scope { paths: layout.of_head(&old, Which::Base, &new), exclude: &old.config.exclude };
        let by_head = Scope { paths: layout.of_head(&new, Which::Head, &new), exclude: &new.config.exclude };
        if by_base.paths == by_head.paths && by_base.exclude == by_head.exclude {
            continue;
        }
        // What BASE's settings name has been placed where HEAD's stand.
        let known = by_base.files(layout, &new);
        found.extend(by_head.files(layout, &new).into_iter().filter(|(file, _)| !known.contains_key(file)));
    }
    if found.is_empty() {
        return Vec::new();
    }
    let judged = Scope { paths: layout.inventory(Which::Head), exclude: &layout.config().exclude };
    let judged = judged.files(layout, layout.settings(Which::Base));
    let names: BTreeSet<String> =
        found.into_iter().filter(|(file, _)| !judged.contains_key(file)).map(|(_, name)| name).collect();
    names.into_iter().collect()
}

/// That there are such files.
pub fn unjudged_notice(files: &[String]) -> Option<Notice> {
    (!files.is_empty()).then(|| Notice {
        code: "unjudged-files".to_owned(),
        message: "HEAD's settings would judge files that BASE's do not: nothing in them is judged this time"
            .to_owned(),
        subjects: files.to_vec(),
        location: None,
    })
}

/// What settings judge of a state.
struct Scope<'s> {
    paths: Vec<PathBuf>,
    exclude: &'s [String],
}

impl Scope<'_> {
    /// The files of HEAD that declare something or could: each by its place, with its name.
    fn files(&self, layout: &Layout, settings: &Settings) -> BTreeMap<PathBuf, String> {
        let state = layout.states().get(Which::Head);
        let may = |path: &&PathBuf| {
            layout.may_read(state, settings.folder(), path) && state.files.kind(path).is_ok()
        };
        let paths: Vec<PathBuf> = self.paths.iter().filter(may).cloned().collect();
        let options = InputOptions {
            exclude: self.exclude.iter().map(Glob::new).collect(),
            limits: *layout.limits(),
            ..InputOptions::default()
        };
        let (mut sources, mut mistakes) = (Sources::new(), Vec::new());
        let set = input::read(&state.files, &paths, &options, &mut sources, &mut mistakes);
        let declares = |file: FileId| {
            let text = sources.get(file).and_then(|file| file.text()).unwrap_or_default();
            let documents = yaml::parse(file, text, layout.limits(), &mut Vec::new());
            documents.is_empty() || documents.iter().any(|one| !is_policy(one) && !is_tests(one))
        };
        let files = set.files.iter().filter(|file| !file.is_config && declares(file.file));
        let place = |file: FileId| {
            let path: &Path = sources.get(file)?.path()?;
            let whole = state.files.canonical(path).unwrap_or_else(|_| path.to_owned());
            Some((whole, slashed(&state.called(path))))
        };
        files.filter_map(|file| place(file.file)).collect()
    }
}
