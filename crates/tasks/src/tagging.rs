//! Slots of a text that is given: each word is labelled.
//!
//! What [`Ctc`](crate::Ctc) does for recordings, which have to be transcribed as well: answers of both are texts with tags
//! in them, and are scored alike. The head is one linear map from each piece's hidden state to the tags, as
//! `transformers`' `BertForTokenClassification` has it, with `(hidden + 1) (1 + 2 kinds)` parameters: `O`, and for each kind
//! of slot its first (`B`) and its further words (`I`). A word's tag is that of its first piece (Devlin et al. 2019,
//! section 5.3); the other pieces take no part in loss or answer.

use sure_data::{Example, Labels, Target, Written};
use sure_nn::{
    Dense, Encoded, Loader, NnError,
    tch::{Kind, Reduction, Tensor},
};
use sure_text::{Normalizer, WordTag, from_word_tags, word_tags};

use crate::{Head, Logits, Prediction, Task};

/// What marks a piece that takes no part.
const IGNORED: i64 = -100;

/// The task: which kinds of slots there are.
#[derive(Debug, Clone)]
pub struct Tagging {
    kinds: Vec<String>,
    scoring: Normalizer,
}

impl Tagging {
    /// A task with these kinds of slots. Answers and references go through `scoring` before they are given out.
    pub fn new(kinds: Vec<String>, scoring: Normalizer) -> Self {
        Self { kinds, scoring }
    }

    fn outputs(&self) -> i64 {
        Labels::Slots(self.kinds.clone()).outputs() as i64
    }

    /// The number of a word's tag; a kind that training did not have counts as none.
    fn number(&self, tag: Option<WordTag<'_>>) -> i64 {
        let place = |tag: WordTag<'_>| {
            let kind = self.kinds.iter().position(|kind| kind == tag.kind)?;
            Some(1 + 2 * kind as i64 + i64::from(!tag.first))
        };
        tag.and_then(place).unwrap_or(0)
    }

    /// The way back.
    fn tag(&self, number: usize) -> Option<WordTag<'_>> {
        let number = number.checked_sub(1)?;
        Some(WordTag { kind: self.kinds.get(number / 2)?, first: number.is_multiple_of(2) })
    }

    /// Each step's tag number, for `steps` time steps.
    fn targets(&self, example: &Example, steps: usize) -> Vec<i64> {
        let mut numbers = vec![IGNORED; steps];
        if let (Target::Text(tagged), Some(written)) = (&example.target, &example.written) {
            // What a recogniser wrote may differ: a word that is another one has no tag to be held against.
            let said = word_tags(tagged).into_iter().zip(written.words()).zip(&written.firsts);
            for (((right, tag), word), first) in said {
                if let Some(place) = first.and_then(|first| numbers.get_mut(first))
                    && right == word
                {
                    *place = self.number(tag);
                }
            }
        }
        numbers
    }

    fn answer(&self, written: &Written, tags: &[i64], scores: &[f32]) -> Prediction {
        let mut sum = 0.0;
        let tagged = written.words().zip(&written.firsts).map(|(word, first)| {
            let tag = first.and_then(|first| {
                sum += f64::from(*scores.get(first)?);
                self.tag(*tags.get(first)? as usize)
            });
            (word, tag)
        });
        let value = self.scoring.apply(&from_word_tags(tagged));
        let count = written.firsts.iter().flatten().count().max(1);
        Prediction { value, score: (sum / count as f64).exp() }
    }
}

impl Task for Tagging {
    fn head(&self, hidden: i64, loader: &Loader) -> Result<Box<dyn Head>, NnError> {
        Ok(Box::new(TagHead { tags: Dense::new(&loader.at("tags"), hidden, self.outputs())? }))
    }

    fn head_count(&self, hidden: i64) -> u64 {
        ((hidden + 1) * self.outputs()) as u64
    }

