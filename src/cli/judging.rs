//! The arguments of all subcommands that judge: what counts, and when that fails.

use std::path::PathBuf;

use crate::audit::{Judgement, Options, describe_all, judge_within};
use crate::base::diagnostic::nearest;
use crate::base::finding::Audit;
use crate::base::source::Sources;
use crate::base::visible::visible;
use crate::base::vocabulary::{PolicyStatus, Status, Word};
use crate::declare::config::Config;
use crate::declare::gate::{Denied, Gate, Threshold};
use crate::model::load::World;
use crate::model::{Counting, Scope};
use crate::report::again::quoted;
use crate::report::count;
use jiff::civil::Date;

use super::input::Input;
use super::session::Session;
use super::stop::Stop;
use super::values;

/// The day on which this runs, in UTC wherever it runs.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What is judged, and when.
#[derive(Debug, clap::Args)]
pub struct Scoping {
    /// A policy: the name of a built-in pack, a file or a folder, or several with commas between them
    /// [default: the configuration's `policies`, else `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    pub policies: Vec<String>,
    /// Include only flows in effect on this date; without it, effective dates are ignored
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// Evaluate waiver, assurance and agreement expiry as of this date [default: today in UTC]
    #[arg(long, alias = "today", value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Include only agreements with these statuses
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    pub status: Vec<Status>,
}

impl Scoping {
    /// The day judged.
    pub fn day(&self) -> Date {
        self.day.unwrap_or_else(today)
    }

    /// What another command is given to look at the same, as a shell takes it: each argument behind a space.
    pub fn again(&self, paths: &[PathBuf]) -> String {
        let days = [("--as-of", self.as_of), ("--day", self.day)];
        let days = days.into_iter().filter_map(|(flag, day)| Some((flag, day?.to_string())));
        let statuses: Vec<&str> = self.status.iter().map(|status| status.word()).collect();
        let statuses = (!statuses.is_empty()).then(|| ("--status", statuses.join(",")));
        let policies = self.policies.iter().map(|policy| ("--policy", policy.clone()));
        let options = policies.chain(days).chain(statuses);
        let mut text: String = options.map(|(flag, value)| format!(" {flag} {}", quoted(&value))).collect();
        paths.iter().for_each(|path| text.push_str(&format!(" {}", quoted(&path.display().to_string()))));
        text
    }

    /// How it is judged.
    pub fn options(&self, session: &Session, config: &Config) -> Options {
        let mut options = Options::new(self.day());
        options.stages = session.stages.clone();
        let statuses = if self.status.is_empty() { &config.status } else { &self.status };
        options.scope = Scope {
            as_of: self.as_of.or(config.as_of),
            statuses: (!statuses.is_empty()).then(|| statuses.clone()),
            running_on: None,
        };
        options
    }
}

/// Which findings can fail.
#[derive(Debug, clap::Args)]
pub struct Binding {
    /// Fail only on findings of policies with one of these statuses
    /// [default: in_force,contractual,house]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<PolicyStatus>())]
    fail_on_status: Vec<PolicyStatus>,
    /// Fail on findings of rules, too, that a policy added after its major version
    #[arg(long)]
    fail_on_new_rules: bool,
}

impl Binding {
    /// How it is judged.
    pub fn options(&self, session: &Session, scoping: &Scoping, config: &Config) -> Options {
        let mut options = scoping.options(session, config);
        if !self.fail_on_status.is_empty() {
            options.binding.clone_from(&self.fail_on_status);
        }
        if self.fail_on_new_rules && !options.binding.contains(&PolicyStatus::NewRule) {
            options.binding.push(PolicyStatus::NewRule);
        }
        options
    }
}

/// What counts, and when that fails.
#[derive(Debug, clap::Args)]
pub struct Judging {
    #[command(flatten)]
    pub scoping: Scoping,
    #[command(flatten)]
    binding: Binding,
    /// Fail on new findings at or above this severity [default: the configuration's `fail_on`,
    /// else high]
    #[arg(long, value_name = "SEVERITY", value_parser = values::word::<Threshold>())]
    fail_on: Option<Threshold>,
    /// Fail on any notice, or on notices with these codes; `ringfence explain` lists the codes
    #[arg(long, value_name = "CODE", num_args = 0.., require_equals = true, value_delimiter = ',',
          value_parser = values::notice, hide_possible_values = true)]
    deny_notices: Option<Vec<String>>,
    /// Succeed even if no flow is in scope
    #[arg(long)]
    pub allow_empty: bool,
}

