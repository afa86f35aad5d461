//! Hostile files of every kind: none is decoded to a part of itself, none panics, none takes much memory.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::error::Error;
use std::fs;
use std::path::Path;

use sure_audio::{AudioError, decode};

#[path = "hostile/build.rs"]
mod build;
#[path = "hostile/cases.rs"]
mod cases;

use cases::{Case, Outcome};

/// The message of an error with those of its sources.
fn told(error: &AudioError) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    message
}

/// Most memory that this process has held, in MiB.
#[cfg(target_os = "linux")]
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
}

/// Elsewhere only the outcomes are looked at.
#[cfg(not(target_os = "linux"))]
fn peak_mib() -> u64 {
    0
}

/// Decodes each file; the faults of those that end otherwise than they should.
fn faults(cases: Vec<Case>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let fault = |(name, bytes, outcome): Case| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        match (decode(&path), outcome) {
            (Ok(wave), Outcome::Decoded(samples)) if wave.samples.len() == samples => None,
            (Err(error), Outcome::Refused(reason)) => {
                let message = told(&error);
                let says_all = message.contains(name) && message.contains(reason);
                (!says_all).then(|| format!("{name}: {message}, and not {reason:?}"))
            }
            (Ok(wave), _) => Some(format!("{name}: {} samples, and not {outcome:?}", wave.samples.len())),
            (Err(error), _) => Some(format!("{name}: {}, and not {outcome:?}", told(&error))),
        }
    };
    cases.into_iter().filter_map(fault).collect()
}

#[test]
fn every_hostile_file_ends_as_it_should_in_little_memory() {
    let cases = [
        cases::not_audio(),
        cases::of_wav(),
        cases::of_flac(),
        cases::of_mp3(),
        cases::of_ogg(),
        cases::of_aiff(),
    ];
    let faults = faults(cases.concat());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(peak_mib() < 300, "{} MiB", peak_mib());
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder.wav");
    fs::create_dir(&path).unwrap();
    assert!(told(&decode(&path).unwrap_err()).contains("folder.wav: is a directory"));
    assert!(told(&decode(&folder.path().join("missing.wav")).unwrap_err()).contains("missing.wav: "));
    if cfg!(unix) {
        let message = told(&decode(Path::new("/dev/zero")).unwrap_err());
        assert!(message.contains("/dev/zero: it is a device or a pipe"), "{message}");
    }
}

/// A sequence without a pattern (Knuth's constants), the same in every run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn two_thousand_changed_bytes_in_each_valid_file_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = Noise(1);
    for name in [
        "data/mono-16.flac",
        "data/stereo-24.flac",
        "fixtures/short.wav",
        "fixtures/float-64.wav",
        "fixtures/tagged.mp3",
        "fixtures/untagged-id3v1.mp3",
        "fixtures/stereo-id3v2.mp3",
        "fixtures/stereo.ogg",
        "fixtures/pages.ogg",
        "fixtures/flac.oga",
        "fixtures/opus.ogg",
        "fixtures/pcm-16.aiff",
        "fixtures/sowt.aifc",
        "fixtures/float-32.aifc",
    ] {
        let valid = build::fixture(name);
        let path = folder.path().join(Path::new(name).file_name().unwrap());
        for file in 0..200 {
            let mut bytes = valid.clone();
            for _ in 0..10 {
                // The first bytes steer the decoder: half of the changes fall there.
                let limit = if noise.below(2) == 0 { 128 } else { bytes.len() };
                bytes[noise.below(limit)] = noise.below(256) as u8;
            }
            // Ogg pages with a wrong checksum are dropped before anything looks at them.
            if file % 2 == 0 && name.contains(".og") && bytes.starts_with(b"OggS") {
                bytes = resealed(&bytes);
            }
            fs::write(&path, &bytes).unwrap();
            match decode(&path) {
                Ok(wave) => {
                    assert!(wave.samples.iter().all(|sample| sample.is_finite()), "{name}, file {file}");
                    assert!(!wave.samples.is_empty(), "{name}, file {file}");
                }
                Err(error) => {
                    let message = told(&error);
                    assert!(message.contains(&path.display().to_string()), "{name}, file {file}: {message}");
                }
            }
        }
    }
    assert!(peak_mib() < 300, "{} MiB", peak_mib());
}

/// The stream with new checksums, where its pages still hang together.
fn resealed(bytes: &[u8]) -> Vec<u8> {
    match std::panic::catch_unwind(|| build::pages(bytes)) {
        Ok(pages) => pages.iter().flat_map(|page| build::resealed(page, 0, b"OggS")).collect(),
        Err(_) => bytes.to_vec(),
    }
}
