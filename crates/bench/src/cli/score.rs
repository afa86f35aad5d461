//! `score`: a metric alone, on text files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::json;
use sure_metrics::{EditCounts, Unit, align, edit_counts, metric};
use sure_text::Normalizer;

use super::{
    Ended,
    common::{complain, say, say_json},
};

/// Compute a metric from two text files, one item a line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask score accuracy --ref labels.txt --hyp answers.txt
  cargo xtask score wer --ref transcripts.txt --hyp answers.txt --normalize english
  cargo xtask score wer --ref transcripts.txt --hyp answers.txt --alignments | less")]
pub(super) struct Score {
    /// The metric; see `cargo xtask metrics`. Lines of slot metrics are transcripts with tags (`play B-genre jazz
    /// E-genre`); those of eer and min-dcf are scores, against `1` or `0`
    metric: String,
    /// The right answers
    #[arg(long = "ref", value_name = "F")]
    reference: PathBuf,
    /// The answers to score
    #[arg(long = "hyp", value_name = "F")]
    hypothesis: PathBuf,
    /// What is done to both texts before they are compared
    #[arg(long, value_enum, default_value_t)]
    normalize: Rule,
    /// Print the alignment of each line that is not right (wer, cer, per)
    #[arg(long, conflicts_with = "json")]
    alignments: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Rules by which texts are normalised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// As they are
    #[default]
    None,
    /// Lower case, without `, ? . ! - ; : "`
    Sure,
    /// The English rule of Whisper
    English,
}

impl Rule {
    fn normalizer(self) -> Normalizer {
        match self {
            Self::None => Normalizer::None,
            Self::Sure => Normalizer::Sure,
            Self::English => Normalizer::English,
        }
    }
}

impl Score {
    pub(super) fn run(self) -> Result<Ended> {
        let metric = metric(&self.metric)?;
        let name = metric.info().name;
        let normalizer = self.normalize.normalizer();
        let read = |path: &Path| -> Result<Vec<String>> {
            Ok(lines(path)?.iter().map(|line| normalizer.apply(line)).collect())
        };
        let (references, hypotheses) = (read(&self.reference)?, read(&self.hypothesis)?);
        let value = metric.score(&hypotheses, &references)?;
        let n = references.len();
        if name.starts_with("slot") && references.iter().all(|line| sure_text::untag(line).slots.is_empty()) {
            complain("note: no reference has a slot, written as `B-genre jazz E-genre`");
        }
        let unit = unit(name);
        if self.alignments {
            let unit =
                unit.with_context(|| format!("--alignments goes with wer, cer and per, not with {name}"))?;
            for (index, (reference, hypothesis)) in references.iter().zip(&hypotheses).enumerate() {
                if reference != hypothesis {
                    say(&format!("line {}\n{}\n", index + 1, alignment(unit, reference, hypothesis)));
                }
            }
        }
        let edits = unit.map(|unit| edit_counts(unit, &hypotheses, &references)).transpose()?;
        let edits = edits.map(|items| items.into_iter().sum::<EditCounts>());
        if self.json {
            let mut answer = json!({"metric": name, "value": value, "n": n});
            if let Some(edits) = edits {
                answer["edits"] = serde_json::to_value(edits)?;
            }
            say_json(&answer)?;
            return Ok(Ended::Done);
        }
        let edits = edits.map(|edits| {
            let EditCounts { hits, substitutions, deletions, insertions, reference } = edits;
            format!(
                "; {hits} of {reference} right, {substitutions} substituted, {deletions} deleted, {insertions} inserted"
            )
        });
        say(&format!("{name} {value:.4} (n = {n}{})", edits.unwrap_or_default()));
        Ok(Ended::Done)
    }
}

/// What a metric counts, if it counts edits.
fn unit(metric: &str) -> Option<Unit> {
    match metric {
        "wer" => Some(Unit::Word),
        "cer" => Some(Unit::Character),
        "per" => Some(Unit::Phone),
        _ => None,
    }
}

/// Two rows and the edits below them.
fn alignment(unit: Unit, reference: &str, hypothesis: &str) -> String {
    match unit {
        Unit::Word | Unit::Phone => {
            let (reference, hypothesis): (Vec<&str>, Vec<&str>) =
                (reference.split_whitespace().collect(), hypothesis.split_whitespace().collect());
            align(&reference, &hypothesis).to_string()
        }
        Unit::Character => {
            let (reference, hypothesis): (Vec<char>, Vec<char>) =
                (reference.trim().chars().collect(), hypothesis.trim().chars().collect());
            format!("{:#}", align(&reference, &hypothesis))
        }
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