impl Judging {
    /// When it fails.
    pub fn gate(&self, config: &Config) -> Gate {
        let mut gate = Gate::default();
        if let Some(threshold) = self.fail_on.or(config.fail_on) {
            gate.fail_on = threshold;
        }
        gate.denied = match &self.deny_notices {
            None => Denied::None,
            Some(codes) if codes.is_empty() => Denied::All,
            Some(codes) => Denied::Codes(codes.clone()),
        };
        gate
    }

    /// How it is judged.
    pub fn options(&self, session: &Session, config: &Config) -> Options {
        self.binding.options(session, &self.scoping, config)
    }
}

/// Audits a world.
///
/// # Errors
/// There are more findings than the limit.
pub fn audit(session: &Session, world: &World, sources: &Sources, options: &Options) -> Result<Audit, Stop> {
    Ok(describe_all(world, sources, options, &judge(session, world, sources, options)?))
}

/// Judges all that was read.
///
/// # Errors
/// There are more findings than the limit.
pub fn judge(
    session: &Session,
    world: &World,
    sources: &Sources,
    options: &Options,
) -> Result<Judgement, Stop> {
    let most = session.limits.findings_of(sources.bytes());
    judge_within(world, options, most).map_err(|many| {
        Stop::error(format_args!(
            "{many}; nothing was reported\n  help: audit less at a time, or raise the limit with \
             `--max-findings N`"
        ))
    })
}

/// Stops if no flow is in scope.
pub fn ensure_in_scope(input: &Input, options: &Options) -> Result<(), Stop> {
    if Counting::any(&input.world.model, options.day, &options.scope) {
        return Ok(());
    }
    Err(Stop::printing(nothing_in_scope(input, &options.scope)))
}

/// What was looked for, where, and what there was.
fn nothing_in_scope(input: &Input, scope: &Scope) -> String {
    let model = &input.world.model;
    let places: Vec<String> =
        input.paths.iter().map(|p| format!("`{}`", visible(&p.display().to_string()))).collect();
    let mut text = format!(
        "error: there is nothing to audit: no flow is in scope\n  \
         looked in: {} (every *.yaml and *.yml file in it, except in hidden folders)\n  \
         found: {}, {}, {}, {}, {}",
        places.join(", "),
        count(input.world.files, "file"),
        if model.parties.len() == 1 {
            "1 party".to_owned()
        } else {
            format!("{} parties", model.parties.len())
        },
        count(model.systems.len(), "system"),
        count(model.agreements.len(), "agreement"),
        count(model.flows.len(), "flow"),
    );
    let mut left_out = Vec::new();
    left_out.extend(scope.statuses.as_ref().map(|list| {
        let words: Vec<String> = list.iter().map(ToString::to_string).collect();
        format!("agreements that are not {}", words.join(" or "))
    }));
    left_out.extend(scope.as_of.map(|day| format!("flows that are not in effect on {day}")));
    left_out.extend(
        (!input.config.exclude.is_empty())
            .then(|| format!("files: {}", visible(&input.config.exclude.join(", ")))),
    );
    if !left_out.is_empty() {
        text.push_str(&format!("\n  left out: {}", left_out.join("; ")));
    }
    text + "\n  help: name the folder that holds the inventory, or pass --allow-empty if no flow is meant to be in scope"
}

/// The full fingerprint that a text stands for, which may leave out its start or its end.
pub fn fingerprint<'f>(text: &str, known: impl Iterator<Item = &'f str> + Clone) -> Result<String, String> {
    let wanted = text.strip_prefix("rf1:").unwrap_or(text);
    let known = || known.clone();
    let matches = |full: &&str| full.strip_prefix("rf1:").is_some_and(|digits| digits.starts_with(wanted));
    let mut found: Vec<&str> = known().filter(matches).collect();
    found.dedup();
    match found.as_slice() {
        [one] if wanted.len() >= 4 => Ok((*one).to_owned()),
        [] => {
            let near = nearest(text, known()).map(|near| format!("; did you mean `{near}`?"));
            Err(format!("there is no finding `{}`{}", visible(text), near.unwrap_or_default()))
        }
        several => Err(format!(
            "`{}` is not enough of a fingerprint: {} findings begin so",
            visible(text),
            several.len()
        )),
    }
}
