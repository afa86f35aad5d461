//! Speaker verification: pairs of recordings of voices that no training split has, and whether one voice says both.

use std::fmt::Write as _;

use rand::seq::SliceRandom as _;

use crate::{Line, Part, sets::random};

/// The file beside the manifest, in the form of `VoxCeleb`'s lists: `1 id id` for one voice, `0 id id` for two.
pub(crate) const FILE: &str = "trials.txt";

/// All pairs of test recordings of one voice, and as many of two voices, drawn.
pub(crate) fn trials(lines: &[Line]) -> String {
    let test: Vec<&Line> = lines.iter().filter(|line| line.part == Part::Test).collect();
    let pairs = test
        .iter()
        .enumerate()
        .flat_map(|(index, one)| test[index + 1..].iter().map(move |two| (*one, *two)));
    let (same, mut different): (Vec<_>, Vec<_>) = pairs.partition(|(one, two)| one.voice == two.voice);
    different.shuffle(&mut random("trials"));
    different.truncate(same.len());
    let mut text = String::new();
    for (label, pairs) in [(1, same), (0, different)] {
        for (one, two) in pairs {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{label} {} {}", one.id, two.id);
        }
    }
    text
}