    fn loss(&self, logits: &Logits, examples: &[&Example]) -> Tensor {
        let steps = logits.values.size()[1];
        let targets: Vec<i64> =
            examples.iter().flat_map(|example| self.targets(example, steps as usize)).collect();
        if targets.iter().all(|&target| target == IGNORED) {
            // A mean over nothing is not a number.
            return logits.values.sum(Kind::Float) * 0.0;
        }
        let targets = Tensor::from_slice(&targets).to_device(logits.values.device());
        logits.values.reshape([-1, self.outputs()]).cross_entropy_loss::<Tensor>(
            &targets,
            None,
            Reduction::Mean,
            IGNORED,
            0.0,
        )
    }

    fn decode(&self, logits: &Logits, written: &[Option<&Written>]) -> Vec<Prediction> {
        let (scores, tags) = logits.values.log_softmax(-1, Kind::Float).max_dim(-1, false);
        let answer = |(row, written): (usize, Option<&Written>)| {
            let tags = Vec::<i64>::try_from(tags.get(row as i64)).unwrap_or_default();
            let scores = Vec::<f32>::try_from(scores.get(row as i64)).unwrap_or_default();
            // A recording has no words to label.
            written.map_or_else(
                || Prediction { value: String::new(), score: 0.0 },
                |written| self.answer(written, &tags, &scores),
            )
        };
        written.iter().copied().enumerate().map(answer).collect()
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
}

/// The head.
#[derive(Debug)]
struct TagHead {
    tags: Dense,
}

impl Head for TagHead {
    fn forward(&self, encoded: &Encoded) -> Tensor {
        self.tags.forward(encoded.last())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn task() -> Tagging {
        Tagging::new(vec!["genre".to_owned(), "when".to_owned()], Normalizer::None)
    }

    /// `play hot jazz` in the pieces `[CLS] play hot ja ##zz [SEP]`.
    fn example() -> Example {
        let written = Written { text: "play hot jazz".to_owned(), firsts: vec![Some(1), Some(2), Some(3)] };
        let target = Target::Text("play B-genre hot jazz E-genre".to_owned());
        let (id, audio) = (String::new(), PathBuf::new());
        Example { id, audio, written: Some(written), target, speaker: None }
    }

    /// Logits that are sure of these tags.
    fn logits(tags: &[i64]) -> Logits {
        let values = Tensor::from_slice(tags).one_hot(5).to_kind(Kind::Float) * 20.0;
        Logits { values: values.unsqueeze(0), frames: vec![tags.len() as i64] }
    }

    #[test]
    fn the_first_piece_of_a_word_bears_its_tag() {
        let (task, example) = (task(), example());
        assert_eq!(task.targets(&example, 6), [IGNORED, 0, 1, 2, IGNORED, IGNORED]);
        // What the other pieces say does not matter.
        let right = logits(&[3, 0, 1, 2, 4, 4]);
        assert!(task.loss(&right, &[&example]).double_value(&[]) < 1e-6);
        let answer = task.decode(&right, &[example.written.as_ref()]).remove(0);
        assert_eq!(answer.value, task.reference(&example));
        assert!(answer.score > 0.999);
        let wrong = logits(&[0, 0, 0, 3, 0, 0]);
        assert!(task.loss(&wrong, &[&example]).double_value(&[]) > 10.0);
        let answer = task.decode(&wrong, &[example.written.as_ref()]).remove(0);
        assert_eq!(answer.value, "play hot B-when jazz E-when");
    }

    #[test]
    fn an_empty_text_gives_no_answer_and_no_loss() {
        let empty = Example {
            written: Some(Written::default()),
            target: Target::Text("B-when now E-when".to_owned()),
            ..example()
        };
        let nothing = logits(&[0, 0]);
        assert_eq!(task().loss(&nothing, &[&empty]).double_value(&[]), 0.0);
        assert_eq!(task().decode(&nothing, &[empty.written.as_ref()])[0].value, "");
    }
}
