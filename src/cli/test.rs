//! `ringfence test`: judges the tests of policies.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::source::Sources;
use crate::policy_test;
use crate::report::tested::{Format, Look, Tested};

use super::session::Session;
use super::stop::Stop;
use super::terminal::{self, Color};
use super::values;

/// Run policy tests: small inventories with the findings that a policy must report
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders and files with tests, or the names of built-in packs [default: the working
    /// folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests whose file, name or rule contains TEXT
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Report the rules, matchers and exceptions that no test exercises: a part is exercised if
    /// some test fails without it
    #[arg(long)]
    coverage: bool,
    /// Fail if tests exercise less than PERCENT of the parts; implies --coverage
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// Write the result to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write the result in FORMAT to FILE, such as `junit=tests.xml`
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = values::written::<Format>)]
    reports: Vec<(Format, PathBuf)>,
    /// Print failures and errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence test
  ringfence test policies/house --coverage
  ringfence test core                          The tests of a built-in pack
  ringfence test --filter opt-out --format junit --output tests.xml
  ringfence test policies --fail-under 100

A test, in a YAML file beside or below the folder of policy.yaml:
  tests:
    - name: Balances must not reach an ad network
      rule: no-financial-ads
      inventory: {parties: [...], agreements: [...]}
      finds:
        - {source: bank/core, sink: ads/audiences, data: [financial.account.balance]}

Exit codes:
  0  all tests pass
  1  a test fails, or the tests exercise less than --fail-under requires
  2  invalid tests, policy or arguments, or there are no tests";

/// Runs the tests.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut sources = Sources::new();
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { here.as_slice() } else { args.paths.as_slice() };
    let filter = args.filter.as_ref().map(|text| text.to_lowercase());
    let wanted = |file: &str, name: &str, rule: Option<&str>| {
        filter.as_ref().is_none_or(|text| {
            let has = |value: &str| value.to_lowercase().contains(text);
            has(file) || has(name) || rule.is_some_and(has)
        })
    };
    let suite = policy_test::read(paths, wanted, session.limits, &mut sources)
        .map_err(|wrong| session.invalid(&wrong, &sources))?;
    let outcomes = policy_test::run(&suite, &sources);
    let asked = args.coverage || args.fail_under.is_some();
    let coverage = asked.then(|| policy_test::coverage(&suite, &sources));
    let tested = Tested {
        suite: &suite,
        outcomes: &outcomes,
        coverage: coverage.as_ref(),
        fail_under: args.fail_under.map(usize::from),
    };
    let on_paper = Look { color: session.color == Color::Always, width: 80, quiet: session.quiet };
    for (format, file) in &args.reports {
        session.output.write_file(file, &tested.render(*format, on_paper)?)?;
    }
    match &args.output {
        Some(file) => session.output.write_file(file, &tested.render(args.format, on_paper)?)?,
        None => {
            let look = Look { color: session.color.on(&io::stdout()), width: terminal::width(), ..on_paper };
            session.output.print(&tested.render(args.format, look)?)?;
        }
    }
    Ok(ExitCode::from(u8::from(tested.fails())))
}
