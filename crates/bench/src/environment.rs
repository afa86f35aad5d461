//! What the environment says: the only place that reads environment variables.

use std::{
    env,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result};
use sure_hub::{HubConfig, Token};
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

/// The folder of the Hugging Face hub's cache: `$HF_HUB_CACHE`, or `$HF_HOME/hub`, by default `~/.cache/huggingface/hub`.
pub fn hub_cache() -> PathBuf {
    path("HF_HUB_CACHE").unwrap_or_else(|| hub_home().join("hub"))
}

/// The folder of all that belongs to the Hugging Face hub.
fn hub_home() -> PathBuf {
    let cache = || path("XDG_CACHE_HOME").unwrap_or_else(|| path("HOME").unwrap_or_default().join(".cache"));
    path("HF_HOME").unwrap_or_else(|| cache().join("huggingface"))
}

/// How the hub is reached, with the variables that `huggingface_hub` has too: `HF_ENDPOINT`, `HF_TOKEN` or the file of
/// `hf auth login`, `HF_HUB_OFFLINE`; besides `SURE_MIRROR` and pip's `PIP_INDEX_URL`.
///
/// # Errors
/// When `HF_TOKEN` cannot be a token.
pub fn hub() -> Result<HubConfig> {
    let mut config = HubConfig::new(hub_cache());
    config.endpoint = text("HF_ENDPOINT").unwrap_or(config.endpoint);
    config.index = text("PIP_INDEX_URL").unwrap_or(config.index);
    config.mirror = text("SURE_MIRROR");
    config.offline = text("HF_HUB_OFFLINE")
        .is_some_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str()));
    config.token = if let Some(value) = text("HF_TOKEN") {
        Some(Token::new(&value).context("HF_TOKEN holds no token: it has letters that a token cannot have")?)
    } else {
        let file = path("HF_TOKEN_PATH").unwrap_or_else(|| hub_home().join("token"));
        std::fs::read_to_string(file).ok().as_deref().and_then(Token::new)
    };
    Ok(config)
}

/// The folder of data sets that were downloaded.
pub fn datasets() -> PathBuf {
    sure_home().join("datasets")
}

/// The folder of models that were downloaded from elsewhere than the hub.
pub fn models() -> PathBuf {
    sure_home().join("models")
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
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
