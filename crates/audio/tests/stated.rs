//! The length that a header states.

use std::path::Path;

use sure_audio::{AudioError, decode, stated};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn a_header_states_what_is_decoded() {
    for name in ["float-64.wav", "pcm-16.aiff", "sowt.aifc", "flac.oga", "stereo.ogg", "tagged.mp3"] {
        let (stated, decoded) = (stated(&fixture(name)).unwrap(), decode(&fixture(name)).unwrap());
        assert_eq!(stated.rate_hz, decoded.rate_hz, "{name}");
        let (stated, decoded) = (stated.seconds.unwrap(), decoded.seconds());
        // The frames of an MP3 hold some more than the sound, which its tag counts too.
        assert!(
            (stated - decoded).abs() < if name.ends_with("mp3") { 0.1 } else { 1e-9 },
            "{name}: {stated}, {decoded}"
        );
    }
}

#[test]
fn an_mp3_without_a_tag_states_nothing() {
    assert_eq!(stated(&fixture("untagged-id3v1.mp3")).unwrap().seconds, None);
}

#[test]
fn what_is_no_audio_is_an_error() {
    assert!(matches!(stated(&fixture("README.md")), Err(AudioError::Unsupported { .. })));
    assert!(stated(&fixture("opus.ogg")).is_err());
}
