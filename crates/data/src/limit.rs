//! A deterministic part of a split, with its labels in proportion.

use sha2::{Digest, Sha256};

use crate::{Example, Target};

/// At most `limit` of the examples, the classes in their proportions and each at least once where the limit allows.
/// Which ones depends on the ids alone, so that a longer list keeps most of a shorter one's choice. Targets that are no
/// single class count as one class.
pub(crate) fn stratified(mut examples: Vec<Example>, classes: usize, limit: usize) -> Vec<Example> {
    if examples.len() <= limit {
        return examples;
    }
    let mut sizes = vec![0_usize; classes.max(1)];
    for example in &examples {
        sizes[class(example)] += 1;
    }
    examples.sort_by_cached_key(|example| hash(&example.id));
    // The k-th of a class's n stands at k/n: the first of every class stands at 0, and any cut takes the same share of
    // each. Compared as fractions, so that nothing is rounded.
    let mut taken = vec![0_usize; sizes.len()];
    let mut placed: Vec<(usize, usize, Example)> = examples
        .into_iter()
        .map(|example| {
            let class = class(&example);
            let place = taken[class];
            taken[class] += 1;
            (place, sizes[class], example)
        })
        .collect();
    placed.sort_by(|left, right| (left.0 * right.1).cmp(&(right.0 * left.1)));
    let mut kept: Vec<Example> = placed.into_iter().take(limit).map(|(_, _, example)| example).collect();
    kept.sort_by(|left, right| left.id.cmp(&right.id));
    kept
}

fn class(example: &Example) -> usize {
    match example.target {
        Target::Class(class) => class,
        Target::Classes(_) | Target::Text(_) => 0,
    }
}

fn hash(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn examples(labels: &[usize]) -> Vec<Example> {
        let example = |(index, &label): (usize, &usize)| Example {
            id: format!("u{index:04}"),
            audio: "a.wav".into(),
            written: None,
            target: Target::Class(label),
            speaker: None,
        };
        labels.iter().enumerate().map(example).collect()
    }

    fn per_class(examples: &[Example], classes: usize) -> Vec<usize> {
        let count = |class| examples.iter().filter(|example| example.target == Target::Class(class)).count();
        (0..classes).map(count).collect()
    }

    #[test]
    fn it_is_not_simply_the_first() {
        let all = examples(&[0; 100]);
        assert_ne!(stratified(all.clone(), 1, 10), all[..10]);
    }

    proptest! {
        #[test]
        fn classes_keep_their_proportions(labels in prop::collection::vec(0..4_usize, 1..80), limit in 1..60_usize) {
            let all = examples(&labels);
            let kept = stratified(all.clone(), 4, limit);
            prop_assert_eq!(kept.len(), limit.min(all.len()));
            prop_assert!(kept.is_sorted_by_key(|example| example.id.clone()));
            let (sizes, counts) = (per_class(&all, 4), per_class(&kept, 4));
            for (&size, &count) in sizes.iter().zip(&counts) {
                let share = (size * kept.len()) as f64 / all.len() as f64;
                // One more for the class's first, which goes before its turn.
                prop_assert!((count as f64 - share).abs() < 4.0, "{count} of {size}, not about {share}");
                prop_assert!(count > 0 || size == 0 || limit < 4);
            }
        }

        #[test]
        fn the_order_of_the_list_does_not_matter_and_less_is_a_part_of_more(
            (labels, order) in prop::collection::vec(0..3_usize, 1..40).prop_flat_map(|labels| {
                let order: Vec<usize> = (0..labels.len()).collect();
                (Just(labels), Just(order).prop_shuffle())
            }),
            limit in 1..40_usize,
        ) {
            let all = examples(&labels);
            let shuffled: Vec<Example> = order.iter().map(|&index| all[index].clone()).collect();
            let mut kept = stratified(shuffled, 3, limit);
            kept.sort_by(|left, right| left.id.cmp(&right.id));
            prop_assert_eq!(&kept, &stratified(all.clone(), 3, limit));
            let more = stratified(all, 3, limit + 1);
            prop_assert!(kept.iter().all(|example| more.contains(example)));
        }
    }
}
