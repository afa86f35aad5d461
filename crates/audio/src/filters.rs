//! Mel filters on the Slaney scale.

use std::ops::Range;

/// Below this the Slaney scale is linear, 15 mel at 1 kHz; above it is logarithmic, 27 mel for a factor of 6.4.
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = 15.0;

/// Triangular filters over the bins of a spectrum, each scaled to unit area. A filter is zero at most of the
/// bins, so that only its own stretch of bins is kept.
pub(crate) struct MelFilters {
    filters: Vec<(Range<usize>, Vec<f64>)>,
}

impl MelFilters {
    /// `n_mels` filters over the frequencies of `band_hz`, evenly spaced in mel.
    pub(crate) fn slaney(n_mels: usize, n_fft: usize, rate_hz: u32, band_hz: Range<f64>) -> Self {
        let (bottom, top) = (hertz_to_mel(band_hz.start), hertz_to_mel(band_hz.end));
        let edge = |index: usize| mel_to_hertz(bottom + (top - bottom) * index as f64 / (n_mels + 1) as f64);
        let bins: Vec<f64> =
            (0..=n_fft / 2).map(|bin| f64::from(rate_hz) * bin as f64 / n_fft as f64).collect();

        let filters =
            (0..n_mels).map(|mel| triangle(&bins, edge(mel), edge(mel + 1), edge(mel + 2))).collect();
        Self { filters }
    }

    pub(crate) fn len(&self) -> usize {
        self.filters.len()
    }

    /// What each filter lets through of a spectrum, `[bins]`.
    pub(crate) fn apply<'a>(&'a self, spectrum: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.filters.iter().map(|(bins, weights)| {
            spectrum[bins.clone()].iter().zip(weights).map(|(bin, weight)| bin * weight).sum()
        })
    }
}

/// The bins between `low` and `high` with their weights: a rise to `centre`, a fall to `high`, unit area in hertz.
fn triangle(bins: &[f64], low: f64, centre: f64, high: f64) -> (Range<usize>, Vec<f64>) {
    let start = bins.partition_point(|&hertz| hertz <= low);
    let end = bins.partition_point(|&hertz| hertz < high).max(start);
    let weights = bins[start..end]
        .iter()
        .map(|hertz| {
            ((hertz - low) / (centre - low)).min((high - hertz) / (high - centre)) * 2.0 / (high - low)
        })
        .collect();
    (start..end, weights)
}

fn hertz_to_mel(hertz: f64) -> f64 {
    if hertz < BREAK_HZ {
        hertz * BREAK_MEL / BREAK_HZ
    } else {
        BREAK_MEL + (hertz / BREAK_HZ).ln() * 27.0 / 6.4_f64.ln()
    }
}

fn mel_to_hertz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * BREAK_HZ / BREAK_MEL
    } else {
        BREAK_HZ * ((mel - BREAK_MEL) * 6.4_f64.ln() / 27.0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_invert_each_other_and_meet_at_one_kilohertz() {
        for hertz in [0.0, 200.0, 999.9, 1000.0, 1000.1, 6400.0, 8000.0] {
            assert!((mel_to_hertz(hertz_to_mel(hertz)) - hertz).abs() < 1e-9, "{hertz}");
        }
        assert_eq!(hertz_to_mel(1000.0), 15.0);
        assert!((hertz_to_mel(6400.0) - 42.0).abs() < 1e-12);
    }

    #[test]
    fn a_filter_has_unit_area_and_no_zero_weights() {
        // With bins of 1 Hz the sum over the bins is the area.
        let filters = MelFilters::slaney(40, 16_000, 16_000, 0.0..8000.0);
        for (mel, (_, weights)) in filters.filters.iter().enumerate() {
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{mel}");
            assert!(weights.iter().all(|&weight| weight > 0.0), "{mel}");
        }
    }

    #[test]
    fn filters_stay_inside_their_band() {
        let filters = MelFilters::slaney(40, 1000, 16_000, 500.0..4000.0);
        let (bins, _) = filters.filters.first().unwrap();
        assert!(bins.start as f64 * 16.0 > 500.0, "{bins:?}");
        let (bins, _) = filters.filters.last().unwrap();
        assert!((bins.end - 1) as f64 * 16.0 < 4000.0, "{bins:?}");
        assert!((bins.end) as f64 * 16.0 >= 4000.0, "{bins:?}");
    }

    #[test]
    fn more_bands_than_bins_leave_some_filters_empty() {
        let filters = MelFilters::slaney(200, 64, 16_000, 0.0..8000.0);
        let energies: Vec<f64> = filters.apply(&[1.0; 33]).collect();
        assert_eq!(energies.len(), filters.len());
        assert!(energies.contains(&0.0));
    }
}
