//! `setup`: finds libtorch or stages one, and links it into the checkout.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::exit::Stop;
use crate::libtorch::folder::{self, Libtorch};
use crate::libtorch::store::{self, Store};
use crate::libtorch::wheels::{self, Sources};
use crate::libtorch::{VERSION, archive, python};
use crate::workspace::Workspace;

/// What the user asks of `setup`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Request {
    /// Stage a libtorch that can compute on CUDA.
    #[arg(long)]
    pub(crate) cuda: bool,
    /// Use this libtorch folder (with lib/ and include/), and look nowhere else.
    #[arg(long, value_name = "DIR")]
    pub(crate) libtorch: Option<PathBuf>,
    /// Download nothing.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Stage this official archive, and look nowhere else.
    #[arg(long, value_name = "URL|FILE", conflicts_with = "libtorch")]
    pub(crate) archive: Option<String>,
    /// Stage the three wheels in this folder, and look nowhere else.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["libtorch", "archive", "cuda"])]
    pub(crate) wheels: Option<PathBuf>,
}

/// `cargo xtask setup`.
pub(crate) fn run(workspace: &Workspace, request: &Request) -> Result<()> {
    let found = ensure(workspace, request)?;
    println!("{found} is ready");
    Ok(())
}

/// What every verb that builds calls first: quick where libtorch is there, one line and `setup` where it is not.
pub(crate) fn ensure_quietly(workspace: &Workspace) -> Result<()> {
    let request = Request::default();
    if folder::inspect(&workspace.libtorch()).is_err() {
        eprintln!("libtorch is not set up in this checkout: doing it now (once; `cargo xtask setup --help`)");
    }
    ensure(workspace, &request).map(drop)
}

/// Finds or stages libtorch, links it, and says what it is.
fn ensure(workspace: &Workspace, request: &Request) -> Result<Libtorch> {
    let variable = std::env::var_os("LIBTORCH");
    if let Some(dir) = request.libtorch.clone().or_else(|| named_by_variable(variable.as_deref(), workspace))
    {
        return use_named(workspace, &dir, request.cuda);
    }
    let python_alone = request.archive.is_none()
        && request.wheels.is_none()
        && std::env::var_os("LIBTORCH_USE_PYTORCH").is_some_and(|value| !value.is_empty());
    if !python_alone
        && let Ok(found) = folder::inspect(&workspace.libtorch())
        && (found.cuda || !request.cuda)
    {
        return Ok(found);
    }
    let store = Store::here()?;
    let _lock = store.lock()?;
    let flavour = if request.cuda { "cuda" } else { "cpu" };
    let staged = store.staged(flavour);
    if !python_alone && folder::inspect(&staged).is_ok() {
        return link(workspace, &staged);
    }
    if let Some(source) = &request.archive {
        let found = archive::stage(&store, source, request.cuda)?;
        return link(workspace, &found.dir);
    }
    if request.wheels.is_none()
        && let Some(found) = from_python(&store, request.cuda, python_alone)?
    {
        return link(workspace, &found.dir);
    }
    let found = stage(&store, request)?;
    link(workspace, &found.dir)
}

/// The value of `LIBTORCH`, unless it is the link that cargo's `[env]` table puts there for every child.
pub(crate) fn named_by_variable(value: Option<&OsStr>, workspace: &Workspace) -> Option<PathBuf> {
    let dir = PathBuf::from(value.filter(|value| !value.is_empty())?);
    (dir != workspace.libtorch() && dir != Path::new("libtorch")).then_some(dir)
}

fn use_named(workspace: &Workspace, dir: &Path, cuda: bool) -> Result<Libtorch> {
    let dir = std::path::absolute(dir)?;
    let found = folder::inspect_contents(&dir)
        .map_err(|fault| Stop::Missing(format!("the libtorch that was named cannot be used: {fault}")))?;
    if cuda && !found.cuda {
        return Err(Stop::Missing(format!("{} has no libtorch_cuda", dir.display())).into());
    }
    if found.dir == workspace.libtorch().canonicalize().unwrap_or_default() {
        return Ok(found);
    }
    if folder::inspect(&found.dir).is_ok() {
        return link(workspace, &found.dir);
    }
    // It lacks its `build-version`: a small folder of the store stands for it.
    let store = Store::here()?;
    let _lock = store.lock()?;
    link(workspace, &store.stand_for(&found.dir)?.dir)
}

fn from_python(store: &Store, cuda: bool, demanded: bool) -> Result<Option<Libtorch>> {
    let trouble = match python::torch() {
        Some((_, Ok(found))) if found.cuda || !cuda => return store.stand_for(&found.dir).map(Some),
        Some((dir, Ok(_))) => format!("Python's torch in {} has no CUDA", dir.display()),
        Some((_, Err(fault))) => format!("Python's torch cannot be used: {fault}"),
        None if demanded => "python3 has no torch".to_owned(),
        None => return Ok(None),
    };
    if demanded {
        return Err(Stop::Missing(format!("LIBTORCH_USE_PYTORCH is set, but {trouble}")).into());
    }
    eprintln!("{trouble}; looking further");
    Ok(None)
}

/// Downloads: the official archive first, the registry's wheels where that is out of reach.
fn stage(store: &Store, request: &Request) -> Result<Libtorch> {
    let wheels_alone = request.wheels.is_some() || request.offline;
    if !wheels_alone && cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        match archive::stage(store, &archive::url(request.cuda), request.cuda) {
            Ok(found) => return Ok(found),
            Err(error) => eprintln!("the official archive is out of reach ({error:#}); taking the wheels"),
        }
    }
    if request.cuda {
        if request.offline {
            return Err(Stop::Missing(format!(
                "--offline: bring a libtorch {VERSION} for CUDA with --libtorch DIR or --archive FILE"
            ))
            .into());
        }
        return python::stage_cuda(store);
    }
    wheels::stage(store, &Sources { folder: request.wheels.as_deref(), offline: request.offline })
}

fn link(workspace: &Workspace, dir: &Path) -> Result<Libtorch> {
    store::link(workspace.root(), dir)?;
    folder::inspect(&workspace.libtorch()).map_err(|fault| Stop::Failed(fault.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_cargo_sets_does_not_count_as_the_users() {
        let workspace = Workspace::here();
        let named = |value: &str| named_by_variable(Some(OsStr::new(value)), &workspace);
        assert_eq!(named(&workspace.libtorch().display().to_string()), None);
        assert_eq!(named(""), None);
        assert_eq!(named("/opt/libtorch"), Some(PathBuf::from("/opt/libtorch")));
        assert_eq!(named_by_variable(None, &workspace), None);
    }
}
