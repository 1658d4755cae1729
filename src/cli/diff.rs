//! `ringfence diff`: what a change opens and closes.

use std::io::Write;
use std::process::ExitCode;

use crate::audit::Options;
use crate::base::finding::Audit;
use crate::base::source::Sources;
use crate::base::visible::visible;
use crate::compare::{
    Already, Diff, Known, Layout, Mistakes, ReachChanges, Side, Spec, State, StateFacts, States, Unjudged,
    Which, accepted, compare, edits, excluded_edits, goes_beyond, held, pardons, reach_changes, sides,
    unjudged, unjudged_notice, untrusted, with_pardoned,
};
use crate::declare::config::Config;
use crate::declare::gate::Gate;
use crate::model::Counting;
use crate::model::load::{self, Request, World};
use crate::read::places::Places;
use crate::report::Look;
use crate::report::difference::DiffReport;

use super::input;
use super::judging::{self, Judging};
use super::results;
use super::session::Session;
use super::stop::Stop;
use super::writing::Writing;

/// Compare two states of an inventory and fail on what a change newly allows
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The state before the change: a folder, the JSON report of an audit, git:REVISION or
    /// git:REVISION:FOLDER
    #[arg(value_name = "BASE")]
    base: String,
    /// The state after the change, in the same form
    #[arg(value_name = "HEAD")]
    head: String,
    #[command(flatten)]
    judging: Judging,
    /// Also fail, whatever the rules say, on edits that widen what may move or add a claim that a
    /// rule can rely on, and on changes of settings, policies or the baseline that let more pass
    #[arg(long)]
    fail_on_widening: bool,
    /// Trust the claims that HEAD adds to declarations that are in BASE: skip the second evaluation
    /// without these claims
    #[arg(long)]
    trust_claims: bool,
    /// Apply the configuration, policies, waivers, promises and baseline of HEAD
    /// instead of those of BASE
    #[arg(long)]
    trust_head: bool,
    #[command(flatten)]
    pub writing: Writing,
}

const EXAMPLES: &str = "\
Examples:
  ringfence diff git:main git:HEAD
  ringfence diff git:main .                  Include uncommitted changes
  ringfence diff last-year this-year --fail-on-widening
  ringfence diff before.json after.json      Compare the findings of two JSON reports
  ringfence diff git:main . --format markdown --output comment.md

BASE is trusted and HEAD is not: the configuration, policies, waivers, promises
and baseline of BASE apply to both, and the configuration of BASE decides which
files of both are read unless the arguments name a folder. Changes of these in
HEAD are listed first and not applied; --fail-on-widening fails on those that
would let more pass.

HEAD is evaluated a second time without the claims (a role, a consent, a status)
that it adds to declarations that are in BASE. A finding that appears only then
was pardoned in the same change, and fails. --trust-claims turns this off.

Exit codes:
  0  no finding at or above --fail-on was added, has grown or was pardoned
  1  such findings, new notices denied by --deny-notices, or edits and changed settings that
     --fail-on-widening fails on
  2  invalid input or arguments; nothing was compared";

/// Runs the comparison.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let parse =
        |text: &str| Spec::parse(text).map_err(|wrong| invalid(session, &wrong, &Sources::new(), text));
    let (base, head) = (parse(&args.base)?, parse(&args.head)?);
    let compared = match (&base, &head) {
        (Spec::Path(_) | Spec::Revision(..), Spec::Path(_) | Spec::Revision(..)) => {
            states(args, session, &base, &head)?
        }
        _ => results(args, session, &base, &head)?,
    };
    finish(args, session, compared)
}

/// What is wrong with a state.
fn invalid(session: &Session, mistakes: &Mistakes, sources: &Sources, state: &str) -> Stop {
    match mistakes {
        Mistakes::Call(text) => Stop::error(text),
        Mistakes::Files(diagnostics) => {
            session.invalid(diagnostics, sources).after(&visible(&format!("in {state}:")))
        }
    }
}

/// All that is to be written.
struct Compared {
    diff: Diff,
    /// The head's result, what the base knows marked as known.
    head: Audit,
    gate: Gate,
    config: Config,
    places: Places,
    /// What the head declares, unless it is a result alone.
    declared: Option<(World, Sources)>,
    options: Options,
}

