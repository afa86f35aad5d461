//! What holds for every edit distance and every alignment.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sure_metrics::{Op, SplitMix64, align, edit_distance};

/// Up to 150 symbols, so that some sequences take more than one block of 64, out of few, so that many are alike.
fn sequence() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(0..3_u8, 0..12),
        prop::collection::vec(0..3_u8, 0..150),
        prop::collection::vec(any::<u8>(), 0..150),
    ]
}

/// The distance by its definition.
fn plain<T: Eq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, left) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = index + 1;
        for (column, right) in b.iter().enumerate() {
            let diagonal = corner + usize::from(left != right);
            corner = row[column + 1];
            row[column + 1] = diagonal.min(corner + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

proptest! {
    #[test]
    fn the_distance_is_that_of_the_definition(a in sequence(), b in sequence()) {
        prop_assert_eq!(edit_distance(&a, &b), plain(&a, &b));
    }

    #[test]
    fn the_distance_is_a_metric(a in sequence(), b in sequence(), c in sequence()) {
        let distance = edit_distance(&a, &b);
        prop_assert_eq!(edit_distance(&a, &a), 0);
        prop_assert_eq!(distance == 0, a == b);
        prop_assert_eq!(edit_distance(&b, &a), distance);
        prop_assert!(edit_distance(&a, &c) <= distance + edit_distance(&b, &c));
        prop_assert!(a.len().abs_diff(b.len()) <= distance && distance <= a.len().max(b.len()));
    }

    #[test]
    fn the_names_of_the_symbols_do_not_matter(a in sequence(), b in sequence()) {
        let renamed = |symbols: &[u8]| symbols.iter().map(|&symbol| format!("word {symbol}")).collect::<Vec<_>>();
        prop_assert_eq!(edit_distance(&renamed(&a), &renamed(&b)), edit_distance(&a, &b));
        prop_assert_eq!(&align(&renamed(&a), &renamed(&b)).ops, &align(&a, &b).ops);
    }

    #[test]
    fn the_operations_turn_the_reference_into_the_hypothesis(reference in sequence(), hypothesis in sequence()) {
        let alignment = align(&reference, &hypothesis);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (op, from, to) in alignment.steps() {
            prop_assert_eq!(op == Op::Equal, from == to);
            prop_assert_eq!(op == Op::Delete, to.is_none());
            prop_assert_eq!(op == Op::Insert, from.is_none());
            left.extend(from.copied());
            right.extend(to.copied());
        }
        prop_assert_eq!(left, reference);
        prop_assert_eq!(right, hypothesis);
    }

    #[test]
    fn the_counts_fit_each_other_and_the_distance(reference in sequence(), hypothesis in sequence()) {
        let alignment = align(&reference, &hypothesis);
        let counts = alignment.counts();
        prop_assert_eq!(counts.errors(), edit_distance(&reference, &hypothesis));
        prop_assert_eq!(counts.reference, reference.len());
        prop_assert_eq!(counts.hits + counts.substitutions + counts.deletions, reference.len());
        prop_assert_eq!(counts.hits + counts.substitutions + counts.insertions, hypothesis.len());
        let mut ops = BTreeMap::new();
        for op in &alignment.ops {
            *ops.entry(format!("{op:?}")).or_insert(0) += 1;
        }
        prop_assert_eq!(ops.get("Insert").copied().unwrap_or(0), counts.insertions);
    }
}

#[test]
fn long_sequences_have_the_distance_of_the_definition() {
    let mut random = SplitMix64::new(7);
    for edits in [1, 30, 90, 300, 900, 3000] {
        let reference: Vec<usize> = (0..1500).map(|_| random.below(4)).collect();
        let mut hypothesis = reference.clone();
        for _ in 0..edits {
            let at = random.below(hypothesis.len());
            match random.below(3) {
                0 => hypothesis.insert(at, random.below(4)),
                1 => hypothesis[at] = random.below(4),
                _ => drop(hypothesis.remove(at)),
            }
        }
        let distance = plain(&reference, &hypothesis);
        assert_eq!(edit_distance(&reference, &hypothesis), distance);
        assert_eq!(align(&reference, &hypothesis).counts().errors(), distance);
    }
}

#[test]
fn a_million_symbols_with_few_edits_are_compared_and_aligned() {
    let reference: Vec<u32> = (0..1_000_000).map(|number| number % 50).collect();
    let mut hypothesis = reference.clone();
    for at in [0, 10, 499_980, 500_020, 999_989, 999_999] {
        hypothesis[at] = 99;
    }
    let counts = align(&reference, &hypothesis).counts();
    assert_eq!((counts.hits, counts.substitutions), (999_994, 6));
    assert_eq!(edit_distance(&reference, &hypothesis), 6);
}
