//! The files beside the packs: manifests, phone times, and what the corpus was made with.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{CorpusError, Line, Versions, render::Recording};

/// `corpus.json`: what the corpus was made with, and what of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Raised when the recipe changes.
    pub(crate) version: u32,
    /// Versions of the synthesisers.
    pub(crate) engines: Versions,
    /// Sizes by set.
    pub(crate) sets: BTreeMap<String, SetAbout>,
    /// sha256 of every pack, by its path.
    pub(crate) packs: BTreeMap<String, String>,
}

/// A set's sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SetAbout {
    /// What it is for.
    pub(crate) summary: String,
    /// Recordings by split.
    pub(crate) recordings: BTreeMap<String, usize>,
    /// Their length in all.
    pub(crate) seconds: f64,
    /// Bytes of the packs.
    pub(crate) bytes: u64,
}

/// The file's name.
pub(crate) const ABOUT: &str = "corpus.json";

impl About {
    /// Of nothing yet.
    pub(crate) const fn new(version: u32, engines: Versions) -> Self {
        Self { version, engines, sets: BTreeMap::new(), packs: BTreeMap::new() }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, CorpusError> {
        let path = folder.join(ABOUT);
        let text = fs::read(&path).map_err(CorpusError::io("read", &path))?;
        serde_json::from_slice(&text)
            .map_err(|error| CorpusError::BadFile { path, reason: error.to_string() })
    }
}

/// A row of a manifest.
pub(crate) fn row(line: &Line, recording: &Recording, audio: &str, start: usize) -> Map<String, Value> {
    let mut row = Map::new();
    let mut set = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
    set("id", line.id.clone().into());
    set("audio", audio.into());
    set("start", start.into());
    set("samples", recording.samples.len().into());
    set("split", line.part.name().into());
    if let Some(voice) = &line.voice {
        set("speaker", voice.name.into());
        set("accent", voice.accent.into());
        set("engine", voice.engine.name().into());
    }
    for (key, value) in &line.labels {
        set(key, value.clone());
    }
    if let Some(room) = recording.room {
        let rounded =
            |value: f64, digits: i32| (value * 10.0_f64.powi(digits)).round() / 10.0_f64.powi(digits);
        set("snr_db", rounded(room.snr_db, 1).into());
        set("rt60_s", rounded(room.rt60_s, 2).into());
        set("noise", room.colour.name().into());
    }
    if let Some(hash) = &recording.engine_hash {
        set("engine_sha256", hash.clone().into());
    }
    row
}

/// A row of `phones.jsonl`: each phone with the second it begins and ends at.
pub(crate) fn phones(line: &Line, recording: &Recording) -> Value {
    json!({"id": line.id, "phones": recording.phones})
}
