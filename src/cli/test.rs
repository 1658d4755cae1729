//! `ringfence test`: judges the tests of policies.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::policy_test;
use ringfence::report::tested::{Format, Look, Tested};
use ringfence::source::Sources;

use super::input;
use super::limits::limits;
use super::output::{self, Color};
use super::values;

/// Runs the tests of policies: small inventories, and what must be found in them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders and files with tests, or the name of a built-in pack [default: the working
    /// folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run the tests whose file, name or rule holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Tell which rules, matchers and exceptions no test exercises: each part is taken away,
    /// and some test has to fail
    #[arg(long)]
    coverage: bool,
    /// Fail if less than so many of a hundred parts are exercised; implies --coverage
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// The form of the result
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// Where the result goes, instead of standard output; written whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The result in one more form, `junit=tests.xml` say
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = values::written::<Format>)]
    reports: Vec<(Format, PathBuf)>,
    /// Failures and errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to colour the text
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
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
  1  a test fails, or less is exercised than --fail-under asks for
  2  the tests, a policy or the call is wrong, or there are no tests";

/// Runs the tests.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
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
    let suite = match policy_test::read(paths, wanted, limits(), &mut sources) {
        Ok(suite) => suite,
        Err(mistakes) => return Ok(input::show(&mistakes, &sources, args.color)),
    };
    let outcomes = policy_test::run(&suite, &sources);
    let asked = args.coverage || args.fail_under.is_some();
    let coverage = asked.then(|| policy_test::coverage(&suite, &sources));
    let tested = Tested {
        suite: &suite,
        outcomes: &outcomes,
        coverage: coverage.as_ref(),
        fail_under: args.fail_under.map(usize::from),
    };
    let on_paper = Look { color: args.color == Color::Always, width: 80, quiet: args.quiet };
    for (format, file) in &args.reports {
        output::write_file(file, &tested.render(*format, on_paper)?)?;
    }
    match &args.output {
        Some(file) => output::write_file(file, &tested.render(args.format, on_paper)?)?,
        None => {
            let look = Look { color: args.color.on(&io::stdout()), width: output::width(), ..on_paper };
            output::print(&tested.render(args.format, look)?)?;
        }
    }
    Ok(ExitCode::from(u8::from(tested.fails())))
}
