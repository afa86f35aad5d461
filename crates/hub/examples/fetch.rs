//! Brings a model into the hub's cache, and says where its files are:
//! `cargo run -p sure-hub --example fetch -- facebook/wav2vec2-base ~/.cache/huggingface/hub [https://hub.example]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use std::path::PathBuf;

use sure_hub::{Check, Downloads, Hub, HubConfig, HubError, Kind, Repository, Watch};

/// Says what happens on standard error.
struct Aloud;

impl Watch for Aloud {
    fn says(&self, text: &str) {
        eprintln!("{text}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(id), Some(cache)) = (words.next(), words.next()) else {
        return Err("usage: fetch OWNER/NAME[@REVISION] CACHE [ENDPOINT]".into());
    };
    let mut config = HubConfig::new(PathBuf::from(&cache));
    if let Some(endpoint) = words.next() {
        config.endpoint = endpoint;
    }
    let downloads = Downloads::new(PathBuf::from(cache).join("downloads.lock.json"), false);
    let fetched = fetch(&Hub::new(config)?, &id, &downloads);
    fetched.map_err(|error| error.chain().into())
}

fn fetch(hub: &Hub, id: &str, downloads: &Downloads) -> Result<(), HubError> {
    let repository = Repository::parse(Kind::Model, id)?;
    let plan = hub.plan_model(&repository, downloads, &Aloud)?;
    hub.fetch_model(&plan, &|_| Check::default(), downloads, &Aloud, &mut |file| {
        println!("{} {:>12} {}", file.sum.sha256, file.sum.bytes, file.path.display());
    })
}
