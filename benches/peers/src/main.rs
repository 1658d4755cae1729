//! Follows data for the rule of `../rule.yaml` with petgraph, ascent, DuckDB and Ringfence,
//! holds the results against each other and prints the times as Markdown.
//!
//!     peers INVENTORY [--without NAME]… [--python PROGRAM] [--runs N]

mod breadth_first;
mod datalog;
mod ours;
mod task;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ringfence::{Request, World, load};
use ringfence::source::Sources;

use task::{Finding, Task, ones};

struct Call {
    inventory: PathBuf,
    without: Vec<String>,
    python: String,
    runs: usize,
}

fn call() -> Result<Call> {
    let mut call =
        Call { inventory: PathBuf::new(), without: Vec::new(), python: "python3".to_owned(), runs: 3 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--without" => call.without.push(value()?),
            "--python" => call.python = value()?,
            "--runs" => call.runs = value()?.parse()?,
            _ => call.inventory = PathBuf::from(arg),
        }
    }
    ensure!(call.inventory.is_dir(), "which inventory? name a folder");
    Ok(call)
}

fn read(inventory: &Path) -> Result<World> {
    let rule = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rule.yaml");
    let mut sources = Sources::default();
    let policies = vec![rule.display().to_string()];
    let request = Request { paths: vec![inventory.to_owned()], policies, ..Request::default() };
    load(&request, &mut sources).map_err(|mistakes| anyhow::anyhow!("{} mistakes", mistakes.len()))
}

/// The task as tables, for a program that reads files.
fn export(task: &Task, folder: &Path) -> Result<()> {
    let table = |name: &str| -> Result<_> { Ok(BufWriter::new(fs::File::create(folder.join(name))?)) };
    let (mut edges, mut arrivals) = (table("edges.csv")?, table("arrivals.csv")?);
    for flow in &task.flows {
        let parties: Vec<String> = match &flow.only_from {
            None => vec![String::new()],
            Some(list) => list.iter().map(u32::to_string).collect(),
        };
        for party in &parties {
            for f in ones(flow.leaves) {
                for g in ones(task.becomes(flow.to, f)) {
                    writeln!(edges, "{},{f},{},{g},{party}", flow.from, flow.to)?;
                }
                if flow.is_forbidden {
                    writeln!(arrivals, "{},{f},{},{party}", flow.from, flow.to)?;
                }
            }
        }
    }
    let mut starts = table("starts.csv")?;
    for origin in &task.origins {
        for &o in &origin.leaves {
            for f in ones(task.becomes(origin.system, o)) {
                writeln!(starts, "{},{},{o},{f}", origin.system, origin.party)?;
            }
        }
    }
    for mut table in [edges, arrivals, starts] {
        table.flush()?;
    }
    Ok(())
}

/// DuckDB's findings, the time for its tables, the time for its query.
fn duckdb(task: &Task, python: &str) -> Result<(Vec<Finding>, Duration, Duration)> {
    let folder = std::env::temp_dir().join(format!("peers-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let run = || -> Result<_> {
        export(task, &folder)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("recursive_sql.py");
        let output = Command::new(python).arg(script).arg(&folder).output().context("cannot run Python")?;
        if !output.status.success() {
            bail!("DuckDB failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let printed = String::from_utf8(output.stdout)?;
        let mut times = printed.split_whitespace().map(|t| t.parse().map(Duration::from_secs_f64));
        let (Some(tables), Some(query)) = (times.next(), times.next()) else {
            bail!("DuckDB's script printed `{printed}`");
        };
        let mut found: rustc_hash::FxHashMap<(u32, u32), (u128, usize)> = Default::default();
        for line in fs::read_to_string(folder.join("found.csv"))?.lines() {
            let mut cells = line.split(',').map(str::parse::<u32>);
            let mut cell = || cells.next().context("a row is too short")?.context("no number");
            let (s, v, o, k) = (cell()?, cell()?, cell()?, cell()? as usize);
            let entry = found.entry((s, v)).or_insert((0, k));
            entry.0 |= 1 << o;
            entry.1 = entry.1.min(k);
        }
        let all = found.into_iter().map(|((s, v), (data, length))| (s, v, data, length));
        Ok((task.findings(all), tables?, query?))
    };
    let result = run();
    let _ = fs::remove_dir_all(&folder);
    result
}

/// The fastest of several runs; one, if it is long.
fn fastest(
    runs: usize,
    mut run: impl FnMut() -> Result<(Vec<Finding>, Duration, Duration)>,
) -> Result<(Vec<Finding>, Duration, Duration)> {
    let (findings, mut before, mut time) = run()?;
    for _ in 1..runs {
        if before + time > Duration::from_secs(30) {
            break;
        }
        let (again, b, t) = run()?;
        ensure!(again == findings, "two runs found different things");
        before = before.min(b);
        time = time.min(t);
    }
    Ok((findings, before, time))
}

fn main() -> Result<()> {
    let call = call()?;
    let start = Instant::now();
    let world = read(&call.inventory)?;
    eprintln!("read in {:.1?}", start.elapsed());
    let task = Task::new(&world)?;
    let starts: usize = task.origins.iter().map(|o| o.leaves.len()).sum();
    let given = format!(
        "{} flows declared, {} of them given; {} systems; {} origins with {starts} leaves",
        world.model.flows.len(),
        task.flows.len(),
        task.systems,
        task.origins.len(),
    );
    eprintln!("{given}");
    let wanted = |name: &str| !call.without.iter().any(|w| w == name);
    let mut rows = Vec::new();
    let ours = fastest(call.runs.max(5), || ours::run(&world))?;
    eprintln!("Ringfence: {:.3?}", ours.2);
    if wanted("petgraph") {
        rows.push((
            "petgraph, breadth-first from each origin leaf",
            fastest(call.runs, || Ok(breadth_first::run(&task)))?,
        ));
    }
    if wanted("ascent") {
        rows.push(("ascent, Datalog", fastest(call.runs, || Ok(datalog::run(&task)))?));
    }
    if wanted("duckdb") {
        rows.push(("DuckDB, recursive SQL", fastest(call.runs, || duckdb(&task, &call.python))?));
    }
    for (name, (findings, ..)) in &rows {
        if *findings != ours.0 {
            let lost = ours.0.iter().find(|f| !findings.contains(f));
            let more = findings.iter().find(|f| !ours.0.contains(f));
            bail!(
                "{name} finds {} things, Ringfence {}; only Ringfence: {lost:?}; only {name}: {more:?}",
                findings.len(),
                ours.0.len()
            );
        }
    }
    println!("{given}. All found the same {} findings.\n", ours.0.len());
    println!("| program | set-up | following | Ringfence's rule is faster by |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, (_, before, time)) in &rows {
        let ratio = time.as_secs_f64() / ours.2.as_secs_f64();
        println!("| {name} | {before:.2?} | {time:.2?} | {ratio:.1} × |");
    }
    println!("| Ringfence, one rule with all witnesses | {:.2?} | {:.2?} | |", ours.1, ours.2);
    Ok(())
}
