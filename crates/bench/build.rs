//! Compiles the presets in, and gives `sure` an absolute run path to the libtorch that it was linked with, which holds in
//! any target folder.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf, absolute},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let unix = env::var_os("CARGO_CFG_UNIX").is_some();
    let dir = env::var_os("LIBTORCH").and_then(|dir| absolute(Path::new(&dir).join("lib")).ok());
    if let Some(dir) = dir.filter(|_| unix) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", dir.display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?);
    fs::write(out.join("presets.rs"), presets()?)
}

/// Name and text of every preset: a file `presets/adapters/lora.toml` is the method `lora`.
fn presets() -> io::Result<String> {
    let mut text = String::new();
    for (constant, folder) in
        [("METHODS", "adapters"), ("TASKS", "tasks"), ("SUITES", "suites"), ("PUBLISHED", "published")]
    {
        let folder = absolute(Path::new("presets").join(folder))?;
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files: Vec<PathBuf> =
            fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        let _ = writeln!(text, "const {constant}: &[(&str, &str)] = &[");
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let _ = writeln!(text, "    ({name:?}, include_str!({:?})),", file.display().to_string());
        }
        text += "];\n";
    }
    Ok(text)
}
