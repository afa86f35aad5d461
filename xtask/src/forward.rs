//! Every verb that is not xtask's own: builds `sure` where needed, quietly, and becomes it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::exit::Stop;
use crate::setup;
use crate::workspace::{self, Workspace};

/// The verbs of `sure`, for the help and against typing errors. A verb that is not here is forwarded all the same.
const VERBS: [(&str, &str); 20] = [
    ("download", "Fetch backbones and data sets, resumed and checked"),
    ("bench", "Run the missing cells of a suite, then print its table"),
    ("report", "Print tables from stored records"),
    ("params", "Count parameters without loading weights"),
    ("extract", "Write hidden states to safetensors, npy or parquet"),
    ("export", "Write a trained model for peft or transformers"),
    ("import", "Take up a LoRA that peft saved"),
    ("train", "Train once on your own data"),
    ("pretrain", "Pretrain a backbone on recordings without labels"),
    ("mini-corpus", "Make the embedded corpus anew, or check it"),
    ("eval", "Score a stored run"),
    ("predict", "Print labels, transcripts or slots for audio files"),
    ("score", "Compute a metric of text files"),
    ("perf", "Time paired benchmarks against Python"),
    ("methods", "List the methods"),
    ("tasks", "List the tasks"),
    ("backbones", "List the backbones"),
    ("metrics", "List the metrics"),
    ("suites", "List the suites"),
    ("datasets", "List the published data sets, their licences and how to get them"),
];

const EXAMPLES: &str = "\
Examples:
  cargo xtask setup
  cargo xtask bench --suite sure --backbone ~/models/whisper-tiny.en --data ~/speech
  cargo xtask report --format markdown
  cargo xtask bench --help

Exit codes: 0 done; 1 a cell or check failed; 2 wrong usage;
3 something is missing (the message says how to get it); 130 interrupted.";

/// How alike two words must be for one to be taken as the other misspelt.
const ALIKE: f64 = 0.75;

/// How long cargo may be silent before we say what takes so long. Seeing that nothing is to build takes less.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The part of xtask's help on the forwarded verbs.
pub(crate) fn help() -> String {
    let lines: Vec<String> = VERBS.iter().map(|(verb, line)| format!("  {verb:<12} {line}\n")).collect();
    format!(
        "Verbs of `sure`, which is built when needed (`cargo xtask VERB --help`):\n{}\n{EXAMPLES}",
        lines.concat()
    )
}

/// Builds `sure` and hands the words to it. Returns only where that fails.
pub(crate) fn run(workspace: &Workspace, words: &[OsString]) -> Result<u8> {
    if let Some(known) = misspelt(&words[0].to_string_lossy()) {
        let word = words[0].to_string_lossy();
        return Err(Stop::Usage(format!("there is no verb `{word}`; did you mean `{known}`?")).into());
    }
    setup::ensure_quietly(workspace)?;
    let binary = build(workspace)?;
    let mut command = Command::new(&binary);
    command.args(words);
    workspace::scrub(&mut command);
    if let Some(commit) = commit(workspace) {
        command.env("SURE_COMMIT", commit);
    }
    become_it(&mut command).with_context(|| format!("running {}", binary.display()))
}

/// The commit of the checkout, for the records, with `-dirty` where tracked files have changes.
fn commit(workspace: &Workspace) -> Option<String> {
    let git = |words: &[&str]| {
        let output = Command::new("git").arg("-C").arg(workspace.root()).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { head } else { format!("{head}-dirty") })
}

/// The known verb that an unknown one seems to be.
fn misspelt(word: &str) -> Option<&'static str> {
    if VERBS.iter().any(|(verb, _)| *verb == word) {
        return None;
    }
    let own = ["setup", "doctor", "test", "layers", "tidy"];
    let known = VERBS.iter().map(|(verb, _)| *verb).chain(own);
    known
        .filter(|verb| *verb != word && strsim::normalized_damerau_levenshtein(word, verb) >= ALIKE)
        .max_by(|a, b| strsim::jaro(word, a).total_cmp(&strsim::jaro(word, b)))
}

/// Lets cargo build `sure` in release mode and tell where it is.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "sure-bench", "--bin", "sure"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("running cargo build")?;
    let messages = BufReader::new(child.stdout.take().context("cargo's output")?);
    let (done, waiting) = mpsc::channel::<()>();
    let notice = std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("building `sure` in release mode (minutes the first time, seconds after a change)");
        }
    });
    let binary = messages.lines().map_while(Result::ok).filter_map(|line| executable(&line)).last();
    let status = child.wait().context("waiting for cargo build")?;
    drop(done);
    let _ = notice.join();
    if !status.success() {
        return Err(Stop::Failed("`sure` could not be built (see above)".into()).into());
    }
    binary.context("cargo built no executable `sure`")
}

/// The executable that a message of cargo tells of.
fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == "sure";
    ours.then(|| message["executable"].as_str().map(PathBuf::from))?
}

/// Replaces this process, so that signals, terminal and exit code are those of `sure` itself.
#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<u8> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<u8> {
    Ok(command.status()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_new_verb_is_not_one() {
        assert_eq!(misspelt("bnech"), Some("bench"));
        assert_eq!(misspelt("exract"), Some("extract"));
        assert_eq!(misspelt("metric"), Some("metrics"));
        for verb in ["bench", "suites", "methods", "smoke", "golden", "new"] {
            assert_eq!(misspelt(verb), None, "{verb}");
        }
    }

    #[test]
    fn the_executable_is_read_from_cargos_messages() {
        let line =
            r#"{"reason":"compiler-artifact","target":{"name":"sure"},"executable":"/t/release/sure"}"#;
        assert_eq!(executable(line), Some(PathBuf::from("/t/release/sure")));
        let library = r#"{"reason":"compiler-artifact","target":{"name":"sure_bench"},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("not json"), None);
    }
}
