//! From a manifest to the labelled set of a task.

use std::collections::{BTreeMap, BTreeSet};

use sure_text::untag;

use crate::limit::stratified;
use crate::manifest::text;
use crate::truth::{Truth, Truths};
use crate::written::{RECOGNISED, TEXT};
use crate::{
    Applies, DataError, Example, HeadLabels, LabelledSet, Labels, Manifest, NONE, Reason, Refusal, Row,
    Split, Target, TaskCard, TaskInput, TaskKind, Written, target::render_fields, tokens,
};

/// A row that takes part in the task.
pub(crate) struct Labelled<'a> {
    pub(crate) row: &'a Row,
    pub(crate) truth: Truth,
    pub(crate) split: Split,
    /// What is read in the place of the recording.
    pub(crate) written: Option<Written>,
}

impl Labelled<'_> {
    fn fields(&self) -> Option<&BTreeMap<String, String>> {
        match &self.truth {
            Truth::Fields(fields) => Some(fields),
            Truth::Label(_) | Truth::Text(_) => None,
        }
    }
}

/// A row with its right answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference<'a> {
    /// The row.
    pub row: &'a Row,
    /// The answer, as text.
    pub reference: String,
    /// The text that is read in the place of the recording, where one is.
    pub written: Option<Written>,
}

impl TaskCard {
    /// Whether the data set has this task. A set without the keys, with one class or without a split does not have it;
    /// nothing is wrong with such a set.
    ///
    /// # Errors
    ///
    /// What is wrong with a set that does have the task: [`DataError::UnknownSplit`], [`DataError::UnknownLabel`],
    /// [`DataError::UnknownTokens`], [`DataError::BadValue`].
    pub fn applies(&self, manifest: &Manifest) -> Result<Applies, DataError> {
        match self.select(manifest, None) {
            Ok(_) => Ok(Applies::Yes),
            Err(DataError::Refused(refusal)) => Ok(Applies::No(refusal)),
            Err(error) => Err(error),
        }
    }

    /// The rows of the manifest that have this task's label and split, at most `limit` in each split: the classes in
    /// their proportions, chosen by the ids alone.
    ///
    /// # Errors
    ///
    /// [`DataError::Refused`] where the set does not have the task, and the errors of [`TaskCard::applies`].
    pub fn select(&self, manifest: &Manifest, limit: Option<usize>) -> Result<LabelledSet, DataError> {
        if limit == Some(0) {
            return Err(DataError::ZeroLimit);
        }
        let mut truths = Truths::new(self);
        let rows = self.labelled(manifest, &mut truths)?;
        let mut notes = truths.notes();
        let (labels, targets) = match self.kind {
            TaskKind::SequenceClassification => self.classes(manifest, &rows)?,
            TaskKind::JointClassification => self.heads(manifest, &rows)?,
            TaskKind::Characters | TaskKind::Phones | TaskKind::Slots => {
                tokens::label(self, manifest, &rows, &mut notes)?
            }
            TaskKind::Tags => self.tags(manifest, &rows)?,
        };
        let mut splits: [Vec<Example>; 3] = Default::default();
        for (Labelled { row, split, written, .. }, target) in rows.iter().zip(targets) {
            splits[*split as usize].push(Example {
                id: row.id.clone(),
                audio: row.audio.clone(),
                written: written.clone(),
                target,
                speaker: text(&manifest.path, row.line, &row.fields, "speaker")?,
            });
        }
        let classes = labels.classes().map_or(1, <[String]>::len);
        let [train, valid, test] = splits.map(|mut examples| {
            // The order of a manifest's lines must not move a number.
            examples.sort_by(|left, right| left.id.cmp(&right.id));
            match limit {
                Some(limit) => stratified(examples, classes, limit),
                None => examples,
            }
        });
        let skipped = manifest.rows.len() - rows.len();
        let (task, set) = (self.name.clone(), manifest.name.clone());
        Ok(LabelledSet { task, set, labels, train, valid, test, skipped, notes })
    }

