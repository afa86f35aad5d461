//! `layers`: the dependencies between our crates against the table in `layers.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::exit::Stop;
use crate::workspace::Workspace;

/// The packages of the workspace carry this prefix, which the table leaves out.
const PREFIX: &str = "sure-";
/// What stands for every crate of the workspace.
const ANY: &str = "*";

type Table = BTreeMap<String, Vec<String>>;

/// What may depend on what.
struct Rules {
    edges: Table,
    only: Table,
}

/// One dependency, as cargo tells it.
#[derive(Debug)]
struct Edge {
    from: String,
    to: String,
    /// Of the workspace, not from outside.
    ours: bool,
    /// Only for tests, examples and benches.
    dev: bool,
}

/// `cargo xtask layers`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let faults = check(workspace)?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!("{} dependencies against xtask/layers.toml", faults.len())).into())
}

fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(workspace.root().join("xtask/layers.toml"))
        .context("reading xtask/layers.toml")?;
    let rules = parse(&text)?;
    let (crates, edges) = dependencies(&workspace.metadata()?)?;
    let unknown = crates.iter().filter(|name| !rules.edges.contains_key(*name));
    let unknown = unknown.map(|name| format!("{name} is not in xtask/layers.toml"));
    Ok(unknown.chain(edges.iter().filter_map(|edge| rules.fault(edge))).collect())
}

fn parse(text: &str) -> Result<Rules> {
    let mut tables: BTreeMap<String, Table> = toml::from_str(text).context("parsing xtask/layers.toml")?;
    let mut take = |name: &str| tables.remove(name).with_context(|| format!("layers.toml lacks [{name}]"));
    Ok(Rules { edges: take("edges")?, only: take("only")? })
}

impl Rules {
    fn fault(&self, edge: &Edge) -> Option<String> {
        let Edge { from, to, ours, dev } = edge;
        if *ours {
            let below = self.edges.get(from)?;
            let allowed = *dev || below.iter().any(|name| name == to || name == ANY);
            return (!allowed).then(|| format!("{from} may not depend on {to}, only on {below:?}"));
        }
        let users = self.only.get(to)?;
        (!users.contains(from)).then(|| format!("{from} may not depend on {to}: only {users:?} may"))
    }
}

/// The crates of the workspace and all their dependencies, under their short names.
fn dependencies(metadata: &serde_json::Value) -> Result<(Vec<String>, Vec<Edge>)> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut crates = Vec::new();
    let mut edges = Vec::new();
    for package in packages {
        let from = short(package["name"].as_str().context("a package without a name")?);
        for dependency in package["dependencies"].as_array().context("a package without dependencies")? {
            let to = dependency["name"].as_str().context("a dependency without a name")?;
            edges.push(Edge {
                from: from.clone(),
                to: short(to),
                ours: dependency["path"].is_string(),
                dev: dependency["kind"] == "dev",
            });
        }
        crates.push(from);
    }
    Ok((crates, edges))
}

fn short(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_keeps_its_layers() {
        let faults = check(&Workspace::here()).unwrap();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    fn faults(metadata: &str) -> Vec<String> {
        let rules = parse("[edges]\nnn = []\nzoo = ['nn']\nbench = ['*']\n[only]\ntch = ['nn']\n").unwrap();
        let (_, edges) = dependencies(&serde_json::from_str(metadata).unwrap()).unwrap();
        edges.iter().filter_map(|edge| rules.fault(edge)).collect()
    }

    fn metadata(from: &str, to: &str, path: &str, kind: &str) -> String {
        format!(
            r#"{{"packages": [{{"name": "{from}", "dependencies": [{{"name": "{to}", "path": {path}, "kind": {kind}}}]}}]}}"#
        )
    }

    #[test]
    fn an_edge_that_goes_up_is_named() {
        let up = faults(&metadata("sure-nn", "sure-zoo", "\"/x\"", "null"));
        assert_eq!(up, ["nn may not depend on zoo, only on []"]);
        assert!(faults(&metadata("sure-nn", "sure-zoo", "\"/x\"", "\"dev\"")).is_empty());
        assert!(faults(&metadata("sure-zoo", "sure-nn", "\"/x\"", "null")).is_empty());
        assert!(faults(&metadata("sure-bench", "sure-nn", "\"/x\"", "null")).is_empty());
    }

    #[test]
    fn an_external_crate_stays_with_those_that_may_name_it() {
        assert_eq!(faults(&metadata("sure-zoo", "tch", "null", "\"dev\"")).len(), 1);
        assert!(faults(&metadata("sure-nn", "tch", "null", "null")).is_empty());
        assert!(faults(&metadata("sure-zoo", "serde", "null", "null")).is_empty());
    }
}
