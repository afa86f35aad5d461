//! What is right for an utterance, and what there is to choose from.

use serde::{Deserialize, Serialize};
use sure_text::Alphabet;

/// The value of a head for an utterance that says nothing of it.
pub const NONE: &str = "none";

/// What is right for an utterance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A class, an index into [`Labels::Classes`].
    Class(usize),
    /// A class for each of [`Labels::Heads`].
    Classes(Vec<usize>),
    /// A text in the tokens of [`Labels::Tokens`]: a transcript, phones between blanks, or a transcript with tags.
    Text(String),
}

/// What a task chooses from, in the order of the logits; stored with a run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The classes.
    Classes(Vec<String>),
    /// The classes of each head, one head after the other.
    Heads(Vec<HeadLabels>),
    /// The tokens of a CTC task.
    Tokens(Alphabet),
    /// The kinds of slots that words may belong to.
    Slots(Vec<String>),
}

/// The classes of one head of a joint classification.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HeadLabels {
    /// What the head is about, for example `action`.
    pub name: String,
    /// Its classes.
    pub labels: Vec<String>,
}

impl Labels {
    /// How many outputs a head needs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Heads(heads) => heads.iter().map(|head| head.labels.len()).sum(),
            Self::Tokens(alphabet) => alphabet.len(),
            // Outside, and the first and further words of each kind.
            Self::Slots(kinds) => 1 + 2 * kinds.len(),
        }
    }

    /// The classes of a task with one label a clip.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Self::Classes(labels) => Some(labels),
            Self::Heads(_) | Self::Tokens(_) | Self::Slots(_) => None,
        }
    }

    /// The parts of a joint answer, as [`Labels::render`] writes it, by head; none where it is no such answer.
    pub fn parts(&self, rendered: &str) -> Vec<(String, String)> {
        let Self::Heads(heads) = self else { return Vec::new() };
        let parts = split(heads, rendered).unwrap_or_default();
        parts.into_iter().map(|(name, label)| (name.to_owned(), label.to_owned())).collect()
    }

    /// The target as text, in the form in which answers are compared with it; a number that names no class gives an
    /// empty text.
    pub fn render(&self, target: &Target) -> String {
        match (self, target) {
            (Self::Classes(labels), Target::Class(class)) => labels.get(*class).cloned().unwrap_or_default(),
            (Self::Heads(heads), Target::Classes(classes)) => render_heads(heads, classes),
            (_, Target::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }
}

fn render_heads(heads: &[HeadLabels], classes: &[usize]) -> String {
    let label = |(head, class): (&HeadLabels, &usize)| {
        (head.name.clone(), head.labels.get(*class).cloned().unwrap_or_default())
    };
    render_fields(heads.iter().zip(classes).map(label))
}

/// The parts of a rendered answer. Labels may hold the signs between the parts, so that all ways to part it are tried.
fn split<'a>(heads: &'a [HeadLabels], rendered: &str) -> Option<Vec<(&'a str, &'a str)>> {
    let Some((head, others)) = heads.split_first() else {
        return rendered.is_empty().then(Vec::new);
    };
    let rest = rendered.strip_prefix(&head.name)?.strip_prefix('=')?;
    head.labels.iter().find_map(|label| {
        let rest = rest.strip_prefix(label.as_str())?;
        let rest = if others.is_empty() { rest } else { rest.strip_prefix("; ")? };
        let mut parts = split(others, rest)?;
        parts.insert(0, (&head.name, label));
        Some(parts)
    })
}

/// `action=activate; object=lights`.
pub(crate) fn render_fields(fields: impl Iterator<Item = (String, String)>) -> String {
    fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_as_answers_do() {
        let classes = Labels::Classes(vec!["no".into(), "yes".into()]);
        assert_eq!(classes.render(&Target::Class(1)), "yes");
        assert_eq!(classes.render(&Target::Class(7)), "");
        let head = |name: &str, labels: [&str; 2]| HeadLabels {
            name: name.into(),
            labels: labels.map(str::to_owned).into(),
        };
        let heads = Labels::Heads(vec![head("drink", ["latte", "tea"]), head("size", ["large", "none"])]);
        assert_eq!(heads.render(&Target::Classes(vec![1, 1])), "drink=tea; size=none");
        assert_eq!(heads.outputs(), 4);
        let pair = |name: &str, label: &str| (name.to_owned(), label.to_owned());
        assert_eq!(heads.parts("drink=tea; size=none"), [pair("drink", "tea"), pair("size", "none")]);
        assert_eq!(heads.parts("drink=milk; size=none"), []);
        let odd = Labels::Heads(vec![head("a", ["x; b", "x"]), head("b", ["y; c=z", "y"])]);
        assert_eq!(odd.parts("a=x; b=y; c=z"), [pair("a", "x"), pair("b", "y; c=z")]);
        assert_eq!(odd.parts("a=x; b; b=y"), [pair("a", "x; b"), pair("b", "y")]);
    }

    #[test]
    fn labels_survive_a_round_trip_through_json() {
        let labels = Labels::Classes(vec!["no".into(), "yes".into()]);
        let text = serde_json::to_string(&labels).unwrap();
        assert_eq!(text, r#"{"classes":["no","yes"]}"#);
        assert_eq!(serde_json::from_str::<Labels>(&text).unwrap(), labels);
    }
}
