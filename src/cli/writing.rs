//! The arguments of all subcommands that write reports.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::base::visible::visible;
use crate::declare::config::Config;
use crate::read::files::lexically;
use crate::report::audience::Audience;
use crate::report::{Format, Look};

use super::output::Kept;
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::{self, Color};
use super::values;

/// What is written, where, and how it looks.
#[derive(Debug, clap::Args)]
pub struct Writing {
    /// The format of the report
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    pub format: Format,
    /// Write the report to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write a report in FORMAT to FILE, such as `json=audit.json`
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = values::report)]
    reports: Vec<(Format, PathBuf)>,
    /// Print at most N causes in the text report, with --by rule N findings, and count the others;
    /// 0 prints all [default: 20 causes, 100 findings]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Write the HTML report for one kind of reader: board, analyst or regulator [default: all
    /// parts for everybody]
    #[arg(long, value_name = "AUDIENCE", value_parser = values::word::<Audience>(), hide_possible_values = true)]
    audience: Option<Audience>,
    /// Print findings and errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl Writing {
    /// Whether a report in this format is asked for.
    pub fn makes(&self, format: Format, config: &Config) -> bool {
        let reports = if self.reports.is_empty() { &config.reports } else { &self.reports };
        self.format == format || reports.iter().any(|(own, _)| *own == format)
    }

    /// Writes the reports that are asked for; `make` writes one, `remarks` says what it has no
    /// place for.
    ///
    /// # Errors
    /// When one cannot be made or written.
    pub fn write(
        &self,
        session: &Session,
        config: &Config,
        remarks: impl Fn(Format) -> Vec<String>,
        mut make: impl FnMut(Format, Look, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Stop> {
        let mut on_paper = Look {
            color: session.color == Color::Always,
            quiet: session.quiet,
            audience: self.audience,
            ..Look::default()
        };
        if let Some(limit) = self.limit {
            on_paper.limit = Some(limit).filter(|&most| most > 0);
            on_paper.causes = on_paper.limit;
        }
        let reports = if self.reports.is_empty() { &config.reports } else { &self.reports };
        let here = std::env::current_dir().unwrap_or_default();
        let mut files: Vec<_> = reports.iter().map(|(_, file)| file).chain(&self.output).collect();
        files.sort_by_cached_key(|file| lexically(&here.join(file)));
        let one = |a: &PathBuf, b: &PathBuf| lexically(&here.join(a)) == lexically(&here.join(b));
        let twins = files.iter().zip(files.iter().skip(1)).find(|(a, b)| one(a, b) && !a.starts_with("/dev"));
        if let Some((one, _)) = twins {
            stop!("two reports would go to `{}`; name a file for each", visible(&one.display().to_string()));
        }
        let formats = reports.iter().map(|(format, _)| *format).chain([self.format]);
        let remarks: BTreeSet<String> = formats.flat_map(remarks).collect();
        remarks.iter().for_each(|remark| session.output.say(&visible(&format!("note: {remark}"))));
        let _writing = session.stages.begin("writing", 0);
        for (format, file) in reports {
            session.output.stream_file(file, Kept::Written, |out| make(*format, on_paper, out))?;
        }
        match &self.output {
            Some(file) => {
                session.output.stream_file(file, Kept::Written, |out| make(self.format, on_paper, out))?
            }
            None => {
                let look =
                    Look { color: session.color.on(&io::stdout()), width: terminal::width(), ..on_paper };
                session.output.stream(|out| make(self.format, look, out))?;
            }
        }
        Ok(())
    }
}
