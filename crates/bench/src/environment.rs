//! What the environment says: the only place that reads environment variables.

use std::{
    env,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use sure_records::Provenance;

static STOP: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C ask running work to stop at its next safe point instead of killing the process.
pub fn listen_for_interrupts() {
    // A second handler cannot be installed; the first one serves.
    let _ = ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst));
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The folder for runs and caches: `$SURE_HOME`; inside a checkout `target/sure`; else the user's data folder.
pub fn sure_home() -> PathBuf {
    if let Some(home) = env::var_os("SURE_HOME").filter(|home| !home.is_empty()) {
        return PathBuf::from(home);
    }
    if let Some(target) = env::current_exe().ok().as_deref().and_then(target_folder) {
        return target.join("sure");
    }
    let data = env::var_os("XDG_DATA_HOME").filter(|data| !data.is_empty()).map(PathBuf::from);
    let home = || env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".local/share");
    data.unwrap_or_else(home).join("sure")
}

/// Where this program lies, and the current folder.
pub fn places() -> Vec<PathBuf> {
    [env::current_exe(), env::current_dir()].into_iter().flatten().collect()
}

/// The folder of the Hugging Face hub's cache: `$HF_HOME/hub`, by default `~/.cache/huggingface/hub`.
pub fn hub_cache() -> PathBuf {
    if let Some(home) = env::var_os("HF_HOME").filter(|home| !home.is_empty()) {
        return PathBuf::from(home).join("hub");
    }
    env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".cache/huggingface/hub")
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many characters a line of standard output may have: as many as the terminal is wide, or what a wide one has.
pub fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(160, |(width, _)| usize::from(width.0))
}

/// What computes the results of this process on `device`, as a cell names it.
pub fn provenance(device: &str) -> Provenance {
    let processor =
        if device.starts_with("cuda") { format!("{}, {}", accelerators(), processor()) } else { processor() };
    Provenance {
        sure: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env::var("SURE_COMMIT").ok().filter(|commit| !commit.is_empty()),
        libtorch: libtorch_version(),
        processor,
        os: format!("{} {}", env::consts::OS, env::consts::ARCH),
    }
}

/// The version of libtorch that tch was built for; another one would not have linked.
fn libtorch_version() -> String {
    "2.13.0".to_owned()
}

/// The models of the GPUs that NVIDIA's driver lists.
fn accelerators() -> String {
    let folders = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let mut models: Vec<String> = folders
        .filter_map(|folder| {
            let text = std::fs::read_to_string(folder.path().join("information")).ok()?;
            let model = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
            Some(model.trim().to_owned())
        })
        .collect();
    models.sort();
    models.dedup();
    if models.is_empty() { "a GPU".to_owned() } else { models.join(" and ") }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    model.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim()).to_owned()
}

/// `target` when the program lies in `target/debug`, `target/release` or their `deps`.
fn target_folder(program: &Path) -> Option<PathBuf> {
    let profile = program
        .ancestors()
        .skip(1)
        .find(|folder| folder.file_name().is_some_and(|name| name == "debug" || name == "release"))?;
    let target = profile.parent()?;
    target.join("CACHEDIR.TAG").is_file().then(|| target.to_owned())
}
