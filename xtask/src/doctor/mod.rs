//! `doctor`: what this machine lacks, and the mend.

mod look;
mod machine;

use anyhow::Result;
use serde_json::json;

use crate::cli;
use crate::exit::Stop;
use crate::forward;
use crate::workspace::Workspace;
use machine::Machine;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
    /// What to do where it is not `ok`.
    mend: Option<String>,
}

impl Check {
    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: true, detail: detail.into(), mend: None }
    }

    fn bad(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, ok: false, detail: detail.into(), mend: Some(mend.into()) }
    }
}

/// `cargo xtask doctor`; with `--run`, what `sure doctor` says of the run.
pub(crate) fn run(workspace: &Workspace, request: &cli::Doctor) -> Result<u8> {
    if let Some(run) = &request.run {
        let mut words: Vec<std::ffi::OsString> = vec!["doctor".into(), "--run".into(), run.into()];
        words.extend(request.json.then(|| "--json".into()));
        if request.device != cli::Device::Auto {
            words.extend(["--device".into(), request.device.to_string().into()]);
        }
        return forward::run(workspace, &words);
    }
    let checks = look::look(&Machine::here(workspace), request.device, request.cuda);
    let ok = checks.iter().all(|check| check.ok);
    if request.json {
        println!("{}", to_json(&checks));
    } else {
        checks.iter().for_each(print);
    }
    if ok {
        return Ok(0);
    }
    let bad: Vec<&str> = checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    Err(Stop::Missing(format!("this machine is not ready: {}", bad.join(", "))).into())
}

fn print(check: &Check) {
    println!("{:<4}  {:<18} {}", if check.ok { "ok" } else { "FAIL" }, check.name, check.detail);
    if let Some(mend) = &check.mend {
        println!("      {:<18} mend: {mend}", "");
    }
}

fn to_json(checks: &[Check]) -> serde_json::Value {
    let list: Vec<_> = checks
        .iter()
        .map(|Check { name, ok, detail, mend }| json!({"name": name, "ok": ok, "detail": detail, "mend": mend}))
        .collect();
    json!({"ok": checks.iter().all(|check| check.ok), "checks": list})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_promised_keys() {
        let checks = [Check::good("compiler", "c++"), Check::bad("libtorch", "none", "cargo xtask setup")];
        let value = to_json(&checks);
        assert_eq!(value["ok"], false);
        assert_eq!(
            value["checks"][0],
            json!({"name": "compiler", "ok": true, "detail": "c++", "mend": null})
        );
        assert_eq!(value["checks"][1]["mend"], "cargo xtask setup");
    }
}
