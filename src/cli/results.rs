//! Results of earlier audits, as JSON.

use std::path::Path;

use crate::base::finding::Audit;
use crate::base::visible::visible;
use crate::read::files::DISK;
use anyhow::Context;

/// Reads a result.
///
/// # Errors
/// When it cannot be read, is too large, or is none.
pub fn read(path: &Path, most: u64) -> anyhow::Result<Audit> {
    let shown = || {
        format!("`{}` is no result of `ringfence audit --format json`", visible(&path.display().to_string()))
    };
    let bytes = DISK.read(path, most.saturating_add(1)).with_context(shown)?;
    anyhow::ensure!(
        bytes.len() as u64 <= most,
        "`{}` has more bytes than the limit of {most}\n  help: `--max-file-size SIZE` raises the limit",
        visible(&path.display().to_string())
    );
    Audit::from_json(&bytes).with_context(shown)
}
