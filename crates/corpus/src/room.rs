//! Where the speaker stands: reverberation, a microphone's colour, noise, and how loud it all is.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// How hard a recording is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difficulty {
    /// Range of the signal-to-noise ratio, dB.
    pub snr_db: (f64, f64),
    /// Share of the recordings in a room with reverberation.
    pub reverberant: f64,
    /// Range of the reverberation time (60 dB), seconds.
    pub rt60_s: (f64, f64),
}

/// A place, drawn for one recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Signal-to-noise ratio, dB.
    pub snr_db: f64,
    /// Reverberation time (60 dB), seconds; 0 is none.
    pub rt60_s: f64,
    /// The noise's colour.
    pub colour: Colour,
    /// Corner frequencies of the microphone, low and high, Hz.
    pub band_hz: (f64, f64),
    /// The recording's peak, of full scale.
    pub peak: f64,
}

/// The spectrum of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Flat.
    White,
    /// Falls by 3 dB an octave.
    Pink,
    /// Falls by 6 dB an octave.
    Brown,
    /// White with mains hum.
    Hum,
}

impl Colour {
    const ALL: [Self; 4] = [Self::White, Self::Pink, Self::Brown, Self::Hum];

    /// Its name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Pink => "pink",
            Self::Brown => "brown",
            Self::Hum => "hum",
        }
    }
}

impl Room {
    /// Draws a place.
    pub fn draw(difficulty: Difficulty, rng: &mut ChaCha8Rng) -> Self {
        let mut between = |(low, high): (f64, f64)| low + (high - low) * rng.random::<f64>();
        let snr_db = between(difficulty.snr_db);
        let rt60_s = between(difficulty.rt60_s);
        let band_hz = (between((30.0, 150.0)), between((6000.0, 7800.0)));
        let peak = between((0.15, 0.9));
        let rt60_s = if rng.random::<f64>() < difficulty.reverberant { rt60_s } else { 0.0 };
        Self { snr_db, rt60_s, colour: Colour::ALL[rng.random_range(0..Colour::ALL.len())], band_hz, peak }
    }

    /// The recording of `speech` in this place, `[samples]`, as long as `speech`; `level` is the root mean square of
    /// the plain voice, on which the noise is based, so that who speaks softly has more of it.
    pub fn record(&self, speech: &[f32], level: f64, rate_hz: u32, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut wet = speech.to_vec();
        if self.rt60_s > 0.0 {
            let tail = reverberate(speech, self.rt60_s, rate_hz, rng);
            for (sample, tail) in wet.iter_mut().zip(tail) {
                *sample += tail;
            }
        }
        let mut heard = band(&wet, self.band_hz, rate_hz);
        let noise = noise(self.colour, heard.len(), rate_hz, rng);
        let scale = level * 10.0_f64.powf(-self.snr_db / 20.0) / rms(&noise).max(1e-9);
        for (sample, noise) in heard.iter_mut().zip(&noise) {
            *sample += noise * scale as f32;
        }
        let loudest = heard.iter().fold(1e-9_f32, |peak, sample| peak.max(sample.abs()));
        for sample in &mut heard {
            *sample *= self.peak as f32 / loudest;
        }
        heard
    }
}

/// Root mean square.
pub fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// The late part of a room's answer: Schroeder's reverberator (1962), four combs beside each other and two all-passes
/// behind them, with delays drawn for the room.
fn reverberate(speech: &[f32], rt60_s: f64, rate_hz: u32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let rate = f64::from(rate_hz);
    let stretch = 0.8 + 0.4 * rng.random::<f64>();
    let mut sum = vec![0.0_f32; speech.len()];
    for delay_s in [0.0297, 0.0371, 0.0411, 0.0437] {
        let delay = (delay_s * stretch * rate) as usize;
        let gain = 10.0_f64.powf(-3.0 * delay_s * stretch / rt60_s) as f32;
        let mut line = vec![0.0_f32; delay];
        for (index, (&input, output)) in speech.iter().zip(&mut sum).enumerate() {
            let place = index % delay;
            let late = line[place];
            line[place] = input + gain * late;
            *output += 0.25 * late;
        }
    }
    for delay_s in [0.005, 0.0017] {
        let delay = (delay_s * stretch * rate) as usize;
        let mut line = vec![0.0_f32; delay];
        for (index, sample) in sum.iter_mut().enumerate() {
            let place = index % delay;
            let late = line[place];
            let inner = *sample + 0.7 * late;
            line[place] = inner;
            *sample = late - 0.7 * inner;
        }
    }
    sum
}

