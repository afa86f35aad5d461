//! Runs planned cells, each in a process of its own: a crash costs one cell, not the table.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sure_records::{Claim, ClaimState, RunRecord, Store};

use crate::{
    cell, environment,
    observe::{Bar, Line},
    progress::Progress,
    rundir::RunFile,
};

/// Exit code of an interrupted process.
pub const INTERRUPTED: i32 = 130;

/// How often a cell that somebody else works on is looked at again.
const WAIT: Duration = Duration::from_millis(500);

/// What became of the cells.
#[derive(Debug)]
pub struct Ran {
    /// The records in the order of the cells; a cell that was interrupted has none.
    pub records: Vec<Option<RunRecord>>,
    /// How many of them were there before.
    pub before: usize,
}

/// Runs the cells of `runs` that have no good record in `store` yet, `jobs` at a time; other processes on the same
/// folder share the work.
///
/// # Errors
/// When the store cannot be read or written, or a process cannot be started.
pub fn run_cells(runs: &[RunFile], store: &Store, jobs: usize) -> Result<Ran> {
    let mut queue = VecDeque::new();
    for (index, run) in runs.iter().enumerate() {
        if !store.is_finished(&run.cell)? {
            queue.push_back(index);
        }
    }
    let before = runs.len() - queue.len();
    let several_seeds = runs.iter().any(|run| run.cell.seed != runs[0].cell.seed);
    let progress = Progress::new(runs.len(), before, several_seeds);
    let jobs = jobs.clamp(1, queue.len().max(1));
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        let worker = || -> Result<()> {
            loop {
                let next = lock(&queue).pop_front();
                let Some(index) = next.filter(|_| !environment::interrupted()) else { return Ok(()) };
                if !run_one(&runs[index], store, &progress)? {
                    lock(&queue).push_back(index);
                    thread::sleep(WAIT);
                }
            }
        };
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    progress.clear();
    let records = runs.iter().map(|run| Ok(store.get(&run.cell.id())?)).collect::<Result<_>>()?;
    Ok(Ran { records, before })
}

/// The queue is whole whatever happened to a worker: every change to it is a single call.
fn lock(queue: &Mutex<VecDeque<usize>>) -> MutexGuard<'_, VecDeque<usize>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one cell unless somebody else does; false when it is to be looked at again.
fn run_one(run: &RunFile, store: &Store, progress: &Progress) -> Result<bool> {
    let (id, start) = (run.cell.id(), Instant::now());
    let ClaimState::Mine(_claim) = Claim::acquire(store.dir(), id.as_str())? else {
        let is_finished = store.is_finished(&run.cell)?;
        if is_finished {
            progress.finish(&run.cell, None, start.elapsed());
        }
        return Ok(is_finished);
    };
    if store.is_finished(&run.cell)? {
        progress.finish(&run.cell, None, start.elapsed());
        return Ok(true);
    }
    let folder = store.cell_dir(&id);
    run.write(&folder)?;
    let mut bar = progress.begin(&run.cell);
    let (code, complaint) = run_process(&folder, &mut bar)?;
    bar.clear();
    // 0 and 1 come with a record of the cell's own.
    if !matches!(code, Some(0 | 1 | INTERRUPTED)) && !environment::interrupted() {
        let ended = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        let error = anyhow::anyhow!("the cell's process ended with {ended}: {}", complaint.trim());
        store.put(&cell::failed(run, &error))?;
    }
    progress.finish(&run.cell, store.get(&id)?.as_ref(), start.elapsed());
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