    /// The rows that a model with these labels can be scored on, with the right answers as text: those of the test split,
    /// or all where no row has a split. The notes say in words what was left out or guessed.
    ///
    /// # Errors
    ///
    /// [`DataError::BadValue`], [`DataError::BadLine`].
    pub fn references<'a>(
        &self,
        manifest: &'a Manifest,
        labels: &Labels,
    ) -> Result<(Vec<Reference<'a>>, Vec<String>), DataError> {
        let mut truths = Truths::new(self);
        let has_splits = manifest.rows.iter().any(|row| row.fields.contains_key(&self.split));
        let mut references = Vec::new();
        for row in &manifest.rows {
            let split = text(&manifest.path, row.line, &row.fields, &self.split)?;
            if has_splits && split.as_deref().and_then(Split::parse) != Some(Split::Test) {
                continue;
            }
            let Some(truth) = truths.of(manifest, row)? else { continue };
            let written = self.written(&row.fields, &truth, Split::Test);
            if written.is_none() && self.input != TaskInput::Speech {
                continue;
            }
            let reference = match truth {
                Truth::Label(text) | Truth::Text(text) => text,
                Truth::Fields(fields) => {
                    let Labels::Heads(heads) = labels else { continue };
                    let value = |head: &HeadLabels| fields.get(&head.name).map_or(NONE, String::as_str);
                    let part = |head: &HeadLabels| (head.name.clone(), value(head).to_owned());
                    render_fields(heads.iter().map(part))
                }
            };
            references.push(Reference { row, reference, written });
        }
        let mut notes = truths.notes();
        let strange: Vec<&Reference<'_>> =
            references.iter().filter(|row| !can_say(labels, &row.reference)).collect();
        if let Some(first) = strange.first() {
            notes.push(format!(
                "{} of {} right answers hold what the run cannot say, as {} ({})",
                strange.len(),
                references.len(),
                first.row.id,
                first.reference
            ));
        }
        Ok((references, notes))
    }

    fn refuse(&self, manifest: &Manifest, reason: Reason) -> DataError {
        DataError::Refused(Refusal { task: self.name.clone(), set: manifest.name.clone(), reason })
    }

    fn labelled<'a>(
        &self,
        manifest: &'a Manifest,
        truths: &mut Truths<'_>,
    ) -> Result<Vec<Labelled<'a>>, DataError> {
        let has = |key: &String| {
            manifest.rows.iter().any(|row| row.fields.get(key).is_some_and(|value| !value.is_null()))
        };
        if !has(&self.label) && !self.fallback.as_ref().is_some_and(has) {
            let fallback = self.fallback.as_ref().map(|key| format!("` or `{key}")).unwrap_or_default();
            let key = format!("{}{fallback}", self.label);
            return Err(self.refuse(manifest, Reason::NoSuchKey { key }));
        }
        if !has(&self.split) {
            return Err(self.refuse(manifest, Reason::NoSuchKey { key: self.split.clone() }));
        }
        for key in [TEXT, RECOGNISED].map(str::to_owned) {
            if Split::ALL.iter().any(|split| self.input.key(*split) == Some(&key)) && !has(&key) {
                return Err(self.refuse(manifest, Reason::NoSuchKey { key }));
            }
        }
        let mut rows = Vec::new();
        for row in &manifest.rows {
            let Some(split) = text(&manifest.path, row.line, &row.fields, &self.split)? else { continue };
            let Some(truth) = truths.of(manifest, row)? else { continue };
            let split = Split::parse(&split).ok_or_else(|| DataError::UnknownSplit {
                path: manifest.path.clone(),
                line: row.line,
                key: self.split.clone(),
                value: split,
            })?;
            let written = self.written(&row.fields, &truth, split);
            if written.is_none() && self.input != TaskInput::Speech {
                continue;
            }
            rows.push(Labelled { row, truth, split, written });
        }
        if rows.is_empty() && matches!(self.kind, TaskKind::Slots | TaskKind::Tags) {
            let reason = Reason::NoSuchForm { key: self.label.clone(), wanted: truths.wanted() };
            return Err(self.refuse(manifest, reason));
        }
        for split in Split::ALL {
            if !rows.iter().any(|row| row.split == split) {
                return Err(self.refuse(manifest, Reason::MissingSplit { split, key: self.split.clone() }));
            }
        }
        Ok(rows)
    }

    fn classes(
        &self,
        manifest: &Manifest,
        rows: &[Labelled<'_>],
    ) -> Result<(Labels, Vec<Target>), DataError> {
        let label = |row: &Labelled<'_>| match &row.truth {
            Truth::Label(label) => label.clone(),
            Truth::Fields(_) | Truth::Text(_) => String::new(),
        };
        let labels = self.number(manifest, rows, &label)?;
        if let [label] = &labels[..] {
            return Err(self.refuse(manifest, Reason::OneClass { label: label.clone() }));
        }
        let numbers = numbers(&labels);
        let targets = rows.iter().map(|row| Target::Class(numbers[label(row).as_str()])).collect();
        Ok((Labels::Classes(labels), targets))
    }

    fn heads(&self, manifest: &Manifest, rows: &[Labelled<'_>]) -> Result<(Labels, Vec<Target>), DataError> {
        let there: BTreeSet<String> =
            rows.iter().filter_map(Labelled::fields).flat_map(BTreeMap::keys).cloned().collect();
        let names: Vec<String> =
            if self.heads.is_empty() { there.iter().cloned().collect() } else { self.heads.clone() };
        if let Some(name) = names.iter().find(|name| !there.contains(*name)) {
            return Err(DataError::NoSuchHead {
                task: self.name.clone(),
                set: manifest.name.clone(),
                head: name.clone(),
                known: there.into_iter().collect(),
            });
        }
        let mut heads = Vec::new();
        let mut targets: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
        for name in names {
            let value = |row: &Labelled<'_>| {
                row.fields().and_then(|fields| fields.get(&name)).map_or(NONE, String::as_str).to_owned()
            };
            let labels = self.number(manifest, rows, &value)?;
            // What is the same everywhere is nothing to learn, unless it was asked for.
            if labels.len() < 2 && self.heads.is_empty() {
                continue;
            }
            let numbers = numbers(&labels);
            for (target, row) in targets.iter_mut().zip(rows) {
                target.push(numbers[value(row).as_str()]);
            }
            heads.push(HeadLabels { name, labels });
        }
        if heads.iter().all(|head| head.labels.len() < 2) {
            return Err(self.refuse(manifest, Reason::OneClass { label: self.label.clone() }));
        }
        Ok((Labels::Heads(heads), targets.into_iter().map(Target::Classes).collect()))
    }

    /// The kinds of slots in the training rows, sorted, and the texts with their tags as targets. A kind that no training
    /// row has cannot be learnt, and is only ever missed.
    fn tags(&self, manifest: &Manifest, rows: &[Labelled<'_>]) -> Result<(Labels, Vec<Target>), DataError> {
        let tagged = |row: &Labelled<'_>| match &row.truth {
            Truth::Text(text) => text.clone(),
            Truth::Label(_) | Truth::Fields(_) => String::new(),
        };
        let training = rows.iter().filter(|row| row.split == Split::Train);
        let kinds: BTreeSet<String> =
            training.flat_map(|row| untag(&tagged(row)).slots).map(|slot| slot.kind).collect();
        if kinds.is_empty() {
            let reason = Reason::NoSuchForm { key: self.label.clone(), wanted: "more than an empty list" };
            return Err(self.refuse(manifest, reason));
        }
        let targets = rows.iter().map(|row| Target::Text(tagged(row))).collect();
        Ok((Labels::Slots(kinds.into_iter().collect()), targets))
    }

    /// The labels of the training rows: in the card's order where it has one, else sorted.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownLabel`] where another row has a label that none of them has.
    fn number(
        &self,
        manifest: &Manifest,
        rows: &[Labelled<'_>],
        label: &dyn Fn(&Labelled<'_>) -> String,
    ) -> Result<Vec<String>, DataError> {
        let training = rows.iter().filter(|row| row.split == Split::Train);
        let mut labels: Vec<String> = training.map(label).collect::<BTreeSet<_>>().into_iter().collect();
        if !self.labels.is_empty() {
            let distinct: BTreeSet<&String> = self.labels.iter().collect();
            let stranger = labels.iter().find(|label| !distinct.contains(label));
            if distinct.len() < self.labels.len() || stranger.is_some() {
                let (task, set, label) = (self.name.clone(), manifest.name.clone(), stranger.cloned());
                return Err(DataError::LabelOrder { task, set, label });
            }
            labels.clone_from(&self.labels);
        }
        for split in [Split::Valid, Split::Test] {
            let strangers: Vec<String> = rows
                .iter()
                .filter(|row| row.split == split && !labels.contains(&label(row)))
                .map(|row| format!("{} ({})", row.row.id, label(row)))
                .collect();
            if !strangers.is_empty() {
                return Err(DataError::UnknownLabel {
                    set: manifest.name.clone(),
                    task: self.name.clone(),
                    split,
                    count: strangers.len(),
                    examples: strangers.into_iter().take(3).collect(),
                });
            }
        }
        Ok(labels)
    }
}

/// Whether an answer with these labels can be this text.
fn can_say(labels: &Labels, reference: &str) -> bool {
    match labels {
        Labels::Classes(classes) => classes.iter().any(|class| class == reference),
        Labels::Heads(_) => !labels.parts(reference).is_empty(),
        Labels::Tokens(alphabet) => alphabet.encode(reference).unknown == 0,
        Labels::Slots(kinds) => untag(reference).slots.iter().all(|slot| kinds.contains(&slot.kind)),
    }
}

fn numbers(labels: &[String]) -> BTreeMap<&str, usize> {
    labels.iter().enumerate().map(|(number, label)| (label.as_str(), number)).collect()
}
