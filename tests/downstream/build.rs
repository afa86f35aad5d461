//! Writes the place of libtorch into the program: a library cannot do that for the programs that use it.

use std::{
    env,
    path::{Path, absolute},
};

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let folder = env::var_os("LIBTORCH").and_then(|folder| absolute(Path::new(&folder).join("lib")).ok());
    if let Some(folder) = folder {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    }
}