/// A first-order high-pass and a first-order low-pass.
fn band(samples: &[f32], (low_hz, high_hz): (f64, f64), rate_hz: u32) -> Vec<f32> {
    let coefficient = |corner: f64| (-std::f64::consts::TAU * corner / f64::from(rate_hz)).exp() as f32;
    let (slow, fast) = (coefficient(low_hz), coefficient(high_hz));
    let (mut base, mut smooth) = (0.0_f32, 0.0_f32);
    let one = |&sample: &f32| {
        base = slow * base + (1.0 - slow) * sample;
        smooth = fast * smooth + (1.0 - fast) * (sample - base);
        smooth
    };
    samples.iter().map(one).collect()
}

fn noise(colour: Colour, samples: usize, rate_hz: u32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let phase: f64 = rng.random();
    let white: Vec<f32> = (0..samples).map(|_| StandardNormal.sample(rng)).collect();
    match colour {
        Colour::White => white,
        // One-pole filters at octaves apart add up to about -3 dB an octave.
        Colour::Pink => {
            let poles = [0.99, 0.96, 0.87, 0.55];
            let mut states = [0.0_f32; 4];
            let one = |&white: &f32| {
                states
                    .iter_mut()
                    .zip(poles)
                    .for_each(|(state, pole)| *state = pole * *state + (1.0 - pole) * white * 4.0);
                states.iter().sum::<f32>() + 0.1 * white
            };
            white.iter().map(one).collect()
        }
        Colour::Brown => {
            let mut state = 0.0_f32;
            let one = |&white: &f32| {
                state = 0.98 * state + white;
                state
            };
            white.iter().map(one).collect()
        }
        Colour::Hum => {
            let hum = |index: usize| {
                let turns = index as f64 * 50.0 / f64::from(rate_hz) + phase;
                [1.0, 2.0, 3.0, 5.0]
                    .iter()
                    .map(|partial| (std::f64::consts::TAU * turns * partial).sin() / partial)
                    .sum::<f64>()
            };
            white.iter().enumerate().map(|(index, white)| 0.5 * white + hum(index) as f32).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(3)
    }

    #[test]
    fn noise_has_the_level_that_the_room_asks_for() {
        let room =
            Room { snr_db: 20.0, rt60_s: 0.0, colour: Colour::White, band_hz: (1.0, 7900.0), peak: 0.5 };
        let tone: Vec<f32> = (0..16_000).map(|index| (f64::from(index) * 0.3).sin() as f32).collect();
        let heard = room.record(&tone, rms(&tone), 16_000, &mut rng());
        let clean = band(&tone, room.band_hz, 16_000);
        let scale = heard.iter().zip(&clean).map(|(a, b)| a * b).sum::<f32>()
            / clean.iter().map(|b| b * b).sum::<f32>();
        let rest: Vec<f32> = heard.iter().zip(&clean).map(|(a, b)| a - b * scale).collect();
        let snr = 20.0 * (rms(&tone) * f64::from(scale) / rms(&rest)).log10();
        assert!((snr - 20.0).abs() < 0.3, "{snr}");
        assert!((heard.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn reverberation_decays_by_sixty_decibels_in_its_time() {
        let mut click = vec![0.0_f32; 16_000];
        click[0] = 1.0;
        let tail = reverberate(&click, 0.4, 16_000, &mut rng());
        let energy = |from: f64, to: f64| rms(&tail[(from * 16_000.0) as usize..(to * 16_000.0) as usize]);
        let fall = 20.0 * (energy(0.1, 0.2) / energy(0.4, 0.5)).log10();
        assert!((fall - 45.0).abs() < 6.0, "{fall}");
    }

    #[test]
    fn colours_fall_as_they_should() {
        let power = |colour, from: f64, to: f64| {
            let noise = noise(colour, 1 << 14, 16_000, &mut rng());
            rms(&band(&noise, (from, to), 16_000))
        };
        assert!(power(Colour::Brown, 20.0, 200.0) > 2.0 * power(Colour::Brown, 2000.0, 7000.0));
        assert!(power(Colour::White, 20.0, 200.0) < power(Colour::White, 20.0, 7000.0));
    }
}
