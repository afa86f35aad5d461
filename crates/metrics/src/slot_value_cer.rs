//! How well the values of slots were spelt.

use crate::edit_rate::rate;
use crate::slots::{Slot, by_kind, slots};
use crate::sums::Sums;
use crate::{Metric, MetricError, MetricInfo, Statistic, edit_distance};

/// The character error rate of the values of the reference's slots, each against the nearest predicted value of the
/// same kind. SURE's and SUPERB's slot-value CER.
///
/// A kind that was not predicted stands against an empty value. Tags inside a predicted value are taken out, those
/// inside a value of the reference are not; a word like `E-MAIL` reads as a tag here. A predicted slot that the reference lacks costs nothing. Where no reference
/// has a slot the score is 0; the published code divides by zero there.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotValueCer;

impl Metric for SlotValueCer {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "slot-value-cer",
            summary: "The character error rate of the references' slot values against the nearest predictions of their kinds.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(Sums::new(predictions, references, parts)?.statistic(rate))
    }
}

/// The edits of one utterance's values, and the characters of the right ones.
fn parts(prediction: &str, reference: &str) -> [f64; 2] {
    let predicted = by_kind(&slots(prediction), Slot::bare_value);
    let (mut edits, mut characters) = (0, 0);
    for slot in slots(reference) {
        let right: Vec<char> = slot.value().chars().collect();
        let distance = |value: &String| edit_distance(&right, &value.chars().collect::<Vec<_>>());
        let nearest = predicted.get(slot.kind).and_then(|values| values.iter().map(distance).min());
        edits += nearest.unwrap_or(right.len());
        characters += right.len();
    }
    [edits as f64, characters as f64]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cer(prediction: &str, reference: &str) -> f64 {
        SlotValueCer.score(&[prediction.to_owned()], &[reference.to_owned()]).unwrap()
    }

    #[test]
    fn the_checks_that_were_worked_by_hand_come_out() {
        let reference = "B-genre JAZZ E-genre";
        assert_eq!(cer("B-genre JAZ E-genre", reference), 0.25);
        assert_eq!(cer("JAZZ", reference), 1.0);
        assert_eq!(cer("B-artist JAZZ E-artist", reference), 1.0);
        assert_eq!(cer(reference, reference), 0.0);
    }

    #[test]
    fn each_right_value_takes_the_nearest_prediction_of_its_kind() {
        assert_eq!(cer("B-a wrong E-a B-a jaz E-a", "B-a jazz E-a"), 0.25);
        // One predicted value may serve twice.
        assert_eq!(cer("B-a ab E-a", "B-a ab E-a B-a ab E-a"), 0.0);
    }

    #[test]
    fn a_slot_that_is_too_much_costs_nothing() {
        assert_eq!(cer("B-a ab E-a B-b xyz E-b", "B-a ab E-a"), 0.0);
        assert_eq!(cer("B-b xyz E-b", "nothing tagged"), 0.0);
    }

    #[test]
    fn tags_inside_a_predicted_value_are_taken_out() {
        assert_eq!(cer("B-a x B-b y E-b z E-a", "B-a x y z E-a"), 0.0);
    }
}
