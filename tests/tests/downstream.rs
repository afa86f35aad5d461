//! A crate outside the workspace builds, links and runs as its README says (`tests/downstream`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use conformance::golden;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

#[test]
fn a_crate_of_somebody_elses_builds_links_and_runs() {
    let (root, elsewhere) = (root(), tempfile::tempdir().unwrap());
    let (from, to) = (root.join("tests/downstream"), elsewhere.path().join("downstream"));
    fs::create_dir_all(to.join("src")).unwrap();
    for file in ["build.rs", "src/main.rs"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
    let manifest = manifest.replace("../../crates", &root.join("crates").display().to_string());
    fs::write(to.join("Cargo.toml"), manifest).unwrap();
    // The same versions as the workspace, so that nothing has to be fetched.
    fs::copy(root.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();

    let libtorch = std::env::var_os("LIBTORCH").map_or_else(|| root.join("libtorch"), PathBuf::from);
    let target = root.join("target/downstream");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--"])
        .arg(golden("speech/wav2vec2-base"))
        .current_dir(&to)
        .env("LIBTORCH", &libtorch)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("RUSTFLAGS")
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    assert!(said.contains("3072 of"), "two maps of three blocks, 8 x (32 + 32) each: {said}");
    assert!(said.contains("hidden states [1, 49, 32]"), "{said}");
}
