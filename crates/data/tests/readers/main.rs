//! Published data sets in the layouts of their owners, whole and damaged, each through `read_dataset`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]
#![expect(clippy::format_push_string, reason = "lists of a few lines; an allocation more does not matter")]

mod cards;
mod commands;
mod damage;
mod discovery;
mod emotion;
mod folder;
mod hub;
mod layouts;
mod shards;
mod speakers;
mod speech;
