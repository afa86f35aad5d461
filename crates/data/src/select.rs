//! From a manifest to the labelled set of a task.

use std::collections::BTreeMap;

use crate::limit::stratified;
use crate::manifest::text;
use crate::{Applies, DataError, Example, LabelledSet, Manifest, Reason, Refusal, Row, Split, TaskCard};

/// A row that has both keys of the task.
struct Labelled<'a> {
    row: &'a Row,
    label: String,
    split: Split,
}

impl TaskCard {
    /// Whether the data set has this task. A set without the keys, with one class or without a split does not have it;
    /// nothing is wrong with such a set.
    ///
    /// # Errors
    ///
    /// What is wrong with a set that does have the task: [`DataError::UnknownSplit`], [`DataError::UnknownLabel`],
    /// [`DataError::BadValue`].
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
        let rows = self.labelled(manifest)?;
        let numbers = self.classes(manifest, &rows)?;
        self.check_labels(manifest, &rows, &numbers)?;
        let mut splits: [Vec<Example>; 3] = Default::default();
        for Labelled { row, label, split } in &rows {
            splits[*split as usize].push(Example {
                id: row.id.clone(),
                audio: row.audio.clone(),
                label: numbers[label],
                speaker: text(&manifest.path, row.line, &row.fields, "speaker")?,
            });
        }
        let [train, valid, test] = splits.map(|mut examples| {
            // The order of a manifest's lines must not move a number.
            examples.sort_by(|left, right| left.id.cmp(&right.id));
            match limit {
                Some(limit) => stratified(examples, numbers.len(), limit),
                None => examples,
            }
        });
        let skipped = manifest.rows.len() - rows.len();
        let (task, set) = (self.name.clone(), manifest.name.clone());
        Ok(LabelledSet { task, set, labels: numbers.into_keys().collect(), train, valid, test, skipped })
    }

    fn refuse(&self, manifest: &Manifest, reason: Reason) -> DataError {
        DataError::Refused(Refusal { task: self.name.clone(), set: manifest.name.clone(), reason })
    }

    fn labelled<'a>(&self, manifest: &'a Manifest) -> Result<Vec<Labelled<'a>>, DataError> {
        for key in [&self.label, &self.split] {
            if !manifest.rows.iter().any(|row| row.fields.get(key).is_some_and(|value| !value.is_null())) {
                return Err(self.refuse(manifest, Reason::NoSuchKey { key: key.clone() }));
            }
        }
        let mut rows = Vec::new();
        for row in &manifest.rows {
            let value = |key| text(&manifest.path, row.line, &row.fields, key);
            let (Some(label), Some(split)) = (value(&self.label)?, value(&self.split)?) else { continue };
            let split = Split::parse(&split).ok_or_else(|| DataError::UnknownSplit {
                path: manifest.path.clone(),
                line: row.line,
                key: self.split.clone(),
                value: split,
            })?;
            rows.push(Labelled { row, label, split });
        }
        for split in Split::ALL {
            if !rows.iter().any(|row| row.split == split) {
                return Err(self.refuse(manifest, Reason::MissingSplit { split, key: self.split.clone() }));
            }
        }
        Ok(rows)
    }

    /// The labels of the training rows with their numbers, in sorted order.
    fn classes(
        &self,
        manifest: &Manifest,
        rows: &[Labelled<'_>],
    ) -> Result<BTreeMap<String, usize>, DataError> {
        let training = rows.iter().filter(|row| row.split == Split::Train);
        let mut numbers: BTreeMap<String, usize> = training.map(|row| (row.label.clone(), 0)).collect();
        for (number, slot) in numbers.values_mut().enumerate() {
            *slot = number;
        }
        if numbers.len() < 2 {
            let label = numbers.into_keys().next().unwrap_or_default();
            return Err(self.refuse(manifest, Reason::OneClass { label }));
        }
        Ok(numbers)
    }

    fn check_labels(
        &self,
        manifest: &Manifest,
        rows: &[Labelled<'_>],
        numbers: &BTreeMap<String, usize>,
    ) -> Result<(), DataError> {
        for split in [Split::Valid, Split::Test] {
            let strangers: Vec<String> = rows
                .iter()
                .filter(|row| row.split == split && !numbers.contains_key(&row.label))
                .map(|row| format!("{} ({})", row.row.id, row.label))
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
        Ok(())
    }
}
