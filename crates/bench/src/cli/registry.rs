//! `methods`, `tasks`, `backbones`, `metrics`, `suites`, `datasets`: what there is.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use sure_data::DatasetCard;
use sure_hub::ModelCard;
use sure_metrics::METRICS;
use sure_zoo::FAMILIES;

use super::{
    Ended,
    common::{say, say_json},
};
use crate::{embedded, presets};

/// A list of cards.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print the whole cards as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn methods(&self) -> Result<Ended> {
        let card = |name: &str| Ok((name.to_owned(), presets::method(name)?));
        let cards = presets::methods().into_iter().map(card).collect::<Result<Vec<_>>>()?;
        let row = |(name, card): (String, presets::MethodPreset)| {
            let mut value = serde_json::to_value(&card)?;
            value["name"] = Value::String(name.clone());
            Ok((name, card.summary, value))
        };
        self.print(cards.into_iter().map(row).collect::<Result<_>>()?)
    }

    pub(super) fn tasks(&self) -> Result<Ended> {
        let row = |name: &str| {
            let card = presets::task(name)?;
            let line =
                format!("{} (label `{}`, split `{}`, {})", card.title, card.label, card.split, card.metric);
            Ok((name.to_owned(), line, serde_json::to_value(&card)?))
        };
        self.print(presets::tasks().into_iter().map(row).collect::<Result<_>>()?)
    }

    pub(super) fn backbones(&self) -> Result<Ended> {
        let row = |family: &&sure_zoo::Family| {
            let value = json!({"name": family.model_type, "summary": family.summary});
            (family.model_type.to_owned(), family.summary.to_owned(), value)
        };
        let value = json!({"name": embedded::BACKBONE, "summary": embedded::SUMMARY});
        let checkpoint = (embedded::BACKBONE.to_owned(), embedded::SUMMARY.to_owned(), value);
        let card = |card: &ModelCard| {
            let mut value = serde_json::to_value(card)?;
            value["name"] = Value::String(card.id.clone());
            value["summary"] = Value::String(card.title.clone());
            Ok((card.id.clone(), format!("{} ({}; {})", card.title, card.family, card.licence), value))
        };
        let cards = ModelCard::all()?.iter().map(card).collect::<Result<Vec<_>>>()?;
        self.print(FAMILIES.iter().map(row).chain([checkpoint]).chain(cards).collect())
    }

    pub(super) fn metrics(&self) -> Result<Ended> {
        let row = |metric: &&dyn sure_metrics::Metric| {
            let info = metric.info();
            Ok((info.name.to_string(), info.summary.to_string(), serde_json::to_value(info)?))
        };
        self.print(METRICS.iter().map(row).collect::<Result<_>>()?)
    }

    pub(super) fn suites(&self) -> Result<Ended> {
        let row = |name: &str| {
            let suite = presets::suite(name)?;
            let profiles: Vec<_> = suite.profiles.keys().map(String::as_str).collect();
            let line =
                format!("{}, version {} (profiles: {})", suite.title, suite.version, profiles.join(", "));
            Ok((name.to_owned(), line, serde_json::to_value(&suite)?))
        };
        self.print(presets::suites().into_iter().map(row).collect::<Result<_>>()?)
    }

    pub(super) fn datasets(&self) -> Result<Ended> {
        let row = |card: &DatasetCard| {
            let tasks: Vec<&str> = card.tasks.keys().map(String::as_str).collect();
            let line = format!("{} ({}; {})", card.title, tasks.join(", "), card.licence);
            Ok((card.name.clone(), line, serde_json::to_value(card)?))
        };
        self.print(DatasetCard::all()?.iter().map(row).collect::<Result<_>>()?)
    }

    fn print(&self, rows: Vec<(String, String, Value)>) -> Result<Ended> {
        if self.json {
            say_json(&rows.into_iter().map(|(_, _, value)| value).collect::<Vec<_>>())?;
        } else {
            let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default().max(20);
            for (name, line, _) in rows {
                say(&format!("{name:width$} {line}"));
            }
        }
        Ok(Ended::Done)
    }
}
