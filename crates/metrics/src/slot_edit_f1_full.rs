//! Whether the values of slots were found.

use crate::slots::{Slot, by_kind, slots};
use crate::sums::Sums;
use crate::{Metric, MetricError, MetricInfo, Statistic};

/// F1 over the slots of all utterances, a slot being right where its value was predicted to the letter: s3prl's
/// `slot_edit_f1_full`, as a ratio. SUPERB's recipe logs it beside what its tables have (slot-type F1, slot-value CER).
///
/// Per utterance and kind: a value of the reference that was predicted is a true positive (one predicted value may
/// serve several); one that was not is a false negative, and a false positive too where the kind was predicted at all.
/// A predicted value of a kind that the reference lacks is a false positive; more values than needed of a kind that it
/// has cost nothing. Tags inside predicted values are taken out. Without a slot on either side the score is 1; s3prl
/// divides by zero there.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotEditF1Full;

impl Metric for SlotEditF1Full {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "slot-edit-f1-full",
            summary: "F1 over the slots of all utterances, right where kind and value were predicted to the letter.",
            higher_is_better: true,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(Sums::new(predictions, references, parts)?.statistic(f1))
    }
}

/// One utterance's true positives, and its false ones of both sorts together.
fn parts(prediction: &str, reference: &str) -> [f64; 2] {
    let predicted = by_kind(&slots(prediction), Slot::bare_value);
    let right = by_kind(&slots(reference), Slot::value);
    let (mut hits, mut misses) = (0, 0);
    for (kind, values) in &right {
        for value in values {
            match predicted.get(kind) {
                Some(predicted) if predicted.contains(value) => hits += 1,
                // Missed, and another value claimed in its place.
                Some(_) => misses += 2,
                None => misses += 1,
            }
        }
    }
    misses += predicted
        .iter()
        .filter(|(kind, _)| !right.contains_key(*kind))
        .map(|(_, values)| values.len())
        .sum::<usize>();
    [f64::from(hits), misses as f64]
}

fn f1([hits, misses]: [f64; 2]) -> f64 {
    if hits + misses == 0.0 { 1.0 } else { 2.0 * hits / (2.0 * hits + misses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit_f1(prediction: &str, reference: &str) -> f64 {
        SlotEditF1Full.score(&[prediction.to_owned()], &[reference.to_owned()]).unwrap()
    }

    #[test]
    fn a_wrong_value_is_missed_and_claimed() {
        assert_eq!(edit_f1("B-a x E-a B-b y E-b", "B-a x E-a B-b z E-b"), 0.5);
    }

    #[test]
    fn a_kind_that_was_not_predicted_is_missed_alone() {
        assert_eq!(edit_f1("B-a x E-a", "B-a x E-a B-b z E-b"), 2.0 / 3.0);
    }

    #[test]
    fn a_kind_too_much_is_claimed_with_each_of_its_values() {
        assert_eq!(edit_f1("B-a x E-a B-b y E-b B-b z E-b", "B-a x E-a"), 0.5);
        assert_eq!(edit_f1("B-a x E-a B-a y E-a", "B-a x E-a"), 1.0);
    }

    #[test]
    fn nothing_to_find_and_nothing_found_is_1() {
        assert_eq!(edit_f1("x", "y"), 1.0);
    }
}
