//! Bundles: all that an audit read and wrote in one archive, by which it can be checked elsewhere
//! and later.
//!
//! What is written are the texts that were judged, not what the disk holds by then. What is read
//! is never written to disk. `docs/use/bundle.md` says what an archive holds and what is checked.

mod again;
mod check;
mod manifest;
mod zip;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use rayon::prelude::*;
use thiserror::Error;

pub use again::NotAgain;
pub use check::{Bundle, Checked, MOST_BYTES};
pub use manifest::{Kind, Manifest, Member, VERSION};

use crate::audit::Options;
use crate::base::source::{FileId, SourceFile, Sources};
use crate::base::stages::Stage;
use crate::declare::packs;
use crate::model::load::World;
use crate::read::files::{self, Files};
use crate::report::{Format, Look, Report};
use crate::verify::certificate::{self, digests_of};
use manifest::Places;

/// The reports in a bundle, and what they are called there.
const REPORTS: [(Format, &str); 3] =
    [(Format::Html, "report.html"), (Format::Json, "report.json"), (Format::Text, "report.txt")];

/// What is wrong with the name of a bundle, if something is: who reads it goes by its extension.
pub fn other_extension(path: &Path) -> Option<String> {
    let extension = path.extension()?;
    (!extension.eq_ignore_ascii_case("zip")).then(|| {
        format!(
            "a bundle is a ZIP archive, and its name says `.{}`: call it FILE.zip",
            extension.to_string_lossy()
        )
    })
}

/// Why an archive is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// No ZIP, or cut off.
    #[error("it is no ZIP archive, or it is cut off")]
    NoArchive,
    /// A ZIP that another program wrote, or with something besides its entries.
    #[error(
        "another program wrote or changed it: {0} is not as `ringfence audit --bundle` writes it; check the archive as it was written"
    )]
    Foreign(String),
    /// A name that would lead elsewhere.
    #[error("`{0}` is no name of a file within an archive")]
    Name(String),
    /// A name stands twice.
    #[error("it holds `{0}` twice")]
    Twice(String),
    /// Entries in another order.
    #[error("`{0}` stands at the wrong place")]
    Order(String),
    /// What an entry holds is cut off, changed, or larger or smaller than it says.
    #[error("`{0}` is damaged, or is not as large as it says")]
    Damaged(String),
    /// Too much.
    #[error("it would unpack to more than 4 GiB")]
    TooLarge,
    /// A list of entries that cannot be read.
    #[error("`MANIFEST.json` cannot be read: {0}")]
    Manifest(String),
    /// No text that could be declared.
    #[error("`{0}` is no text in UTF-8 of at most 128 MiB")]
    NoText(String),
    /// A certificate or a report that is none.
    #[error("`{0}` cannot be read: {1}")]
    Json(String, String),
    /// A later or earlier form.
    #[error("it has version {0}, and this program reads version {VERSION}")]
    Version(u64),
}

/// Why no bundle is written.
#[derive(Debug, Error)]
pub enum NotBundled {
    /// A file is not what was judged.
    #[error("`{0}` has changed since it was read: what was judged is not what is there")]
    Changed(String),
    /// The name of a file says where it lies on this disk.
    #[error(
        "the bundle would name `{0}` as it lies on this disk, since two of the paths hold a file of that name\n  \
         help: name the paths as seen from the working folder"
    )]
    Absolute(String),
    /// A part of it cannot be made.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct Content<'c> {
    /// What was read.
    pub world: &'c World,
    /// The texts.
    pub sources: &'c Sources,
    /// The settings that were applied.
    pub settings: Option<FileId>,
    /// The baseline that was applied.
    pub baseline: Option<FileId>,
    /// How it was judged.
    pub options: &'c Options,
    /// The reports.
    pub report: &'c Report<'c>,
}

/// A bundle that is ready to be written.
pub struct Packed(Vec<zip::Packed>);

impl Packed {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written, or does not fit into an archive.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        zip::write(self.0, out)
    }
}

/// Puts a bundle together.
///
/// # Errors
/// When a file has changed since it was read, or something has no place in a bundle.
pub fn pack(content: &Content, files: &Files) -> Result<Packed, NotBundled> {
    let Content { world, sources, options, .. } = *content;
    let mut places = Places::default();
    let texts = texts(content, &mut places)?;
    let stage = options.stages.begin("bundling", texts.len() + REPORTS.len() + 1);
    let packed = texts.par_iter().map(|(member, file)| {
        let text = judged(file, files)?;
        Ok(stage.after(zip::pack(&member.entry, |out| out.write_all(&text)))?)
    });
    // Of what is wrong the first, however many threads there are.
    let packed: Vec<Result<zip::Packed, NotBundled>> = packed.collect();
    let mut packed = packed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let members = texts.iter().map(|(member, _)| member.clone()).collect();
    let digests = digests_of(read(world).filter_map(|file| sources.get(file)));
    let made = Made { world, digests: &digests, options, report: content.report };
    packed.extend(made.entries(places, members, &packed, &stage)?);
    unchanged(&texts, files)?;
    Ok(Packed(packed))
}

