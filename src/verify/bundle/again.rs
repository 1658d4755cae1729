//! Making a bundle again from the texts in it: what comes out has to be what is in it.

use std::io;
use std::path::PathBuf;

use super::check::Bundle;
use super::manifest::{self, Gating, Kind, MANIFEST, Places};
use super::{Made, Unreadable, zip};
use crate::audit::Options;
use crate::base::diagnostic::Diagnostic;
use crate::base::limits::Limits;
use crate::base::source::Sources;
use crate::declare::baseline::Baseline;
use crate::declare::gate::Gate;
use crate::model::load::World;
use crate::report::Report;
use crate::verify::certificate::digests_of;

/// Why a bundle cannot be made again.
#[derive(Debug)]
pub enum NotAgain {
    /// The list says something that no audit writes.
    Unreadable(Unreadable),
    /// The baseline has mistakes.
    Baseline(Vec<Diagnostic>),
}

impl Bundle<'_> {
    /// How it was judged, and when its reports say that this fails. The baseline's text stays in
    /// `sources`.
    ///
    /// # Errors
    /// When no audit is asked for like this.
    pub fn options(&self, limits: &Limits, sources: &mut Sources) -> Result<(Options, Gate), NotAgain> {
        let wrong = |why: String| NotAgain::Unreadable(Unreadable::Manifest(why));
        let (day, scope) = self.manifest.judged.scope().map_err(wrong)?;
        let gating = self.manifest.gate.clone().unwrap_or_else(Gating::usual);
        let gate = gating.gate().ok_or_else(|| wrong("`fail_on` is no severity".to_owned()))?;
        let mut options = Options::new(day);
        options.scope = scope;
        options.binding = gating.fail_on_status;
        if let Some(member) = self.manifest.entries.iter().find(|member| member.kind == Kind::Baseline) {
            let text = self.text_of(member, *limits).map_err(NotAgain::Unreadable)?;
            let read = Baseline::read(PathBuf::from(&member.name), text, limits, sources);
            options.baseline = Some(read.map_err(NotAgain::Baseline)?);
        }
        Ok((options, gate))
    }

    /// What of it is not as this version makes it of the same texts; the report is that of an audit with
    /// [`Bundle::options`].
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn made_again(
        &self,
        world: &World,
        sources: &Sources,
        options: &Options,
        report: &Report,
    ) -> io::Result<Vec<String>> {
        let mut failures = Vec::new();
        let is_text = |kind| !matches!(kind, Kind::Certificate | Kind::Report);
        let texts: Vec<_> = self.manifest.entries.iter().filter(|member| is_text(member.kind)).collect();
        let rank = |kind| match kind {
            Kind::Inventory => 0,
            Kind::Pack | Kind::Policy => 1,
            Kind::Settings => 2,
            Kind::Baseline => 3,
            Kind::Certificate | Kind::Report => 4,
        };
        let in_order = texts.is_sorted_by_key(|member| rank(member.kind))
            && texts.iter().filter(|member| member.kind == Kind::Inventory).is_sorted_by_key(|m| &m.name);
        if !in_order {
            failures.push(format!("{MANIFEST} lists the texts in an order in which no audit reads them"));
        }
        let mut places = Places::default();
        texts.iter().for_each(|member| drop(places.of(member.kind, &member.name)));
        let unpacked =
            texts.iter().map(|member| zip::Packed::listed(&member.entry, member.bytes, &member.blake3));
        let files = super::read(world).filter_map(|file| sources.get(file));
        let made = Made { world, digests: &digests_of(files), options, report };
        let stage = options.stages.begin("making again", super::REPORTS.len() + 2);
        let members = texts.iter().map(|&member| member.clone()).collect();
        let again = made.entries(places, members, &unpacked.collect::<Vec<_>>(), &stage)?;
        let differ = again.iter().filter(|entry| !self.holds(entry));
        let mut differ: Vec<&str> = differ.map(|entry| entry.name.as_str()).collect();
        if differ.len() > 1 {
            // It lists the digests of the others.
            differ.retain(|&name| name != manifest::MANIFEST);
        }
        failures.extend(
            differ.into_iter().map(|name| format!("{name} is not what an audit of the texts writes")),
        );
        Ok(failures)
    }
}
