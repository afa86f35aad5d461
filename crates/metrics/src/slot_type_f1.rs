//! Which kinds of slots were found.

use std::collections::HashSet;

use crate::slots::slots;
use crate::sums::Sums;
use crate::{Metric, MetricError, MetricInfo, Statistic};

/// The mean over utterances of the F1 between the kinds of slots in the prediction and in the reference; neither values
/// nor repetitions matter. SURE's and SUPERB's slot-type F1.
///
/// Of an utterance without a slot on either side it is 1, of one with slots on one side alone 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotTypeF1;

impl Metric for SlotTypeF1 {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "slot-type-f1",
            summary: "The mean over utterances of the F1 between predicted and right kinds of slots.",
            higher_is_better: true,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(Sums::new(predictions, references, parts)?.statistic(mean))
    }
}

/// The F1 of one utterance, and its weight.
fn parts(prediction: &str, reference: &str) -> [f64; 2] {
    let kinds = |text| slots(text).iter().map(|slot| slot.kind).collect::<HashSet<_>>();
    let (predicted, right) = (kinds(prediction), kinds(reference));
    let all = predicted.len() + right.len();
    // 2PR / (P + R) in counts.
    let f1 = if all == 0 { 1.0 } else { 2.0 * predicted.intersection(&right).count() as f64 / all as f64 };
    [f1, 1.0]
}

fn mean([sum, utterances]: [f64; 2]) -> f64 {
    sum / utterances
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f1(prediction: &str, reference: &str) -> f64 {
        SlotTypeF1.score(&[prediction.to_owned()], &[reference.to_owned()]).unwrap()
    }

    #[test]
    fn the_checks_that_were_worked_by_hand_come_out() {
        let reference = "B-genre JAZZ E-genre";
        assert_eq!(f1("B-genre JAZ E-genre", reference), 1.0);
        assert_eq!(f1("JAZZ", reference), 0.0);
        assert_eq!(f1("B-artist JAZZ E-artist", reference), 0.0);
        assert_eq!(f1("JAZZ", "JAZZ"), 1.0);
        assert_eq!(f1("B-genre JAZZ E-genre", "JAZZ"), 0.0);
        // P = 1/2, R = 1.
        assert_eq!(f1("B-genre JAZZ E-genre B-artist X E-artist", reference), 2.0 / 3.0);
    }

    #[test]
    fn repetitions_do_not_matter() {
        assert_eq!(f1("B-a x E-a B-a y E-a", "B-a z E-a"), 1.0);
    }

    #[test]
    fn utterances_count_the_same_whatever_their_slots() {
        let predictions = ["B-a x E-a B-b x E-b B-c x E-c", "y"].map(str::to_owned);
        let references = ["B-a x E-a B-b x E-b B-c x E-c", "B-a y E-a"].map(str::to_owned);
        assert_eq!(SlotTypeF1.score(&predictions, &references), Ok(0.5));
    }
}
