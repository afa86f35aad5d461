use sha2::{Digest, Sha256};

use crate::Example;

/// At most `limit` of the examples, the classes in their proportions and each at least once where the limit allows.
/// Which ones depends on the ids alone, so that a longer list keeps most of a shorter one's choice.
pub(crate) fn stratified(mut examples: Vec<Example>, classes: usize, limit: usize) -> Vec<Example> {
    if examples.len() <= limit {
        return examples;
    }
    let mut sizes = vec![0_usize; classes];
    for example in &examples {
        sizes[example.label] += 1;
    }
    examples.sort_by_cached_key(|example| hash(&example.id));
    // The k-th of a class's n stands at k/n: the first of every class stands at 0, and any cut takes the same share of
    // each. Compared as fractions, so that nothing is rounded.
    let mut taken = vec![0_usize; classes];
    let mut placed: Vec<(usize, usize, Example)> = examples
        .into_iter()
        .map(|example| {
            let place = taken[example.label];
            taken[example.label] += 1;
            (place, sizes[example.label], example)
        })
        .collect();
    placed.sort_by(|left, right| (left.0 * right.1).cmp(&(right.0 * left.1)));
    let mut kept: Vec<Example> = placed.into_iter().take(limit).map(|(_, _, example)| example).collect();
    kept.sort_by(|left, right| left.id.cmp(&right.id));
    kept
}

fn hash(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}
