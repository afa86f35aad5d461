//! Our side of `benches/against_jiwer.py`: writes seeded pairs of transcripts, or times the scoring of such files.
//!
//! `time_scoring write FOLDER` makes `ref.txt` and `hyp.txt`; `time_scoring time FOLDER wer|cer|counts` prints the
//! seconds of one pass and the rate.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

#[path = "../benches/pairs/mod.rs"]
mod pairs;

use std::path::Path;
use std::time::Instant;
use std::{env, error, fs};

use sure_metrics::{EditCounts, Unit, edit_counts, metric};

const UTTERANCES: usize = 100_000;

fn main() -> Result<(), Box<dyn error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        ["time", folder, what] => time(Path::new(folder), what),
        _ => Err("usage: time_scoring write FOLDER | time FOLDER wer|cer|counts".into()),
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn error::Error>> {
    let (references, hypotheses) = pairs::pairs(UTTERANCES, 1);
    fs::write(folder.join("ref.txt"), references.join("\n") + "\n")?;
    fs::write(folder.join("hyp.txt"), hypotheses.join("\n") + "\n")?;
    Ok(())
}

fn time(folder: &Path, what: &str) -> Result<(), Box<dyn error::Error>> {
    let lines = |name: &str| -> Result<Vec<String>, std::io::Error> {
        Ok(fs::read_to_string(folder.join(name))?.lines().map(str::to_owned).collect())
    };
    let (references, hypotheses) = (lines("ref.txt")?, lines("hyp.txt")?);
    let start = Instant::now();
    let rate = match what {
        "counts" => edit_counts(Unit::Word, &hypotheses, &references)?.into_iter().sum::<EditCounts>().rate(),
        name => metric(name)?.score(&hypotheses, &references)?,
    };
    println!("{} {rate}", start.elapsed().as_secs_f64());
    Ok(())
}
