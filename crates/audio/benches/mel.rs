//! Ten seconds of sound to a log-mel matrix.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sure_audio::{LogMel, MelConfig, MelPadding, VocoderMel, VocoderMelConfig, resample};

const SECONDS: usize = 10;

fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32_768.0 - 1.0
    };
    (0..samples).map(|_| next()).collect()
}

fn mel(criterion: &mut Criterion) {
    let samples = noise(SECONDS * 16_000);
    let mut group = criterion.benchmark_group("mel, 10 s");
    group.throughput(Throughput::Elements(samples.len() as u64));
    for mels in [80, 128] {
        let log_mel = LogMel::new(MelConfig::whisper(mels));
        for (name, padding) in [("real", MelPadding::Real), ("thirty seconds", MelPadding::ThirtySeconds)] {
            group.bench_function(format!("{mels} mels, {name}"), |bencher| {
                bencher.iter(|| log_mel.compute(black_box(&samples), padding));
            });
        }
    }
    let vocoder = VocoderMel::new(VocoderMelConfig::hifi_gan());
    let samples = noise(SECONDS * vocoder.config().rate_hz as usize);
    group.throughput(Throughput::Elements(samples.len() as u64));
    group.bench_function("80 mels, vocoder", |bencher| bencher.iter(|| vocoder.compute(black_box(&samples))));
    group.finish();
}

fn rates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resample, 10 s to 16 kHz");
    for from_hz in [8_000, 44_100, 48_000] {
        let samples = noise(SECONDS * from_hz as usize);
        group.bench_function(format!("{from_hz} Hz"), |bencher| {
            bencher.iter(|| resample(black_box(&samples), from_hz, 16_000));
        });
    }
    group.finish();
}

criterion_group!(benches, mel, rates);
criterion_main!(benches);
