//! Presets: tasks, methods and suites as TOML, compiled in. A file below `presets/` is all there is to one: its name is
//! the name.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sure_adapters::AdapterConfig;
use sure_data::TaskCard;
use sure_records::Published;
use sure_train::Unfreeze;

use crate::suite::Suite;

// `METHODS`, `TASKS`, `SUITES`, `PUBLISHED`: name and text of every file below presets/, see build.rs.
include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A method: what is put into the backbone, and what of it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodPreset {
    /// One line for the registry.
    pub summary: String,
    /// Paper or origin.
    pub source: String,
    /// What of the backbone itself is trained.
    pub unfreeze: Unfreeze,
    /// The modules that are put into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterConfig>,
}

/// The names of all methods.
pub fn methods() -> Vec<&'static str> {
    METHODS.iter().map(|(name, _)| *name).collect()
}

/// The names of all tasks.
pub fn tasks() -> Vec<&'static str> {
    TASKS.iter().map(|(name, _)| *name).collect()
}

/// The names of all suites.
pub fn suites() -> Vec<&'static str> {
    SUITES.iter().map(|(name, _)| *name).collect()
}

/// The method called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn method(name: &str) -> Result<MethodPreset> {
    parse("method", METHODS, name)
}

/// The task called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn task(name: &str) -> Result<TaskCard> {
    parse("task", TASKS, name)
}

/// The suite called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn suite(name: &str) -> Result<Suite> {
    parse("suite", SUITES, name)
}

/// The figures that the authors of a suite reported; none where none are known.
///
/// # Errors
/// When the preset is damaged.
pub fn published(suite: &str) -> Result<Vec<Published>> {
    if !PUBLISHED.iter().any(|(name, _)| *name == suite) {
        return Ok(Vec::new());
    }
    Ok(parse::<Figures>("published figures", PUBLISHED, suite)?.figures)
}

/// A file below `presets/published/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    /// The suite, which is the file's name.
    #[expect(dead_code, reason = "it says what the file is about")]
    suite: String,
    figures: Vec<Published>,
}

fn parse<T: DeserializeOwned>(what: &str, all: &[(&str, &str)], name: &str) -> Result<T> {
    let Some((_, text)) = all.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        bail!("unknown {what} {name:?}; known: {}", known.join(", "));
    };
    toml::from_str(text).with_context(|| format!("preset of {what} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_parses_and_bears_its_own_name() {
        for name in methods() {
            method(name).unwrap();
        }
        for name in tasks() {
            let card = task(name).unwrap();
            assert_eq!(card.name, name);
            for metric in card.metrics() {
                sure_metrics::metric(metric).unwrap();
            }
        }
        for figure in published("sure").unwrap() {
            method(&figure.method).unwrap();
            task(&figure.task).unwrap();
            let higher = sure_metrics::metric(&figure.metric).unwrap().info().higher_is_better;
            assert!((0.0..=1.0).contains(&figure.value) && (figure.value > 0.3) == higher, "{figure:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = method("lorra").unwrap_err().to_string();
        assert!(error.contains("lorra") && error.contains("lora"), "{error}");
    }
}
