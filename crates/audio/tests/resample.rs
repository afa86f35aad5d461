//! Resampling against sines of the wanted rate.

use std::f64::consts::TAU;

use proptest::prelude::*;
use sure_audio::{Waveform, resample};

/// Samples at each end that see the silence around the clip.
const EDGE: usize = 700;

fn tones(samples: usize, rate_hz: u32, hertz: &[f64]) -> Vec<f32> {
    let tone = |hertz: f64, n: usize| 0.4 * (TAU * hertz * n as f64 / f64::from(rate_hz) + hertz).sin();
    (0..samples).map(|n| hertz.iter().map(|&hertz| tone(hertz, n)).sum::<f64>() as f32).collect()
}

/// The largest difference between two stretches of sound, away from their ends.
fn difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let inside = EDGE..left.len() - EDGE;
    left[inside.clone()]
        .iter()
        .zip(&right[inside])
        .map(|(left, right)| (left - right).abs())
        .fold(0.0, f32::max)
}

#[test]
fn tones_inside_the_band_are_those_of_the_new_rate() {
    for from_hz in [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000] {
        let input = tones(from_hz as usize * 2, from_hz, &[440.0, 3000.0]);
        let output = resample(&input, from_hz, 16_000).unwrap();
        let difference = difference(&output, &tones(32_000, 16_000, &[440.0, 3000.0]));
        assert!(difference < 1e-3, "{from_hz} Hz: {difference}");
    }
}

#[test]
fn tones_above_the_new_band_are_gone() {
    let output = resample(&tones(88_200, 44_100, &[9000.0]), 44_100, 16_000).unwrap();
    let difference = difference(&output, &vec![0.0; 32_000]);
    assert!(difference < 1e-3, "{difference}");
}

#[test]
fn a_click_stays_in_its_place() {
    let mut input = vec![0.0; 4410];
    input[2205] = 1.0;
    let output = resample(&input, 44_100, 16_000).unwrap();
    let loudest = (0..output.len()).max_by(|&a, &b| output[a].abs().total_cmp(&output[b].abs())).unwrap();
    assert_eq!(loudest, 800);
}

#[test]
fn the_own_rate_changes_nothing_and_odd_rates_are_refused() {
    assert_eq!(resample(&[0.5, -0.5], 16_000, 16_000).unwrap(), [0.5, -0.5]);
    assert!(resample(&[], 8_000, 16_000).unwrap().is_empty());
    for (from_hz, to_hz) in [(0, 16_000), (16_000, 0), (99, 16_000), (16_000, 768_001)] {
        assert!(resample(&[0.5], from_hz, to_hz).is_err());
    }
}

#[test]
fn a_waveform_keeps_its_duration() {
    let waveform = Waveform { samples: vec![0.1; 8000], rate_hz: 8000 };
    let faster = waveform.resample(48_000).unwrap();
    assert_eq!((waveform.seconds(), faster.seconds(), faster.rate_hz), (1.0, 1.0, 48_000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_length_is_the_ratio_rounded_up(samples in 1..20_000_usize, from_hz in 100..100_000_u32, to_hz in 4_000..50_000_u32) {
        let output = resample(&vec![0.25; samples], from_hz, to_hz).unwrap();
        let exact = (samples as u64 * u64::from(to_hz)).div_ceil(u64::from(from_hz));
        prop_assert_eq!(output.len() as u64, exact);
        prop_assert!(output.iter().all(|sample| sample.is_finite()));
    }
}
