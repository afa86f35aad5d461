//! A hub with a few files, a cache, and what a download leaves behind.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sure_hub::test_hub::TestHub;
use sure_hub::{
    Check, Downloads, Fetched, Hub, HubConfig, HubError, Kind, ModelFile, Repository, Retries, Timeouts,
    Token, Watch,
};

/// The length of the large file of the model: several blocks, and no round number.
pub(crate) const LARGE: usize = 300_007;
/// The token that every test with one uses, so that it can be looked for.
pub(crate) const SECRET: &str = "hf_ThisMustNeverBeSeen";

/// A hub with a model, and an empty cache.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) hub: TestHub,
}

/// Bytes that repeat nowhere soon.
pub(crate) fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = TestHub::start(&folder.path().join("served"), 10_000).unwrap();
        let world = Self { folder, hub };
        world.serve("models/o/m/config.json", b"{\"model_type\": \"x\"}");
        world.serve("models/o/m/vocab.json", b"{}");
        world.serve("models/o/m/model.safetensors", &noise(LARGE, 1));
        world
    }

    pub(crate) fn serve(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.path().join("served").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub(crate) fn config(&self) -> HubConfig {
        HubConfig {
            endpoint: self.hub.url(),
            timeouts: Timeouts {
                connect: Duration::from_secs(2),
                answer: Duration::from_secs(2),
                read: Duration::from_millis(700),
            },
            retries: Retries {
                barren: 4,
                wrong: 2,
                first_wait: Duration::from_millis(2),
                longest_wait: Duration::from_millis(20),
            },
            proxy: false,
            mirror: None,
            ..HubConfig::new(self.cache())
        }
    }

    pub(crate) fn signed(&self) -> HubConfig {
        HubConfig { token: Token::new(SECRET), ..self.config() }
    }

    pub(crate) fn downloads(&self, update: bool) -> Downloads {
        Downloads::new(self.folder.path().join("home/downloads.lock.json"), update)
    }

    /// Downloads the model as the program does.
    pub(crate) fn get(&self, config: HubConfig, id: &str) -> (Result<Vec<ModelFile>, HubError>, Notes) {
        self.get_with(config, id, false)
    }

    pub(crate) fn get_with(
        &self,
        config: HubConfig,
        id: &str,
        update: bool,
    ) -> (Result<Vec<ModelFile>, HubError>, Notes) {
        let notes = Notes::default();
        let mut files = Vec::new();
        let get = || -> Result<(), HubError> {
            let hub = Hub::new(config)?;
            let repository = Repository::parse(Kind::Model, id)?;
            let downloads = self.downloads(update);
            let plan = hub.plan_model(&repository, &downloads, &notes)?;
            hub.fetch_model(&plan, &|_| Check::default(), &downloads, &notes, &mut |file| files.push(file))
        };
        (get().map(|()| files), notes)
    }

    /// One file alone, as a part of the commit that the hub has now.
    pub(crate) fn get_file(
        &self,
        config: HubConfig,
        file: &str,
        check: &Check,
    ) -> (Result<Fetched, HubError>, Notes) {
        let notes = Notes::default();
        let commit = self.hub.commit("models/o/m").unwrap();
        let repository = Repository::parse(Kind::Model, "o/m").unwrap();
        let fetched = Hub::new(config).and_then(|hub| hub.file(&repository, &commit, file, check, &notes));
        (fetched, notes)
    }

    /// Every file of the cache with a final name: what it holds must be what the hub has.
    pub(crate) fn assert_only_true_files(&self) {
        let blobs = files(&self.cache()).into_iter().filter(|path| path.parent().unwrap().ends_with("blobs"));
        for path in blobs.filter(|path| !path.to_string_lossy().ends_with(".incomplete")) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let found = if name.len() == 64 {
                sure_hub::sum(&path).unwrap().sha256
            } else {
                sure_hub::git_id(&path).unwrap()
            };
            assert_eq!(found, name, "{} is not what it is called", path.display());
        }
    }

    /// A file of the model, as the cache has it by its branch.
    pub(crate) fn cached(&self, file: &str) -> Option<PathBuf> {
        let hub = Hub::new(self.config()).unwrap();
        hub.cached_file(&Repository::parse(Kind::Model, "o/m").unwrap(), file).unwrap()
    }

    pub(crate) fn partials(&self) -> Vec<PathBuf> {
        let is_partial = |path: &PathBuf| path.to_string_lossy().ends_with(".incomplete");
        files(self.folder.path()).into_iter().filter(is_partial).collect()
    }
}

/// The model's large file.
pub(crate) fn large() -> Vec<u8> {
    noise(LARGE, 1)
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What was said.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) said: RefCell<Vec<String>>,
    pub(crate) begun: RefCell<Vec<(String, u64)>>,
    /// Stop once so many bytes of a file are there.
    pub(crate) stop_at: Option<u64>,
    stopped: RefCell<bool>,
}

impl Notes {
    pub(crate) fn text(&self) -> String {
        self.said.borrow().join("\n")
    }

    pub(crate) fn stopping_at(bytes: u64) -> Self {
        Self { stop_at: Some(bytes), ..Self::default() }
    }
}

impl Watch for Notes {
    fn begins(&self, file: &str, have: u64, _size: Option<u64>) {
        self.begun.borrow_mut().push((file.to_owned(), have));
    }

    fn has(&self, _file: &str, have: u64) {
        if self.stop_at.is_some_and(|at| have >= at) {
            *self.stopped.borrow_mut() = true;
        }
    }

    fn says(&self, text: &str) {
        self.said.borrow_mut().push(text.to_owned());
    }

    fn stops(&self) -> bool {
        *self.stopped.borrow()
    }
}