/// What is made of the texts of a bundle.
struct Made<'m> {
    world: &'m World,
    /// The digests of the inventory and the policies.
    digests: &'m [(String, String)],
    options: &'m Options,
    report: &'m Report<'m>,
}

impl Made<'_> {
    /// The certificate, the reports and the list; `members` are the texts, packed already.
    fn entries(
        &self,
        mut places: Places,
        mut members: Vec<Member>,
        texts: &[zip::Packed],
        stage: &Stage,
    ) -> io::Result<Vec<zip::Packed>> {
        let mut made = Vec::new();
        let mut add = |kind, name: &str, done: zip::Packed| {
            members.push(Member::new(&mut places, kind, name));
            made.push(stage.after(done));
        };
        let Made { world, digests, options, report } = *self;
        let certificate =
            |out: &mut dyn Write| certificate::write(world, digests, options, report.audit, out);
        add(Kind::Certificate, manifest::CERTIFICATE, zip::pack(manifest::CERTIFICATE, certificate)?);
        for (format, name) in REPORTS {
            // The same bytes wherever the inventory lay.
            let look = Look { limit: None, causes: None, ..Look::default() };
            let report =
                Report { again: String::new(), places: report.places.clone().wherever(), ..report.clone() }
                    .look(look);
            let packed = zip::pack(&format!("reports/{name}"), |out| report.write(format, out))?;
            add(Kind::Report, name, packed);
        }
        for (member, packed) in members.iter_mut().zip(texts.iter().chain(&made)) {
            member.bytes = packed.bytes;
            member.blake3.clone_from(&packed.digest);
        }
        let manifest = Manifest::new(options, &report.gate, world, members);
        made.push(zip::pack(manifest::MANIFEST, |out| manifest.write(out))?);
        Ok(made)
    }
}

/// The files that were judged.
fn read(world: &World) -> impl Iterator<Item = FileId> {
    world.read.inventory.iter().chain(&world.read.policies).copied()
}

/// All texts that were read, in the order of the list.
fn texts<'c>(
    content: &Content<'c>,
    places: &mut Places,
) -> Result<Vec<(Member, &'c SourceFile)>, NotBundled> {
    let read = &content.world.read;
    let of = |kind: Kind, files: &[FileId]| -> Vec<(Kind, FileId)> {
        files.iter().map(|&file| (kind, file)).collect()
    };
    let mut all = of(Kind::Inventory, &read.inventory);
    all.extend(of(Kind::Policy, &read.policies));
    all.extend(content.settings.map(|file| (Kind::Settings, file)));
    all.extend(content.baseline.map(|file| (Kind::Baseline, file)));
    let mut members = Vec::new();
    for (kind, id) in all {
        let Some(file) = content.sources.get(id) else { continue };
        let kind = match packs::carried_as(file.name()).filter(|_| file.path().is_none()) {
            Some(_) if kind == Kind::Policy => Kind::Pack,
            _ => kind,
        };
        let name = match (kind, file.path().and_then(|path| path.file_name())) {
            // Named as they were found, which can be by a whole path.
            (Kind::Settings | Kind::Baseline, Some(name)) => name.to_string_lossy().into_owned(),
            _ => file.name().to_owned(),
        };
        if manifest::is_absolute(&name) {
            return Err(NotBundled::Absolute(name));
        }
        members.push((Member::new(places, kind, &name), file));
    }
    Ok(members)
}

/// The text of a file as it was judged, read again if it was let go.
fn judged<'f>(file: &'f SourceFile, files: &Files) -> Result<Cow<'f, [u8]>, NotBundled> {
    if let Some(text) = file.text() {
        return Ok(text.as_bytes().into());
    }
    let now = file.path().and_then(|path| files.read(path, file.length() as u64 + 1).ok());
    let same = now.filter(|now| blake3::hash(now) == file.digest());
    same.map(Cow::Owned).ok_or_else(|| NotBundled::Changed(file.name().to_owned()))
}

/// Whether the files hold what was judged. What is no regular file is read but once.
fn unchanged(texts: &[(Member, &SourceFile)], files: &Files) -> Result<(), NotBundled> {
    for (_, file) in texts {
        let Some(path) = file.path() else { continue };
        let same = match files.kind(path) {
            Ok(files::Kind::File(_)) => {
                let now = files.read(path, file.length() as u64 + 1);
                now.is_ok_and(|now| blake3::hash(&now) == file.digest())
            }
            Ok(_) => true,
            Err(_) => false,
        };
        if !same {
            return Err(NotBundled::Changed(file.name().to_owned()));
        }
    }
    Ok(())
}
