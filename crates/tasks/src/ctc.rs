//! Tasks that label frames and collapse them (connectionist temporal classification, Graves et al. 2006): transcripts,
//! phones, transcripts with slots.
//!
//! The head is one linear map from each frame's hidden state to the vocabulary, `(hidden + 1) tokens` parameters, as
//! `transformers`' `Wav2Vec2ForCTC` and the SURE paper have it. The loss is PyTorch's, on 32-bit log-probabilities: the
//! blank is the alphabet's `[PAD]`, each clip's loss is divided by the length of its target and then averaged, and a clip
//! with fewer frames than its target needs adds nothing ([`Task::too_short`] counts such clips). Unlike the reference,
//! frames of padding take no part, repeats are merged for phones too, and no `<eos>` is learnt, unless the task's card asks
//! for the reference's way.

use sure_data::{Decoding, Example, Target, Written};
use sure_nn::{
    Dense, Encoded, Loader, NnError,
    tch::{Kind, Reduction, Tensor},
};
use sure_text::{Alphabet, Normalizer};

use crate::{Head, Logits, Prediction, Task, prefix_beam_search};

/// A task with tokens for frames.
#[derive(Debug, Clone)]
pub struct Ctc {
    alphabet: Alphabet,
    decoding: Decoding,
    scoring: Normalizer,
}

impl Ctc {
    /// A task over `alphabet`. Answers are decoded as `decoding` says; answers and references go through `scoring` before
    /// they are given out.
    pub fn new(alphabet: Alphabet, decoding: Decoding, scoring: Normalizer) -> Self {
        Self { alphabet, decoding, scoring }
    }

    /// The tokens of an example's text.
    fn target(&self, example: &Example) -> Vec<i64> {
        let Target::Text(text) = &example.target else { return Vec::new() };
        self.alphabet.encode(text).ids.into_iter().map(|id| id as i64).collect()
    }

    /// `[batch, frames, tokens]`, in 32 bits.
    fn log_probabilities(logits: &Logits) -> Tensor {
        logits.values.log_softmax(-1, Kind::Float)
    }

    /// The answer from the best token of each frame; its score is the geometric mean of their probabilities.
    fn best_path(&self, tokens: &[i64], scores: &[f32]) -> Prediction {
        let frames: Vec<usize> = tokens.iter().map(|&token| token as usize).collect();
        let value = match self.decoding {
            Decoding::Unmerged => self.alphabet.decode_unmerged(&frames),
            Decoding::Greedy | Decoding::Beam { .. } => self.alphabet.decode_greedy(&frames),
        };
        let sum: f64 = scores.iter().map(|&score| f64::from(score)).sum();
        Prediction { value: self.scoring.apply(&value), score: (sum / scores.len().max(1) as f64).exp() }
    }
}

impl Task for Ctc {
    fn head(&self, hidden: i64, loader: &Loader) -> Result<Box<dyn Head>, NnError> {
        Ok(Box::new(CtcHead::new(loader, hidden, self.alphabet.len() as i64)?))
    }

    fn head_count(&self, hidden: i64) -> u64 {
        CtcHead::count(hidden, self.alphabet.len() as i64)
    }

    fn loss(&self, logits: &Logits, examples: &[&Example]) -> Tensor {
        let targets: Vec<Vec<i64>> = examples.iter().map(|example| self.target(example)).collect();
        let lengths: Vec<i64> = targets.iter().map(|target| target.len() as i64).collect();
        let device = logits.values.device();
        let targets = Tensor::from_slice(&targets.concat()).to_device(device);
        Tensor::ctc_loss(
            &Self::log_probabilities(logits).transpose(0, 1),
            &targets,
            &logits.frames[..],
            &lengths[..],
            self.alphabet.blank() as i64,
            Reduction::Mean,
            true,
        )
    }

    fn decode(&self, logits: &Logits, _written: &[Option<&Written>]) -> Vec<Prediction> {
        let log_probabilities = Self::log_probabilities(logits);
        let real = |row: usize, tensor: &Tensor| tensor.get(row as i64).narrow(0, 0, logits.frames[row]);
        if let Decoding::Beam { width } = self.decoding {
            let answer = |row: usize| {
                let frames = real(row, &log_probabilities).contiguous().view([-1]);
                let frames = Vec::<f32>::try_from(frames).unwrap_or_default();
                let best = prefix_beam_search(&frames, self.alphabet.len(), self.alphabet.blank(), width);
                let best = best.into_iter().next().unwrap_or_default();
                let value = self.scoring.apply(&self.alphabet.decode(&best.tokens));
                let count = logits.frames[row].max(1) as f64;
                Prediction { value, score: (best.log_probability / count).exp().min(1.0) }
            };
            return (0..logits.frames.len()).map(answer).collect();
        }
        let (scores, tokens) = log_probabilities.max_dim(-1, false);
        let answer = |row: usize| {
            let tokens = Vec::<i64>::try_from(real(row, &tokens)).unwrap_or_default();
            let scores = Vec::<f32>::try_from(real(row, &scores)).unwrap_or_default();
            self.best_path(&tokens, &scores)
        };
        (0..logits.frames.len()).map(answer).collect()
    }

    fn reference(&self, example: &Example) -> String {
        match &example.target {
            Target::Text(text) => self.scoring.apply(text),
            Target::Class(_) | Target::Classes(_) => String::new(),
        }
    }

    fn silence(&self) -> Option<String> {
        Some(String::new())
    }

    fn too_short(&self, logits: &Logits, examples: &[&Example]) -> usize {
        let needed = |target: &[i64]| {
            // A blank must stand between two equal tokens.
            target.len() + target.windows(2).filter(|pair| pair[0] == pair[1]).count()
        };
        let fits = |(example, frames): (&&Example, &i64)| needed(&self.target(example)) as i64 <= *frames;
        examples.iter().zip(&logits.frames).filter(|pair| !fits(*pair)).count()
    }
}

/// The head.
#[derive(Debug)]
pub struct CtcHead {
    tokens: Dense,
}

impl CtcHead {
    /// `tokens` `[tokens, hidden]` with a bias at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, tokens: i64) -> Result<Self, NnError> {
        Ok(Self { tokens: Dense::new(&loader.at("tokens"), hidden, tokens)? })
    }

    /// The number of parameters.
    pub const fn count(hidden: i64, tokens: i64) -> u64 {
        ((hidden + 1) * tokens) as u64
    }
}

impl Head for CtcHead {
    fn forward(&self, encoded: &Encoded) -> Tensor {
        self.tokens.forward(encoded.last())
    }
}

#[cfg(test)]
mod tests {
    use sure_nn::{Loading, Source, tch::Device};

    use super::*;

    #[test]
    fn the_heads_have_the_papers_counts() {
        // LibriSpeech, FLEURS, phones, slots on the large model.
        for (tokens, count) in [(30, 30_750), (75, 76_875), (74, 75_850), (143, 146_575)] {
            assert_eq!(CtcHead::count(1024, tokens), count);
            let loading = Loading::trainable(Source::Blank, Device::Cpu);
            CtcHead::new(&loading.root(), 1024, tokens).unwrap();
            assert_eq!(loading.finish(|_| false).unwrap().count(), count);
        }
    }
}
