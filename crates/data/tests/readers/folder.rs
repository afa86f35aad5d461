//! Small data sets in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sure_data::{Protocol, ReadOptions, Reading, Split, read_dataset};

/// A folder that a test fills.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    /// Each recording has other samples.
    pitch: std::cell::Cell<u32>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), pitch: std::cell::Cell::new(0) }
    }

    /// The data set's folder: not the temporary one itself, whose name is random.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn bytes(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn text(&self, name: &str, content: &str) {
        self.bytes(name, content.as_bytes());
    }

    /// A tenth of a second at 16 kHz.
    pub(crate) fn wav(&self, name: &str) {
        self.bytes(name, &self.samples(16_000));
    }

    pub(crate) fn wavs(&self, names: &[&str]) {
        for name in names {
            self.wav(name);
        }
    }

    /// A wav file at another rate.
    pub(crate) fn samples(&self, rate: u32) -> Vec<u8> {
        self.pitch.set(self.pitch.get() + 1);
        wav(rate, self.pitch.get())
    }

    pub(crate) fn folder(&self, name: &str) {
        fs::create_dir_all(self.path().join(name)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.path().join(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    pub(crate) fn read(&self) -> Reading {
        self.read_as(Protocol::Sure)
    }

    pub(crate) fn read_as(&self, protocol: Protocol) -> Reading {
        read_dataset(&self.path(), &ReadOptions::new(protocol)).unwrap()
    }

    /// However much is missing.
    pub(crate) fn read_anyway(&self) -> Reading {
        let options = ReadOptions { max_skipped_share: 1.0, ..ReadOptions::new(Protocol::Sure) };
        read_dataset(&self.path(), &options).unwrap()
    }

    /// The error, with the temporary folder taken out.
    pub(crate) fn complaint(&self) -> String {
        self.complaint_as(Protocol::Sure)
    }

    /// The error, however much is missing.
    pub(crate) fn complaint_anyway(&self) -> String {
        self.complaint_with(&ReadOptions { max_skipped_share: 1.0, ..ReadOptions::new(Protocol::Sure) })
    }

    pub(crate) fn complaint_as(&self, protocol: Protocol) -> String {
        self.complaint_with(&ReadOptions::new(protocol))
    }

    fn complaint_with(&self, options: &ReadOptions) -> String {
        let error = read_dataset(&self.path(), options).unwrap_err();
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// A tenth of a second of a tone, 16 bits, mono.
pub(crate) fn wav(rate: u32, pitch: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for time in 0..rate / 10 {
        let phase = f64::from(time) * f64::from(100 + pitch) / f64::from(rate);
        writer.write_sample(((phase * std::f64::consts::TAU).sin() * 8000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// The notes in words.
pub(crate) fn notes(reading: &Reading) -> Vec<String> {
    reading.notes.iter().map(ToString::to_string).collect()
}

/// `id split value` of each row for a key; `-` where there is none.
pub(crate) fn rows(reading: &Reading, split: &str, key: &str) -> Vec<String> {
    let text = |value: Option<&Value>| match value {
        None => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let line = |row: &sure_data::Row| {
        format!("{} {} {}", row.id, text(row.fields.get(split)), text(row.fields.get(key)))
    };
    reading.manifest.rows.iter().map(line).collect()
}

/// How many rows are in train, valid and test.
pub(crate) fn sizes(reading: &Reading, key: &str) -> [usize; 3] {
    Split::ALL.map(|split| {
        let is_in = |row: &&sure_data::Row| row.fields.get(key).is_some_and(|value| value == split.name());
        reading.manifest.rows.iter().filter(is_in).count()
    })
}

/// Each recording of the manifest is there and is named from the data set's folder.
pub(crate) fn assert_recordings_exist(reading: &Reading, root: &Path) {
    for row in &reading.manifest.rows {
        assert!(row.audio.is_file(), "{}", row.audio.display());
        assert_eq!(root.join(row.fields["audio"].as_str().unwrap()), row.audio);
        assert_eq!(row.fields["id"], row.id.as_str());
    }
}
