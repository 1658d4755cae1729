//! Where a file goes that the program is to write.
//!
//! Whoever sends a change can commit a link under the name of a report, or of a folder above it,
//! and so have another file overwritten. So no link that lies in a checkout is followed. Links
//! elsewhere are the user's own: `/dev/stdout`, `/tmp` on macOS, a folder for reports.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::base::visible::visible;
use crate::read::places::repository;
use anyhow::{Context, bail};

/// Where a path leads, no link of a checkout followed. The file need not be there yet.
///
/// # Errors
/// When a link of a checkout stands in the path, or a folder of it cannot be looked at.
pub fn of(path: &Path) -> anyhow::Result<PathBuf> {
    let shown = || format!("cannot write `{}`", visible(&path.display().to_string()));
    let here = std::env::current_dir().and_then(fs::canonicalize).with_context(shown)?;
    let mut place = here.clone();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                place.pop();
            }
            Component::Prefix(_) | Component::RootDir => place.push(part),
            Component::Normal(name) => {
                let next = place.join(name);
                let is_link = match fs::symlink_metadata(&next) {
                    Ok(found) => found.is_symlink(),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                    Err(error) => return Err(error).with_context(shown),
                };
                if !is_link {
                    place = next;
                    continue;
                }
                if in_checkout(&place, &here) {
                    bail!(refused(path, &next));
                }
                place = match fs::canonicalize(&next) {
                    Ok(target) => target,
                    // A link to what is not there yet, as the last part: the file is made there.
                    Err(error) if error.kind() == io::ErrorKind::NotFound && parts.peek().is_none() => {
                        place.join(fs::read_link(&next).with_context(shown)?)
                    }
                    Err(error) => return Err(error).with_context(shown),
                };
            }
        }
    }
    Ok(place)
}

/// Whether a folder without links belongs to a checkout: it lies in a repository, or in the
/// working folder.
fn in_checkout(folder: &Path, here: &Path) -> bool {
    repository(folder).is_some() || (here.parent().is_some() && folder.starts_with(here))
}

fn refused(path: &Path, link: &Path) -> String {
    let shown = |path: &Path| visible(&path.display().to_string());
    let what = match link.file_name() == path.file_name() {
        true => format!("`{}` is a link", shown(path)),
        false => format!("`{}` leads through the link `{}`", shown(path), shown(link)),
    };
    let target = fs::canonicalize(link).or_else(|_| fs::read_link(link)).unwrap_or_default();
    format!(
        "{what} to `{}`, and no file is written through a link of a checkout\n  \
         help: remove the link, or name the file that it leads to",
        shown(&target)
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_of_a_checkout_are_refused_and_others_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["mine", "checkout/.git", "checkout/out"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink("mine", root.join("reports")).unwrap();
        symlink("new.json", root.join("latest.json")).unwrap();
        symlink("../mine", root.join("checkout/reports")).unwrap();
        symlink("out/x.json", root.join("checkout/x.json")).unwrap();
        for (path, target) in [
            ("reports/a.json", Some("mine/a.json")),
            ("latest.json", Some("new.json")),
            ("checkout/out/../a.json", Some("checkout/a.json")),
            ("checkout/no/such", Some("checkout/no/such")),
            ("checkout/reports/a.json", None),
            ("checkout/reports/../a.json", None),
            ("checkout/x.json", None),
            ("reports/../checkout/x.json", None),
        ] {
            let found = of(&root.join(path));
            assert_eq!(found.ok(), target.map(|target| root.join(target)), "{path}");
        }
        assert!(of(Path::new("/dev/stdout")).is_ok());
    }
}
