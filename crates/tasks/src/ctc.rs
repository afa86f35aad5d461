//! The head of tasks that label frames and collapse them (connectionist temporal classification, Graves et al. 2006).
//!
//! One linear map from each frame's hidden state to the vocabulary, `(hidden + 1) tokens` parameters, as
//! `transformers`' `Wav2Vec2ForCTC` and the SURE paper have it.

use sure_nn::{Dense, Encoded, Loader, NnError, tch::Tensor};

use crate::Head;

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
