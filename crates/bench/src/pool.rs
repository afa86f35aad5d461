//! Runs planned cells, each in a process of its own: a crash costs one cell, not the table.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sure_records::{Claim, ClaimState, RunRecord, Store};

use crate::{
    cell, environment,
    observe::{Bar, Line},
    rundir::RunFile,
};

/// Exit code of an interrupted process.
pub const INTERRUPTED: i32 = 130;

/// How often a cell that somebody else works on is looked at again.
const WAIT: Duration = Duration::from_millis(500);

/// Runs the cells of `runs` that have no good record in `store` yet, `jobs` at a time; other processes on the same
/// folder share the work. Returns the records in the order of `runs`; a cell that was interrupted has none.
///
/// # Errors
/// When the store cannot be read or written, or a process cannot be started.
pub fn run_cells(runs: &[RunFile], store: &Store, jobs: usize) -> Result<Vec<Option<RunRecord>>> {
    let mut queue = VecDeque::new();
    for (index, run) in runs.iter().enumerate() {
        if !store.is_finished(&run.cell)? {
            queue.push_back(index);
        }
    }
    let bars = MultiProgress::new();
    let overall = bars.add(ProgressBar::new(runs.len() as u64));
    overall.set_style(
        ProgressStyle::with_template("{prefix:28!} {wide_bar} {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    overall.set_prefix("cells");
    overall.set_position((runs.len() - queue.len()) as u64);
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        let worker = || -> Result<()> {
            loop {
                let next = lock(&queue).pop_front();
                let Some(index) = next.filter(|_| !environment::interrupted()) else { return Ok(()) };
                if run_one(&runs[index], store, &bars)? {
                    overall.inc(1);
                } else {
                    lock(&queue).push_back(index);
                    thread::sleep(WAIT);
                }
            }
        };
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    overall.finish_and_clear();
    runs.iter().map(|run| Ok(store.get(&run.cell.id())?)).collect()
}

/// The queue is whole whatever happened to a worker: every change to it is a single call.
fn lock(queue: &Mutex<VecDeque<usize>>) -> MutexGuard<'_, VecDeque<usize>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one cell unless somebody else does; false when it is to be looked at again.
fn run_one(run: &RunFile, store: &Store, bars: &MultiProgress) -> Result<bool> {
    let id = run.cell.id();
    let ClaimState::Mine(_claim) = Claim::acquire(store.dir(), id.as_str())? else {
        return Ok(store.is_finished(&run.cell)?);
    };
    if store.is_finished(&run.cell)? {
        return Ok(true);
    }
    let folder = store.cell_dir(&id);
    run.write(&folder)?;
    let title = format!("{} {} seed {}", run.cell.column(), run.cell.method, run.cell.seed);
    let bar = bars.add(ProgressBar::new(0));
    bar.set_prefix(title);
    let mut bar = Bar::with(bar);
    let (code, complaint) = run_process(&folder, &mut bar)?;
    bar.clear();
    // 0 and 1 come with a record of the cell's own.
    if !matches!(code, Some(0 | 1 | INTERRUPTED)) && !environment::interrupted() {
        let ended = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        let error = anyhow::anyhow!("the cell's process ended with {ended}: {}", complaint.trim());
        store.put(&cell::failed(run, &error))?;
    }
    Ok(true)
}

/// Runs `sure cell` on `folder`; returns its exit code and the end of what it wrote to standard error.
fn run_process(folder: &Path, bar: &mut Bar) -> Result<(Option<i32>, String)> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut child = Command::new(program)
        .arg("cell")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting a cell's process")?;
    let mut complaints = child.stderr.take().context("the child's standard error")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = complaints.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    for line in BufReader::new(child.stdout.take().context("the child's standard output")?).lines() {
        if let Ok(line) = serde_json::from_str::<Line>(&line?) {
            bar.show(&line);
        }
    }
    let status = child.wait()?;
    let text = reader.join().unwrap_or_default();
    let tail: Vec<&str> = text.lines().rev().take(5).collect();
    Ok((status.code(), tail.into_iter().rev().collect::<Vec<_>>().join(" | ")))
}
