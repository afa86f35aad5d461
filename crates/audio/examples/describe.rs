//! What is in an audio file: `cargo run -p sure-audio --example describe -- FILE`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use sure_audio::{AudioError, LogMel, MelConfig, MelPadding, VocoderMel, VocoderMelConfig, decode};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("name a file: cargo run -p sure-audio --example describe -- FILE");
        return ExitCode::from(2);
    };
    match describe(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            error.source().inspect(|source| eprintln!("because: {source}"));
            ExitCode::FAILURE
        }
    }
}

fn describe(path: &Path) -> Result<(), AudioError> {
    let wave = decode(path)?;
    let peak = wave.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    println!("rate     {} Hz", wave.rate_hz);
    println!("length   {:.3} s, {} samples", wave.seconds(), wave.samples.len());
    println!("peak     {peak:.4} of full scale");

    let whisper = LogMel::new(MelConfig::whisper(80));
    let samples = wave.resample(whisper.config().rate_hz)?.samples;
    let mel = whisper.compute(&samples, MelPadding::Real)?.data;
    println!("Whisper  [{}, {}] at 16 kHz", mel.nrows(), mel.ncols());

    let vocoder = VocoderMel::new(VocoderMelConfig::hifi_gan());
    let samples = wave.resample(vocoder.config().rate_hz)?.samples;
    match vocoder.compute(&samples) {
        Ok(mel) => println!("HiFi-GAN [{}, {}] at 22.05 kHz", mel.data.nrows(), mel.data.ncols()),
        Err(reason) => println!("HiFi-GAN none: {reason}"),
    }
    Ok(())
}
