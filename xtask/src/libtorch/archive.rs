//! The official archive: libtorch with all it needs, as PyTorch's own site has it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::download::{self, Wanted};
use super::folder::Libtorch;
use super::store::Store;
use super::{VERSION, unpack};
use crate::exit::Stop;

/// The build of CUDA that the registry's torch has too.
const CUDA_BUILD: &str = "cu130";

/// The address of the archive for this machine.
pub(crate) fn url(cuda: bool) -> String {
    let build = if cuda { CUDA_BUILD } else { "cpu" };
    format!("https://download.pytorch.org/libtorch/{build}/libtorch-shared-with-deps-{VERSION}%2B{build}.zip")
}

/// Stages an archive, from its address or from a file. The caller holds the store's lock.
///
/// The site publishes no checksums: TLS, the archive's own CRCs and the check of the staged folder have to do.
pub(crate) fn stage(store: &Store, source: &str, cuda: bool) -> Result<Libtorch> {
    let flavour = if cuda { "cuda" } else { "cpu" };
    if !source.starts_with("http") {
        if !Path::new(source).is_file() {
            return Err(Stop::Missing(format!("there is no archive {source}")).into());
        }
        return store.stage(flavour, |next| fill(Path::new(source), next));
    }
    let file = store.downloads()?.join(format!("libtorch-{VERSION}-{flavour}.zip"));
    if !file.is_file() {
        download::fetch(&download::client(), &Wanted { url: source, sha256: None }, &file)?;
    }
    let staged = store.stage(flavour, |next| fill(&file, next));
    // An archive that could not be staged must not be taken for a good one the next time.
    std::fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    staged
}

fn fill(archive: &Path, next: &Path) -> Result<()> {
    unpack::unpack(archive, next, place).map(drop)
}

/// `libtorch/lib/x` to `lib/x`; tests and build files stay packed.
fn place(path: &Path) -> Option<PathBuf> {
    let inner = path.strip_prefix("libtorch").ok()?;
    (inner.starts_with("lib") || inner.starts_with("include")).then(|| inner.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_version_and_build() {
        assert_eq!(
            url(false),
            "https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-2.13.0%2Bcpu.zip"
        );
        assert!(url(true).ends_with("/cu130/libtorch-shared-with-deps-2.13.0%2Bcu130.zip"));
    }

    #[test]
    fn libraries_and_headers_are_taken() {
        assert_eq!(place(Path::new("libtorch/lib/libc10.so")), Some("lib/libc10.so".into()));
        assert_eq!(place(Path::new("libtorch/bin/test")), None);
        assert_eq!(place(Path::new("other/lib/libc10.so")), None);
    }
}
