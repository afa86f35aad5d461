//! Writes the corpus.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sure_records::write_atomic;

use crate::{
    CorpusError, EXTRA, Engines, Line, SETS, Set, extra_lines,
    manifest::{ABOUT, About, SetAbout, phones, row},
    pack::write_pack,
    render::render,
    trials,
};

/// Raised when the recipe changes.
pub(crate) const VERSION: u32 = 2;

/// A set that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct SetMade {
    /// Its folder.
    pub folder: PathBuf,
    /// Recordings.
    pub recordings: usize,
    /// Their length in all, seconds.
    pub seconds: f64,
    /// Bytes of its packs.
    pub bytes: u64,
}

/// Writes all sets below `folder`. `progress` is told how many lines of how many are done.
///
/// # Errors
/// When an engine or the encoder is not there or fails, or a file cannot be written.
pub fn make(folder: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<SetMade>, CorpusError> {
    let mut engines = Engines::open()?;
    let sets: Vec<(Set, Vec<Line>)> = SETS.into_iter().map(|set| (set, (set.lines)())).collect();
    let total = sets.iter().map(|(_, lines)| lines.len()).sum();
    let mut about = About::new(VERSION, engines.versions());
    let (mut made, mut done) = (Vec::new(), 0);
    for (set, lines) in &sets {
        let mut step = || {
            done += 1;
            progress(done, total);
        };
        made.push(make_set(folder, set, lines, &mut engines, &mut about, &mut step)?);
    }
    write_json(&folder.join(ABOUT), &about)?;
    Ok(made)
}

/// Writes `each` more lines of every training voice as the set `extra` below `folder`, for pretraining.
///
/// # Errors
/// As [`make`].
pub fn make_extra(
    folder: &Path,
    each: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<SetMade, CorpusError> {
    let mut engines = Engines::open()?;
    let lines = extra_lines(each);
    let mut about = About::new(VERSION, engines.versions());
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, lines.len());
    };
    let made = make_set(folder, &EXTRA, &lines, &mut engines, &mut about, &mut step)?;
    write_json(&folder.join(EXTRA.name).join(ABOUT), &about)?;
    Ok(made)
}

fn make_set(
    folder: &Path,
    set: &Set,
    lines: &[Line],
    engines: &mut Engines,
    about: &mut About,
    step: &mut dyn FnMut(),
) -> Result<SetMade, CorpusError> {
    let own = folder.join(set.name);
    let audio = own.join("audio");
    fs::create_dir_all(&audio).map_err(CorpusError::io("make", &audio))?;
    let mut packs: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let (mut manifest, mut times) = (String::new(), String::new());
    let mut recordings: BTreeMap<String, usize> = BTreeMap::new();
    let mut samples = 0;
    for line in lines {
        let recording = render(set, line, engines)?;
        let pack = line.voice.map_or_else(|| format!("silence-{}", line.part), |voice| voice.name.to_owned());
        let file = format!("audio/{pack}.ogg");
        let whole = packs.entry(pack).or_default();
        let row = row(line, &recording, &file, whole.len());
        manifest += &(json_line(&own, &row)? + "\n");
        if !recording.phones.is_empty() {
            times += &(json_line(&own, &phones(line, &recording))? + "\n");
        }
        *recordings.entry(line.part.name().to_owned()).or_default() += 1;
        samples += recording.samples.len();
        whole.extend(recording.samples);
        step();
    }
    let mut bytes = 0;
    // Clean speech shows what a codec takes away; noise hides it.
    let quality = if set.difficulty.is_some() { "0.5" } else { "2" };
    for (pack, samples) in packs {
        let path = audio.join(format!("{pack}.ogg"));
        let hash = write_pack(&path, samples, set.rate_hz, quality)?;
        bytes += fs::metadata(&path).map_err(CorpusError::io("look at", &path))?.len();
        about.packs.insert(format!("{}/audio/{pack}.ogg", set.name), hash);
    }
    if set.has_trials {
        write_atomic(&own.join(trials::FILE), trials::trials(lines).as_bytes())?;
    }
    write_atomic(&own.join("phones.jsonl"), times.as_bytes())?;
    write_atomic(&own.join("manifest.jsonl"), manifest.as_bytes())?;
    let seconds = samples as f64 / f64::from(set.rate_hz);
    let summary = set.summary.to_owned();
    let rounded = (seconds * 10.0).round() / 10.0;
    about.sets.insert(set.name.to_owned(), SetAbout { summary, recordings, seconds: rounded, bytes });
    Ok(SetMade { folder: own, recordings: lines.len(), seconds, bytes })
}

fn json_line(folder: &Path, value: &impl serde::Serialize) -> Result<String, CorpusError> {
    serde_json::to_string(value)
        .map_err(|error| CorpusError::BadFile { path: folder.to_owned(), reason: error.to_string() })
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), CorpusError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CorpusError::BadFile { path: path.to_owned(), reason: error.to_string() })?;
    Ok(write_atomic(path, (text + "\n").as_bytes())?)
}
