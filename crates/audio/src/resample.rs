//! Change of the sample rate by a band-limited (windowed sinc) filter, applied in blocks by FFT.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::AudioError;
use crate::decode::RATES_HZ;

/// Shortest filter, in samples of the lower rate. It leaves the lowest 97 % of the band untouched.
const FILTER_LEN: usize = 1024;

/// Samples at `from_hz` brought to `to_hz`: `ceil(samples * to_hz / from_hz)` of them, in step with the input (the
/// delay of the filter is taken out). Sound before and after the clip counts as silence.
///
/// # Errors
///
/// When one of the rates is outside 100..=768000 Hz.
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, AudioError> {
    if !RATES_HZ.contains(&from_hz) || !RATES_HZ.contains(&to_hz) {
        return Err(AudioError::ResampleRate { from_hz, to_hz });
    }
    if from_hz == to_hz || samples.is_empty() {
        return Ok(samples.to_vec());
    }
    let refused =
        |source: Box<dyn std::error::Error + Send + Sync>| AudioError::Resample { from_hz, to_hz, source };

    let mut resampler = Fft::<f32>::new_custom(
        from_hz as usize,
        to_hz as usize,
        block_len(from_hz, to_hz),
        1,
        1,
        rubato::WindowFunction::BlackmanHarris2,
        FixedSync::Both,
    )
    .map_err(|error| refused(error.into()))?;
    let input = SequentialSlice::new(samples, 1, samples.len()).map_err(|error| refused(error.into()))?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|error| refused(error.into()))?;

    // The library rounds in floating point and can be one sample too long where the ratio is exact.
    let mut output = output.take_data();
    output.resize(output_len(samples.len(), from_hz, to_hz), 0.0);
    Ok(output)
}

fn output_len(samples: usize, from_hz: u32, to_hz: u32) -> usize {
    (samples as u128 * u128::from(to_hz)).div_ceil(u128::from(from_hz)) as usize
}

/// Input samples a block: an even number of the smallest units that both rates divide. With an odd number the filter's
/// centre lies between two samples, and the output is late by a part of one.
fn block_len(from_hz: u32, to_hz: u32) -> usize {
    let gcd = gcd(from_hz, to_hz);
    let unit_in = (from_hz / gcd) as usize;
    let unit_low = (from_hz.min(to_hz) / gcd) as usize;
    unit_in * FILTER_LEN.div_ceil(unit_low).next_multiple_of(2)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_and_even_in_both_rates() {
        for (from_hz, to_hz) in [(44_100, 16_000), (16_000, 44_100), (8_000, 16_000), (16_001, 16_000)] {
            let block = block_len(from_hz, to_hz);
            let unit = (from_hz / gcd(from_hz, to_hz)) as usize;
            assert_eq!(block % (2 * unit), 0, "{from_hz} to {to_hz}");
            assert!(output_len(block, from_hz, to_hz).min(block) >= FILTER_LEN);
        }
    }

    #[test]
    fn lengths_are_rounded_up_without_overflow() {
        assert_eq!(output_len(441, 44_100, 16_000), 160);
        assert_eq!(output_len(442, 44_100, 16_000), 161);
        assert_eq!(output_len(usize::MAX, 768_000, 100), usize::MAX / 7680 + 1);
    }
}
