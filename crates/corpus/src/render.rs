//! From a line to a recording.

use rand::RngExt as _;
use sure_audio::resample;

use crate::{
    CorpusError, Engines, Line, Set,
    room::{Room, rms},
    sets::random,
};

/// A recording with what was drawn for it.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// `[samples]` at the set's rate.
    pub(crate) samples: Vec<f32>,
    /// Names of phones with begin and end, seconds from the recording's begin.
    pub(crate) phones: Vec<(String, f64, f64)>,
    /// Hash of what the engine said; `None` for silence.
    pub(crate) engine_hash: Option<String>,
    /// The room; `None` for a clean one.
    pub(crate) room: Option<Room>,
}

/// Below this a sample counts as silence, of full scale.
const QUIET: f32 = 0.004;
/// The level of silence's noise is that of a voice of this root mean square.
const USUAL_LEVEL: f64 = 0.08;

/// Speaks a line and records it in its room.
pub(crate) fn render(set: &Set, line: &Line, engines: &mut Engines) -> Result<Recording, CorpusError> {
    let mut rng = random(&format!("room/{}", line.id));
    let room = set.difficulty.map(|difficulty| Room::draw(difficulty, &mut rng));
    let rate = f64::from(set.rate_hz);
    let (lead, tail) = (0.05 + 0.12 * rng.random::<f64>(), 0.08 + 0.12 * rng.random::<f64>());
    let Some(voice) = &line.voice else {
        let nothing = vec![0.0; ((0.4 + 2.0 * (lead + tail)) * rate) as usize];
        let samples = record(room, &nothing, USUAL_LEVEL, set.rate_hz, &mut rng);
        return Ok(Recording { samples, phones: Vec::new(), engine_hash: None, room });
    };
    let speech = engines.speak(voice, line.prosody, &line.text)?;
    let plain: Vec<f32> = speech.samples.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    let voiced = resample(&plain, speech.rate_hz, set.rate_hz)?;
    let first = voiced.iter().position(|sample| sample.abs() > QUIET).unwrap_or(0);
    let last = voiced.iter().rposition(|sample| sample.abs() > QUIET).map_or(voiced.len(), |last| last + 1);
    let level = rms(&voiced[first..last]);
    let gain = 10.0_f64.powf(line.gain_db / 20.0) as f32;
    let lead = (lead * rate) as usize;
    let echo = room.map_or(0.0, |room| room.rt60_s / 3.0);
    let mut samples = vec![0.0; lead];
    samples.extend(voiced[first..last].iter().map(|sample| sample * gain));
    samples.resize(samples.len() + ((tail + echo) * rate) as usize, 0.0);
    let at = |sample: usize| {
        let seconds = sample as f64 / f64::from(speech.rate_hz) + (lead as f64 - first as f64) / rate;
        (seconds * 1000.0).round().max(0.0) / 1000.0
    };
    let phones = speech.phones.iter().map(|phone| (phone.name.clone(), at(phone.start), at(phone.end)));
    Ok(Recording {
        samples: record(room, &samples, level, set.rate_hz, &mut rng),
        phones: phones.collect(),
        engine_hash: Some(speech.hash()),
        room,
    })
}

fn record(
    room: Option<Room>,
    samples: &[f32],
    level: f64,
    rate_hz: u32,
    rng: &mut rand_chacha::ChaCha8Rng,
) -> Vec<f32> {
    match room {
        Some(room) => room.record(samples, level, rate_hz, rng),
        None => samples.to_vec(),
    }
}
