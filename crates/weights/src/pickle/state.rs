//! From the value of a pickle to named tensors.

use super::value::{Built, Node, Tensor, Value, what};
use crate::Skipped;

/// Most dictionaries inside each other.
const DEPTH: usize = 8;
/// Most entries of all dictionaries.
const ENTRIES: usize = 1 << 20;
/// Most bytes of all names.
const NAMES: usize = 64 << 20;

/// Why there are no named tensors.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum StateFault {
    /// The value is something else, in a word.
    NoDict(&'static str),
    /// More than that many of something.
    TooMuch(&'static str, u64),
}

/// Tensors by name, and what else is there.
pub(crate) type State<'b> = (Vec<(String, &'b Tensor)>, Vec<Skipped>);

/// The tensors of dictionaries, with the names that lead to them joined by dots, and what else is there. A dictionary may
/// stand in several places; one that holds itself ends at the depth.
pub(crate) fn flatten<'b>(built: &'b Built<'_>) -> Result<State<'b>, StateFault> {
    let Some(Node::Dict(top)) = built.node(built.top) else {
        return Err(StateFault::NoDict(what(built.top, &built.nodes)));
    };
    let (mut tensors, mut skipped, mut entries, mut bytes) = (Vec::new(), Vec::new(), 0, 0);
    let mut open = vec![(String::new(), top, 0)];
    while let Some((prefix, dict, depth)) = open.pop() {
        entries += dict.len();
        if entries > ENTRIES {
            return Err(StateFault::TooMuch("entries", ENTRIES as u64));
        }
        for (key, value) in dict {
            let key = match key {
                Value::Text(key) => (*key).to_owned(),
                Value::Int(key) => key.to_string(),
                other => {
                    let what = what(*other, &built.nodes);
                    bytes += prefix.len() + what.len();
                    if bytes > NAMES {
                        return Err(StateFault::TooMuch("bytes of names", NAMES as u64));
                    }
                    skipped
                        .push(Skipped { name: format!("{prefix}({what})"), what: "an entry without a name" });
                    continue;
                }
            };
            let name = prefix.clone() + &key;
            bytes += name.len();
            if bytes > NAMES {
                return Err(StateFault::TooMuch("bytes of names", NAMES as u64));
            }
            match built.node(*value) {
                Some(Node::Tensor(tensor)) => tensors.push((name, tensor)),
                Some(Node::Dict(_)) if depth == DEPTH => {
                    return Err(StateFault::TooMuch("dictionaries inside each other", DEPTH as u64));
                }
                Some(Node::Dict(inner)) => open.push((name + ".", inner, depth + 1)),
                _ => skipped.push(Skipped { name, what: what(*value, &built.nodes) }),
            }
        }
    }
    Ok((tensors, skipped))
}
