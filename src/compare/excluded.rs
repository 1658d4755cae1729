//! Edits of what `exclude` leaves out: nothing judges them, so somebody has to be told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::state::{State, Which};
use crate::base::finding::Notice;
use crate::base::glob::Glob;
use crate::read::files::{Kind, slashed};

/// The files that `exclude` leaves out of both states and that are not the same in them.
pub fn excluded_edits(layout: &Layout) -> Option<Notice> {
    let exclude: Vec<Glob> = layout.config().exclude.iter().map(Glob::new).collect();
    if exclude.is_empty() {
        return None;
    }
    let [old, new] = [Which::Base, Which::Head].map(|which| left_out(layout, which, &exclude));
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let edited: Vec<String> = names.filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
    (!edited.is_empty()).then(|| Notice {
        code: "excluded-file-edited".to_owned(),
        message: "the change edits files that `exclude` leaves out: they are not judged".to_owned(),
        subjects: edited,
        location: None,
    })
}

/// The YAML files that are left out of a state, by the place of the path given and their name
/// below it, with what they hold.
fn left_out(layout: &Layout, which: Which, exclude: &[Glob]) -> BTreeMap<String, Option<blake3::Hash>> {
    let state = layout.states().get(which);
    let mut all = BTreeMap::new();
    for path in layout.inventory(which) {
        // A path that is not there has no files; that is said elsewhere.
        if matches!(state.files.kind(&path), Ok(Kind::Folder)) {
            let given = slashed(&path);
            walk(&Walk { layout, state, exclude, given: &given }, &path, &mut all);
        }
    }
    all
}

struct Walk<'w> {
    layout: &'w Layout<'w>,
    state: &'w State,
    exclude: &'w [Glob],
    given: &'w str,
}

fn walk(within: &Walk, path: &Path, all: &mut BTreeMap<String, Option<blake3::Hash>>) {
    let limits = within.layout.limits();
    let mut open: Vec<(PathBuf, String, bool)> = vec![(path.to_owned(), String::new(), false)];
    while let Some((folder, above, out)) = open.pop() {
        for entry in within.state.files.list(&folder).unwrap_or_default() {
            if all.len() > limits.documents {
                return;
            }
            let name = if above.is_empty() { entry.name.clone() } else { format!("{above}/{}", entry.name) };
            let out = out || within.exclude.iter().any(|glob| glob.matches(&name));
            let lower = entry.name.to_lowercase();
            match entry.kind {
                Kind::Folder if !entry.name.starts_with('.') => open.push((entry.path, name, out)),
                Kind::File(_) if out && (lower.ends_with(".yaml") || lower.ends_with(".yml")) => {
                    let bytes = within.state.files.read(&entry.path, limits.file_size.saturating_add(1));
                    let hash = bytes.ok().map(|bytes| blake3::hash(&bytes));
                    // Two states may be called by different paths: names below them tell.
                    let several = all.contains_key(&name);
                    let key = if several { format!("{}/{name}", within.given) } else { name };
                    all.insert(key, hash);
                }
                _ => {}
            }
        }
    }
}