fn finish(args: &Args, session: &Session, mut compared: Compared) -> Result<ExitCode, Stop> {
    compared.diff.count(&compared.gate);
    let Compared { diff, head, gate, config, places, declared, options } = &compared;
    let report = DiffReport {
        diff,
        head,
        gate,
        look: Look::default(),
        places,
        widening: args.fail_on_widening,
        declared: declared.as_ref().map(|(world, sources)| (world, sources)),
        scope: &options.scope,
    };
    let write = |format, look, out: &mut dyn Write| DiffReport { look, ..report }.write(format, out);
    args.writing.write(session, config, |format| report.remarks(format), write)?;
    Ok(ExitCode::from(u8::from(diff.fails(gate, args.fail_on_widening))))
}

/// Two states that lie in files.
fn states(args: &Args, session: &Session, base: &Spec, head: &Spec) -> Result<Compared, Stop> {
    let (mut texts, mut sources) = (Sources::new(), Sources::new());
    let names = [base.name(), head.name()];
    let name = |which: Which| match which {
        Which::Base => &names[0],
        Which::Head => &names[1],
    };
    let states =
        States::open(base, head).map_err(|(which, m)| invalid(session, &m, &Sources::new(), name(which)))?;
    let layout = Layout::new(&states, args.trust_head, session.limits, (&mut texts, &mut sources)).map_err(
        |(which, m)| {
            let sources = if which == Which::Base { &texts } else { &sources };
            invalid(session, &m, sources, name(which))
        },
    )?;
    let judging = states.get(layout.judging);
    let config = layout.config().clone();
    let mut options = args.judging.options(session, &config);
    options.baseline = input::baseline(session, &config, &judging.files, &mut texts)?;
    let gate = args.judging.gate(&config);
    let named = &args.judging.scoping.policies;
    let policy_files = if named.is_empty() { None } else { Some(judging.files.named()) };
    let read = |which: Which, judges, texts: &mut Sources| -> Result<World, Stop> {
        let state = states.get(which);
        let paths = layout.found(which, args.judging.allow_empty);
        let request = Request {
            files: &state.files,
            policy_files: policy_files.as_ref().unwrap_or(&judging.files),
            paths: paths.map_err(|m| invalid(session, &m, &Sources::new(), &state.name))?,
            exclude: config.exclude.clone(),
            baselines: layout.baselines(which),
            policies: input::policies(named, &config),
            judges,
            limits: session.limits,
            stages: session.stages.clone(),
            keep: !args.trust_claims,
            waiver_max: config.waiver_max,
            day: Some(args.judging.scoping.day()),
            ..Request::default()
        };
        load::load(&request, texts).map_err(|m| invalid(session, &Mistakes::Files(m), texts, &state.name))
    };
    let before = read(Which::Base, None, &mut texts)?;
    // The head is held to what the base says: places in both have to be known.
    let mut texts_of_head = texts.clone();
    let after = read(Which::Head, (!args.trust_head).then_some(&before.judges), &mut texts_of_head)?;
    if !args.judging.allow_empty {
        for (world, which) in [(&before, Which::Base), (&after, Which::Head)] {
            let state = states.get(which);
            if !Counting::any(&world.model, options.day, &options.scope) {
                let text = layout.nothing_in(which);
                return Err(invalid(session, &Mistakes::Call(text), &texts, &state.name));
            }
        }
    }
    let (first, second) = sides((&before, &texts), (&after, &texts_of_head), &options.scope);
    let edits = edits(&first, &second);
    let ((audit_before, mut audit_after), reach) = judge(session, &first, &second, &options)?;
    let facts = |state: &State, audit: &Audit| StateFacts {
        name: state.name.clone(),
        commit: state.commit.clone(),
        inventory: audit.inventory.clone(),
    };
    let trees = (&before.model.data, &after.model.data);
    let known = Known::of(&audit_before, &first.renames);
    known.carry(&mut audit_after, trees);
    let mut diff = Diff::new(
        (facts(&states.base, &audit_before), &audit_before),
        (facts(&states.head, &audit_after), &audit_after),
        Some(trees),
        args.trust_head,
        &known,
    );
    diff.trust_claims = args.trust_claims;
    if !args.trust_claims {
        let judged = Already { base: &audit_before, head: &audit_after, fixed: &diff.findings.fixed };
        let found = pardons((&first, &second), &edits, judged, |world| {
            judging::audit(session, world, second.sources, &options)
        });
        let found = found.map_err(|stopped| match stopped {
            Unjudged::Unresolved(m) => {
                invalid(session, &Mistakes::Files(m), &texts_of_head, "HEAD without its claims")
            }
            Unjudged::Stopped(stop) => stop,
        })?;
        diff.add_pardons(found);
    }
    let changes = untrusted(&layout);
    diff.untrusted = changes.all;
    diff.unjudged = unjudged(&layout);
    diff.notices.extend(excluded_edits(&layout).into_iter().chain(unjudged_notice(&diff.unjudged)));
    diff.untrusted.extend(held(&edits));
    diff.reach = Some(reach);
    diff.edits = Some(edits);
    let mut head = accepted(&audit_after, &diff.findings);
    with_pardoned(&mut head, &diff.pardoned);
    diff.tell(&mut head);
    let places = Places::of_second(&texts_of_head, texts.iter().count(), &changes.files);
    Ok(Compared { diff, head, gate, config, places, declared: Some((after, texts_of_head)), options })
}

