//! The data of a cell: a labelled set with the facts of its recordings.

use std::path::Path;

use anyhow::{Context, Result};
use sure_data::{
    AudioFacts, DatasetCard, Example, Fingerprint, LabelledSet, Protocol, ReadOptions, Reading, Split,
    TaskCard, TaskInput, TaskKind, read_dataset,
};
use sure_nn::{Backbone, Prepare};
use sure_train::{Clip, Subset};

use crate::environment;

/// The labelled set with the facts of each recording.
#[derive(Debug)]
pub struct CellData {
    /// The examples by split.
    pub set: LabelledSet,
    /// Facts of each example: training, then validation, then test.
    pub facts: Vec<AudioFacts>,
    /// What the data is.
    pub fingerprint: Fingerprint,
}

impl CellData {
    /// Reads a manifest or a published data set as the task's card says, for `backbone` to hear or read, and looks at every
    /// recording once (see [`sure_data::facts`]).
    ///
    /// # Errors
    /// When the set does not have the task, or a recording cannot be read.
    pub fn read(
        card: &TaskCard,
        limit: Option<usize>,
        protocol: Protocol,
        path: &Path,
        backbone: &dyn Backbone,
    ) -> Result<Self> {
        Self::of(card, limit, protocol, &read_dataset(path, &read_options(protocol))?, backbone)
    }

    /// The same of a data set that was read already.
    ///
    /// # Errors
    /// As [`CellData::read`].
    pub fn of(
        card: &TaskCard,
        limit: Option<usize>,
        protocol: Protocol,
        reading: &Reading,
        backbone: &dyn Backbone,
    ) -> Result<Self> {
        let mut set = card.select(&reading.manifest, limit)?;
        set.notes.splice(0..0, reading.notes.iter().map(ToString::to_string));
        // What stands in a manifest is the user's own, whatever its name.
        let published = DatasetCard::named(&set.set).ok().filter(|_| reading.manifest.path.is_dir());
        if let Some(published) = published.filter(|_| limit.is_none()) {
            set.notes.extend(published.check_sizes(&reading.manifest).iter().map(ToString::to_string));
            // Another protocol has other labels.
            if protocol != Protocol::Superb {
                set.notes.extend(published.check_labels(&reading.manifest).iter().map(ToString::to_string));
            }
        }
        let facts = if card.input == TaskInput::Speech {
            heard(&mut set, card, backbone.rate_hz())?
        } else {
            written(&mut set, card, &*backbone.preparer())?
        };
        // A text has no length in seconds.
        let fingerprint = Fingerprint::new(&set, &facts, backbone.rate_hz().max(1))?;
        Ok(Self { set, facts, fingerprint })
    }

    /// Every recording, in the order of [`LabelledSet::examples`].
    pub fn clips(&self) -> Vec<Clip> {
        let clip = |(example, facts): (&Example, &AudioFacts)| Clip {
            id: example.id.clone(),
            path: example.audio.clone(),
            text: example.written.as_ref().map(|written| written.text.clone()),
            facts: *facts,
        };
        self.set.examples().zip(&self.facts).map(clip).collect()
    }

    /// The examples of a split, with their places in [`CellData::clips`].
    pub fn subset(&self, split: Split) -> Subset {
        let first = self.set.first_of(split);
        let examples = self.set.split(split).to_vec();
        let clips = (first..first + examples.len()).collect();
        Subset { examples, clips }
    }
}

/// How published data sets are read here: what has to be unpacked goes below `$SURE_HOME`.
pub fn read_options(protocol: Protocol) -> ReadOptions {
    ReadOptions { unpack_into: Some(environment::sure_home().join("data")), ..ReadOptions::new(protocol) }
}

/// The facts of recordings, each looked at once; what the card finds too long is left out of the set.
fn heard(set: &mut LabelledSet, card: &TaskCard, rate_hz: u32) -> Result<Vec<AudioFacts>> {
    let memo = environment::sure_home().join("cache").join("audio.json");
    let facts = |set: &LabelledSet, cut| {
        sure_data::facts(set.examples(), rate_hz, cut, environment::cores(), Some(&memo))
    };
    let limits = [(Split::Train, card.max_train_seconds)].into_iter();
    let limits: Vec<(Split, f64)> = limits
        .chain(Split::ALL.map(|split| (split, card.max_seconds)))
        .filter_map(|(split, seconds)| Some((split, seconds?)))
        .collect();
    let cut = card.cut_samples(rate_hz);
    // How long a recording is decides before it is cut.
    let mut known = facts(set, if limits.is_empty() { cut } else { None })?;
    for (split, most) in &limits {
        let left_out = set.leave_out_longer(*split, *most, &mut known, rate_hz)?;
        if left_out > 0 {
            set.notes.push(format!("{left_out} {split} recordings are longer than {most} s and left out"));
        }
    }
    let facts = if limits.is_empty() || cut.is_none() { known } else { facts(set, cut)? };
    Ok(facts)
}

/// The facts of texts; where words are labelled, they learn their first pieces.
fn written(set: &mut LabelledSet, card: &TaskCard, preparer: &dyn Prepare) -> Result<Vec<AudioFacts>> {
    let mut facts = Vec::with_capacity(set.len());
    for example in set.train.iter_mut().chain(&mut set.valid).chain(&mut set.test) {
        let Some(written) = &mut example.written else { continue };
        if card.kind == TaskKind::Tags {
            let pieces = preparer.pieces(&written.text);
            let pieces = pieces.with_context(|| format!("reading the text of {}", example.id))?;
            *written = std::mem::take(written).with_pieces(&pieces);
        }
        facts.push(AudioFacts::of_text(&written.text));
    }
    Ok(facts)
}
