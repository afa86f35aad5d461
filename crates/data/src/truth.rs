//! From the keys of a row to what is right for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sure_text::{Pronouncer, SlotSpan};

use crate::manifest::text;
use crate::written::TEXT;
use crate::{DataError, Manifest, Row, SlotTags, TaskCard, TaskKind};

/// The key of slots: a list of spans, or an object from names to values.
const SLOTS: &str = "slots";
/// At most so many words are named in a note.
const NAMED: usize = 5;

/// What is right for a row, before labels have numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Truth {
    Label(String),
    Fields(BTreeMap<String, String>),
    Text(String),
}

/// Reads the truth of rows, and remembers what should be said of it.
pub(crate) struct Truths<'a> {
    card: &'a TaskCard,
    /// Made when the first text is to be pronounced.
    pronouncer: Option<Pronouncer>,
    guessed: BTreeSet<String>,
    skipped: BTreeSet<String>,
    empty: usize,
}

impl<'a> Truths<'a> {
    pub(crate) fn new(card: &'a TaskCard) -> Self {
        Self { card, pronouncer: None, guessed: BTreeSet::new(), skipped: BTreeSet::new(), empty: 0 }
    }

    /// What the task's label must look like.
    pub(crate) fn wanted(&self) -> &'static str {
        match self.card.kind {
            TaskKind::SequenceClassification | TaskKind::Characters | TaskKind::Phones => "a text",
            TaskKind::JointClassification => "a text, or an object from names to texts",
            TaskKind::Slots | TaskKind::Tags => {
                "a list of [kind, start byte, end byte] beside the `text` that they are in"
            }
        }
    }

    /// `None` where the row does not take part.
    pub(crate) fn of(&mut self, manifest: &Manifest, row: &Row) -> Result<Option<Truth>, DataError> {
        let value = |key: &str| text(&manifest.path, row.line, &row.fields, key);
        let truth = match self.card.kind {
            TaskKind::SequenceClassification => value(&self.card.label)?.map(Truth::Label),
            TaskKind::JointClassification => {
                let fields = fields(manifest, row, &self.card.label)?;
                (!fields.is_empty()).then_some(Truth::Fields(fields))
            }
            TaskKind::Characters => value(&self.card.label)?.map(|text| self.normal(&text)),
            TaskKind::Phones => {
                if let Some(phones) = value(&self.card.label)? {
                    Some(Truth::Text(phones.split_whitespace().collect::<Vec<_>>().join(" ")))
                } else {
                    let words = self.card.fallback.as_deref().map(value).transpose()?.flatten();
                    words.map(|words| self.pronounced(&words))
                }
            }
            TaskKind::Slots | TaskKind::Tags => match (value(TEXT)?, spans(manifest, row, &self.card.label)?)
            {
                (Some(text), Some(spans)) => {
                    let bad = |source: sure_text::TextError| DataError::BadLine {
                        path: manifest.path.clone(),
                        line: row.line,
                        reason: source.to_string(),
                    };
                    Some(Truth::Text(self.tagged(&text, &spans).map_err(bad)?))
                }
                _ => None,
            },
        };
        // An empty text is read as none.
        let blank = |key: &str| {
            row.fields.get(key).and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
        };
        if truth.is_none() && self.card.kind.is_ctc() && (blank(&self.card.label) || blank(TEXT)) {
            self.empty += 1;
        }
        // CTC can learn an empty transcript, but a row without words is a mistake in every data set that has one.
        if truth == Some(Truth::Text(String::new())) {
            self.empty += 1;
            return Ok(None);
        }
        Ok(truth)
    }

    /// What should be said, in words.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.empty > 0 {
            notes.push(format!("{} rows have an empty transcript and are left out", self.empty));
        }
        for (words, what) in [
            (&self.guessed, "are not in the pronouncing dictionary, and their phones were guessed"),
            (
                &self.skipped,
                "have letters that are not Latin and no phones, and are left out of their transcripts",
            ),
        ] {
            if words.is_empty() {
                continue;
            }
            let named: Vec<&str> = words.iter().take(NAMED).map(String::as_str).collect();
            let more = if words.len() > NAMED { ", ..." } else { "" };
            notes.push(format!("{} words {what}: {}{more}", words.len(), named.join(", ")));
        }
        notes
    }

    fn normal(&self, text: &str) -> Truth {
        Truth::Text(self.card.normalizer.apply(text))
    }

    fn pronounced(&mut self, text: &str) -> Truth {
        let pronouncer = self.pronouncer.get_or_insert_with(Pronouncer::cmudict);
        let pronounced = pronouncer.pronounce(text);
        let text = pronounced.text();
        self.guessed.extend(pronounced.guessed);
        self.skipped.extend(pronounced.skipped);
        Truth::Text(text)
    }

    fn tagged(&self, text: &str, spans: &[SlotSpan]) -> Result<String, sure_text::TextError> {
        match self.card.tags {
            SlotTags::Spans => sure_text::tag_with(text, spans, |part| self.card.normalizer.apply(part)),
            SlotTags::Words => {
                // The spans are checked, whatever words look like tags.
                sure_text::tag_with(text, spans, |_| String::new())?;
                let target = sure_text::tag_reference(&words(text, spans));
                // Its doubled delimiters are single again once they are decoded.
                Ok(target.split_whitespace().filter(|piece| *piece != "|").collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// Each word of a text with the kind of the slot that it is in, or `O`.
fn words<'t>(text: &'t str, spans: &'t [SlotSpan]) -> Vec<(&'t str, &'t str)> {
    let kind = |word: &'t str| {
        // The word is a part of the text, so that it starts somewhere in it.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let inside = spans.iter().find(|span| (span.start..span.end).contains(&start));
        (word, inside.map_or("O", |span| span.kind.as_str()))
    };
    text.split_whitespace().map(kind).collect()
}

/// The texts that a joint classification may be about: those of the label's object and of the slots' object. A label that
/// is itself a text goes under the label's own key.
fn fields(manifest: &Manifest, row: &Row, label: &str) -> Result<BTreeMap<String, String>, DataError> {
    let mut fields = BTreeMap::new();
    for key in [SLOTS, label] {
        // A cell of a CSV file is text.
        let parsed = match row.fields.get(key) {
            Some(Value::String(text)) if text.trim_start().starts_with('{') => {
                serde_json::from_str(text).ok()
            }
            _ => None,
        };
        match parsed.as_ref().or_else(|| row.fields.get(key)) {
            Some(Value::Object(object)) => {
                for name in object.keys() {
                    if let Some(value) = text(&manifest.path, row.line, object, name)? {
                        fields.insert(name.clone(), value);
                    }
                }
            }
            // Spans say where something stands, not what the whole is about.
            _ if key == SLOTS => {}
            _ => {
                if let Some(value) = text(&manifest.path, row.line, &row.fields, key)? {
                    fields.insert(key.to_owned(), value);
                }
            }
        }
    }
    // The slots alone are no label.
    if row.fields.get(label).is_none_or(Value::is_null) {
        fields.clear();
    }
    Ok(fields)
}

/// The spans of a row; `None` where it has none in this form.
fn spans(manifest: &Manifest, row: &Row, key: &str) -> Result<Option<Vec<SlotSpan>>, DataError> {
    let parsed;
    let list = match row.fields.get(key) {
        Some(Value::Array(list)) => list,
        // A cell of a CSV file.
        Some(Value::String(text)) if text.trim_start().starts_with('[') => {
            parsed = serde_json::from_str::<Vec<Value>>(text).unwrap_or_else(|_| vec![Value::Null]);
            &parsed
        }
        _ => return Ok(None),
    };
    let span = |value: &Value| {
        let [kind, start, end] = value.as_array()?.as_slice() else { return None };
        Some(SlotSpan {
            kind: kind.as_str()?.to_owned(),
            start: usize::try_from(start.as_u64()?).ok()?,
            end: usize::try_from(end.as_u64()?).ok()?,
        })
    };
    let spans: Option<Vec<SlotSpan>> = list.iter().map(span).collect();
    spans.map(Some).ok_or_else(|| DataError::BadValue {
        path: manifest.path.clone(),
        line: row.line,
        key: key.to_owned(),
        expected: "a list of [kind, start byte, end byte]",
        found: row.fields.get(key).map(Value::to_string).unwrap_or_default(),
    })
}
