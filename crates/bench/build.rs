//! Gives `sure` an absolute run path to the libtorch that it was linked with, which holds in any target folder.

use std::path::{Path, absolute};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let unix = std::env::var_os("CARGO_CFG_UNIX").is_some();
    let dir = std::env::var_os("LIBTORCH").and_then(|dir| absolute(Path::new(&dir).join("lib")).ok());
    if let Some(dir) = dir.filter(|_| unix) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", dir.display());
    }
}
