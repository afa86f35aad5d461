//! The two synthesisers behind one call: eSpeak NG's library and flite's program.

use std::{collections::BTreeMap, fmt::Write as _, io, process::Command};

use sha2::{Digest as _, Sha256};
use sure_sys::{Espeak, EspeakProsody};

use crate::{CorpusError, Engine, Voice};

/// How a text is spoken, against the voice's own manner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prosody {
    /// Base pitch: 50 is the voice's own, 0 to 99.
    pub pitch: i32,
    /// Range of the pitch: 50 is the voice's own, 0 a monotone.
    pub range: i32,
    /// Words a minute.
    pub rate: i32,
    /// Amplitude within the synthesiser: 100 is the voice's own.
    pub volume: i32,
}

impl Prosody {
    /// The voice's own.
    pub const PLAIN: Self = Self { pitch: 50, range: 50, rate: 170, volume: 100 };
}

/// What a synthesiser said.
#[derive(Debug, Clone, PartialEq)]
pub struct Speech {
    /// `[samples]`.
    pub samples: Vec<i16>,
    /// Samples a second.
    pub rate_hz: u32,
    /// The engine's names of the phones with begin and end in samples. Silence is left out.
    pub phones: Vec<Phone>,
}

/// A phone and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The engine's name of it.
    pub name: String,
    /// Its first sample.
    pub start: usize,
    /// The sample behind its last.
    pub end: usize,
}

impl Speech {
    /// The first half of a sha256 over samples and rate, by which another run of the engine is compared.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.rate_hz.to_le_bytes());
        for sample in &self.samples {
            hash.update(sample.to_le_bytes());
        }
        hex(&hash.finalize()[..16])
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Versions of the engines, by name.
pub type Versions = BTreeMap<String, String>;

/// Both synthesisers.
#[derive(Debug)]
pub struct Engines {
    espeak: Espeak,
    flite: String,
}

impl Engines {
    /// Finds both.
    ///
    /// # Errors
    /// Names the one that is not installed.
    pub fn open() -> Result<Self, CorpusError> {
        let output = flite(&["--version"])?;
        // `  version: flite-2.2-current Sep 2018 (...)`; it goes to either stream.
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let word = text.split_whitespace().find_map(|word| word.strip_prefix("flite-"));
        let version = word.and_then(|word| word.split('-').next()).unwrap_or("unknown");
        Ok(Self { espeak: Espeak::open()?, flite: version.to_owned() })
    }

    /// Which they are.
    pub fn versions(&self) -> Versions {
        let both = [(Engine::Espeak, self.espeak.version()), (Engine::Flite, self.flite.clone())];
        both.into_iter().map(|(engine, version)| (engine.name().to_owned(), version)).collect()
    }

    /// Speaks `text`; the answer is a function of all that was spoken before, too, see [`Espeak::speak`].
    ///
    /// # Errors
    /// When the engine refuses the voice or the text.
    pub fn speak(&mut self, voice: &Voice, prosody: Prosody, text: &str) -> Result<Speech, CorpusError> {
        match voice.engine {
            Engine::Espeak => self.espeak(voice, prosody, text),
            Engine::Flite => speak_flite(voice, prosody, text),
        }
    }

    fn espeak(&mut self, voice: &Voice, prosody: Prosody, text: &str) -> Result<Speech, CorpusError> {
        let Prosody { pitch, range, rate, volume } = prosody;
        let spoken =
            self.espeak.speak(voice.engine_name, EspeakProsody { pitch, range, rate, volume }, text)?;
        let ends = spoken.phones.iter().skip(1).map(|(_, start)| *start).chain([spoken.samples.len()]);
        // Pauses are named `_` and `_:`, the end has no name.
        let phones = spoken
            .phones
            .iter()
            .zip(ends)
            .filter(|((name, _), _)| !name.is_empty() && !name.starts_with('_'));
        let phones =
            phones.map(|((name, start), end)| Phone { name: name.clone(), start: *start, end }).collect();
        Ok(Speech { samples: spoken.samples, rate_hz: spoken.rate_hz, phones })
    }
}

fn flite(arguments: &[&str]) -> Result<std::process::Output, CorpusError> {
    let start = |source: io::Error| CorpusError::Program { program: "flite", package: "flite", source };
    Command::new("flite").args(arguments).output().map_err(start)
}

fn speak_flite(voice: &Voice, prosody: Prosody, text: &str) -> Result<Speech, CorpusError> {
    let file = tempfile::Builder::new()
        .suffix(".wav")
        .tempfile()
        .map_err(CorpusError::io("make", "a temporary file"))?;
    let path = file.path().to_string_lossy().into_owned();
    let stretch = format!("duration_stretch={:.4}", f64::from(Prosody::PLAIN.rate) / f64::from(prosody.rate));
    let shift = format!("f0_shift={:.4}", 1.0 + f64::from(prosody.pitch - Prosody::PLAIN.pitch) / 100.0);
    let output = flite(&[
        "-voice",
        voice.engine_name,
        "--setf",
        &stretch,
        "--setf",
        &shift,
        "-t",
        text,
        "-o",
        &path,
        "-psdur",
    ])?;
    let failed = |reason: String| CorpusError::Failed { program: "flite", what: text.to_owned(), reason };
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let wave = sure_audio::decode(file.path())?;
    let samples: Vec<i16> = wave.samples.iter().map(|sample| (sample * 32_768.0) as i16).collect();
    let phones = flite_phones(&String::from_utf8_lossy(&output.stdout), wave.rate_hz, samples.len());
    Ok(Speech {
        samples,
        rate_hz: wave.rate_hz,
        phones: phones.ok_or_else(|| failed("its phones".to_owned()))?,
    })
}

/// `pau:0.164 hh:0.255 ...`: names and where each ends, in seconds.
fn flite_phones(text: &str, rate_hz: u32, samples: usize) -> Option<Vec<Phone>> {
    let (mut phones, mut start) = (Vec::new(), 0);
    for word in text.split_whitespace() {
        let (name, end) = word.rsplit_once(':')?;
        let end = ((end.parse::<f64>().ok()? * f64::from(rate_hz)).round() as usize).clamp(start, samples);
        if name != "pau" {
            phones.push(Phone { name: name.to_owned(), start, end });
        }
        start = end;
    }
    Some(phones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_of_flite_are_read_without_their_pauses() {
        let phones = flite_phones("pau:0.100 hh:0.200 ax:0.250 pau:0.400", 1000, 380).unwrap();
        let all: Vec<_> = phones.iter().map(|phone| (phone.name.as_str(), phone.start, phone.end)).collect();
        assert_eq!(all, [("hh", 100, 200), ("ax", 200, 250)]);
        assert_eq!(flite_phones("nonsense", 1000, 10), None);
    }
}