type Judged = ((Audit, Audit), ReachChanges);

fn judge(session: &Session, base: &Side, head: &Side, options: &Options) -> Result<Judged, Stop> {
    let (before, after) = std::thread::scope(|scope| {
        let before = scope.spawn(|| judging::audit(session, base.world, base.sources, options));
        let after = judging::audit(session, head.world, head.sources, options);
        (before.join(), after)
    });
    // What stopped the other thread stops this one, with its message.
    let before = before.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok(((before?, after?), reach_changes(base, head, options)))
}

/// Two results, or one beside files.
fn results(args: &Args, session: &Session, base: &Spec, head: &Spec) -> Result<Compared, Stop> {
    let mut config = Config::default();
    let mut result = |spec: &Spec, trusted: bool, like: Option<&Audit>| -> Result<Audit, Stop> {
        let call = |text: String| invalid(session, &Mistakes::Call(text), &Sources::new(), &spec.name());
        if let Spec::Result(path) = spec {
            return results::read(path, session.limits.file_size).map_err(|error| call(format!("{error:#}")));
        }
        let mut texts = Sources::new();
        let state = State::alone(spec).map_err(|m| invalid(session, &m, &texts, &spec.name()))?;
        let (own, paths) = state
            .on_its_own(&session.limits, &mut texts)
            .map_err(|m| invalid(session, &m, &texts, &state.name))?;
        let (own, paths) = match trusted {
            true => (own, paths),
            // A result has no settings; what it says of how it was judged holds for the head, too.
            false => (settings_of(like), state.whole()),
        };
        let request = Request {
            files: &state.files,
            policy_files: &state.files.named(),
            paths,
            exclude: own.exclude.clone(),
            limits: session.limits,
            stages: session.stages.clone(),
            baselines: own.baseline.iter().cloned().collect(),
            policies: input::policies(&args.judging.scoping.policies, &own),
            waiver_max: own.waiver_max,
            day: Some(args.judging.scoping.day()),
            ..Request::default()
        };
        let world = load::load(&request, &mut texts)
            .map_err(|m| invalid(session, &Mistakes::Files(m), &texts, &state.name))?;
        let audit = judging::audit(session, &world, &texts, &args.judging.options(session, &own));
        config = own;
        audit
    };
    let before = result(base, true, None)?;
    let mut after = result(head, args.trust_head, Some(&before))?;
    if !args.trust_head {
        distrust(&before, &mut after);
    }
    let mut diff = compare((&base.name(), &before), (&head.name(), &after));
    diff.trust_head = args.trust_head;
    let gate = args.judging.gate(&config);
    let head = accepted(&after, &diff.findings);
    let options = args.judging.options(session, &config);
    Ok(Compared { diff, head, gate, config, places: Places::default(), declared: None, options })
}

/// What is known of how a result was judged, as settings.
fn settings_of(result: Option<&Audit>) -> Config {
    let Some(Audit { judged, .. }) = result else {
        return Config::default();
    };
    Config {
        as_of: judged.as_of.as_deref().and_then(|day| day.parse().ok()),
        status: judged.status.clone().unwrap_or_default(),
        ..Config::default()
    }
}

/// What only the head accepts is not accepted.
fn distrust(base: &Audit, head: &mut Audit) {
    use crate::base::finding::FindingStatus::New;
    for finding in head.findings.iter_mut().filter(|f| f.status != New) {
        let known = base.findings.iter().find(|f| f.fingerprint == finding.fingerprint);
        let beyond = known.and_then(|f| goes_beyond(f, finding));
        if beyond.is_some() || known.is_none_or(|f| f.status == New) {
            finding.status = New;
            finding.waiver = None;
            if let Some(beyond) = beyond {
                (finding.grown, finding.beyond) = (true, beyond);
            }
        }
    }
}
