//! Progress for those who wait: a bar on the terminal, and a table of what each stage took.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::stages::{Cost, Stages, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal;

/// A run that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the bar is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// The progress bar on standard error. Clones share it, so that whoever prints can remove it first.
#[derive(Clone, Default)]
pub struct Bar(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    /// Something else was printed: no bar may appear any more.
    cleared: bool,
    bar: Option<ProgressBar>,
}

/// Whether a bar is shown: somebody watches standard error and has not asked for quiet.
pub fn is_shown(quiet: bool) -> bool {
    !quiet && terminal::is_watched(&io::stderr())
}

impl Bar {
    /// Draws the progress of these stages until something else is printed.
    pub fn start(&self, stages: Stages) {
        let bar = self.clone();
        thread::spawn(move || bar.draw(&stages));
    }

    /// Removes the bar for good, before something else is printed where it stands.
    pub fn clear_progress(&self) {
        let mut shown = self.shown();
        shown.cleared = true;
        if let Some(bar) = shown.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self, stages: &Stages) {
        thread::sleep(PATIENCE);
        loop {
            {
                let mut shown = self.shown();
                if shown.cleared {
                    return;
                }
                let bar = shown.bar.get_or_insert_with(|| {
                    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
                    bar.with_elapsed(PATIENCE)
                });
                if let Some(progress) = stages.progress() {
                    bar.set_length(progress.of.max(1) as u64);
                    bar.set_position(progress.done.min(progress.of) as u64);
                    bar.set_style(style(progress.of > 0));
                    bar.set_message(progress.stage);
                }
                bar.tick();
            }
            thread::sleep(INTERVAL);
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(known: bool) -> ProgressStyle {
    let template =
        if known { "{msg:>16} [{bar:40}] {pos}/{len} {elapsed}" } else { "{msg:>16} {spinner} {elapsed}" };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// The stages, with the time and the throughput of each.
pub fn table(costs: &[Cost], all: Duration, peak: Option<u64>) -> String {
    let mut text = format!("{:<16}{:>10}{:>7}  throughput\n", "stage", "time", "share");
    for cost in costs {
        let _ = write!(text, "{:<16}{:>10}{:>7}", cost.stage, seconds(cost.took), share(cost.took, all));
        if let Some((amount, unit)) = cost.amount {
            let _ = write!(text, "  {}", throughput(amount, unit, cost.took));
        }
        text.push('\n');
    }
    let rest = all.saturating_sub(costs.iter().map(|cost| cost.took).sum());
    let _ = writeln!(text, "{:<16}{:>10}{:>7}", "other", seconds(rest), share(rest, all));
    let _ = write!(text, "{:<16}{:>10}", "total", seconds(all));
    if let Some(peak) = peak {
        let _ = write!(text, "{:>7}  peak memory {:.1} MB", "", peak as f64 / 1e6);
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn share(part: Duration, all: Duration) -> String {
    format!("{:.0} %", 100.0 * part.as_secs_f64() / all.as_secs_f64().max(1e-9))
}

fn throughput(amount: usize, unit: Unit, took: Duration) -> String {
    let each_second = amount as f64 / took.as_secs_f64().max(1e-9);
    match unit {
        Unit::Bytes => format!("{:.1} MB, {:.1} MB/s", amount as f64 / 1e6, each_second / 1e6),
        Unit::Flows => format!("{amount} flows, {each_second:.0}/s"),
        Unit::Findings => format!("{amount} findings, {each_second:.0}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_each_stage_took() {
        let second = Duration::from_secs(1);
        let costs = [
            Cost { stage: "reading", took: second, amount: Some((5_000_000, Unit::Bytes)) },
            Cost { stage: "following", took: 2 * second, amount: Some((10, Unit::Flows)) },
        ];
        let text = table(&costs, 4 * second, Some(7_000_000));
        assert_eq!(
            text,
            "stage                 time  share  throughput\n\
             reading            1.000 s   25 %  5.0 MB, 5.0 MB/s\n\
             following          2.000 s   50 %  10 flows, 5/s\n\
             other              1.000 s   25 %\n\
             total              4.000 s         peak memory 7.0 MB"
        );
    }
}
