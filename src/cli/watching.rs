//! For those who wait: a bar on a terminal, and what each stage cost.

use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringfence::base::stages::{self, Cost, Unit, Watch};

use super::output;

/// What takes no longer shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// So often the bar is drawn.
const BEAT: Duration = Duration::from_millis(100);

/// The bar that is on the terminal.
static BAR: Mutex<Shown> = Mutex::new(Shown { over: false, bar: None });

struct Shown {
    /// No bar may come any more.
    over: bool,
    bar: Option<ProgressBar>,
}

/// Watches a run.
pub struct Watching {
    since: Instant,
    watch: Option<&'static Watch>,
    timings: bool,
}

impl Watching {
    /// Begins: with a bar where somebody sees it.
    pub fn begin(timings: bool, quiet: bool) -> Self {
        let bar = !quiet && output::watched(&io::stderr());
        let watch = (bar || timings).then(stages::watch);
        if let Some(watch) = watch.filter(|_| bar) {
            thread::spawn(move || draw(watch));
        }
        Watching { since: Instant::now(), watch, timings }
    }

    /// Ends: the bar is gone, what each stage cost is said if that is wanted.
    pub fn end(self) {
        over();
        if let Some(watch) = self.watch.filter(|_| self.timings) {
            output::say(&table(&watch.costs(), self.since.elapsed(), peak()));
        }
    }
}

/// Takes the bar off the terminal for good, before something else is written there.
pub fn over() {
    let mut shown = BAR.lock().unwrap_or_else(PoisonError::into_inner);
    shown.over = true;
    if let Some(bar) = shown.bar.take() {
        bar.finish_and_clear();
    }
}

fn draw(watch: &Watch) {
    thread::sleep(PATIENCE);
    loop {
        {
            let mut shown = BAR.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.over {
                return;
            }
            let bar = shown.bar.get_or_insert_with(|| {
                ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr()).with_elapsed(PATIENCE)
            });
            if let Some(progress) = watch.progress() {
                bar.set_length(progress.of.max(1) as u64);
                bar.set_position(progress.done.min(progress.of) as u64);
                bar.set_style(style(progress.of > 0));
                bar.set_message(progress.stage);
            }
            bar.tick();
        }
        thread::sleep(BEAT);
    }
}

fn style(known: bool) -> ProgressStyle {
    let template =
        if known { "{msg:>16} [{bar:40}] {pos}/{len} {elapsed}" } else { "{msg:>16} {spinner} {elapsed}" };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// The stages, what each cost, and at what pace.
fn table(costs: &[Cost], all: Duration, peak: Option<u64>) -> String {
    let mut text = format!("{:<16}{:>10}{:>7}  pace\n", "stage", "time", "share");
    for cost in costs {
        let _ = write!(text, "{:<16}{:>10}{:>7}", cost.stage, seconds(cost.took), share(cost.took, all));
        if let Some((amount, unit)) = cost.amount {
            let _ = write!(text, "  {}", pace(amount, unit, cost.took));
        }
        text.push('\n');
    }
    let rest = all.saturating_sub(costs.iter().map(|cost| cost.took).sum());
    let _ = writeln!(text, "{:<16}{:>10}{:>7}", "the rest", seconds(rest), share(rest, all));
    let _ = write!(text, "{:<16}{:>10}", "in all", seconds(all));
    if let Some(peak) = peak {
        let _ = write!(text, "{:>7}  at most {:.1} MB of memory", "", peak as f64 / 1e6);
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn share(part: Duration, all: Duration) -> String {
    format!("{:.0} %", 100.0 * part.as_secs_f64() / all.as_secs_f64().max(1e-9))
}

fn pace(amount: usize, unit: Unit, took: Duration) -> String {
    let each_second = amount as f64 / took.as_secs_f64().max(1e-9);
    match unit {
        Unit::Bytes => format!("{:.1} MB, {:.1} MB/s", amount as f64 / 1e6, each_second / 1e6),
        Unit::Flows => format!("{amount} flows, {each_second:.0} a second"),
        Unit::Findings => format!("{amount} findings, {each_second:.0} a second"),
    }
}

/// The most bytes of memory that this process had, where the system says so.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_each_stage_cost() {
        let second = Duration::from_secs(1);
        let costs = [
            Cost { stage: "reading", took: second, amount: Some((5_000_000, Unit::Bytes)) },
            Cost { stage: "following", took: 2 * second, amount: Some((10, Unit::Flows)) },
        ];
        let text = table(&costs, 4 * second, Some(7_000_000));
        assert_eq!(
            text,
            "stage                 time  share  pace\n\
             reading            1.000 s   25 %  5.0 MB, 5.0 MB/s\n\
             following          2.000 s   50 %  10 flows, 5 a second\n\
             the rest           1.000 s   25 %\n\
             in all             4.000 s         at most 7.0 MB of memory"
        );
    }
}
