//! What a hub may refuse, and what is said of it.

use std::fs;

use crate::world::{SECRET, World, files, large};
use sure_hub::test_hub::Access;
use sure_hub::{HubConfig, HubError, Token};

fn error(world: &World, config: HubConfig, id: &str) -> HubError {
    let (found, _) = world.get(config, id);
    world.assert_only_true_files();
    let error = found.unwrap_err();
    assert!(!error.chain().contains(SECRET), "{}", error.chain());
    error
}

fn set(name: &str) -> std::collections::BTreeSet<String> {
    std::iter::once(name.to_owned()).collect()
}

#[test]
fn a_gated_repository_names_its_licence_page_and_the_variable() {
    let world = World::new();
    world.hub.admit(Access {
        gated: set("o/m"),
        tokens: set(SECRET),
        strangers: set("hf_stranger"),
        ..Access::default()
    });
    let page = format!("{}/o/m", world.hub.url());
    let text = error(&world, world.config(), "o/m").to_string();
    assert!(text.contains(&page) && text.contains("HF_TOKEN") && text.contains("gated"), "{text}");
    let stranger = HubConfig { token: Token::new("hf_stranger"), ..world.config() };
    let text = error(&world, stranger, "o/m").to_string();
    assert!(
        text.contains(&page) && text.contains("no access yet") && !text.contains("hf_stranger"),
        "{text}"
    );
    let (files, _) = world.get(world.signed(), "o/m");
    assert_eq!(files.unwrap().len(), 3);
    assert!(world.hub.heard().iter().all(|heard| !heard.far || heard.token.is_none()));
}

#[test]
fn what_is_not_there_is_told_apart() {
    let world = World::new();
    world.hub.admit(Access { private: set("o/m"), tokens: set(SECRET), ..Access::default() });
    let text = error(&world, world.config(), "o/m").to_string();
    assert!(text.contains("o/m") && text.contains("HF_TOKEN"), "{text}");
    world.get(world.signed(), "o/m").0.unwrap();

    let nothing = error(&world, world.config(), "o/nothing");
    assert!(matches!(nothing, HubError::NoRepository { .. }), "{nothing}");
    let revision = error(&world, world.signed(), "o/m@v9");
    assert!(
        matches!(revision, HubError::NoRevision { .. }) && revision.to_string().contains("v9"),
        "{revision}"
    );
    world.serve("models/o/empty/README.md", b"nothing");
    let none = error(&world, world.config(), "o/empty");
    assert!(none.to_string().contains("config.json"), "{none}");
    let (file, _) = world.get_file(world.signed(), "nothing.bin", &sure_hub::Check::default());
    assert!(matches!(file.unwrap_err(), HubError::NoFile { .. }));
}

#[test]
fn a_renamed_repository_is_found_under_its_old_name() {
    let world = World::new();
    world.hub.admit(Access {
        renamed: std::iter::once(("old/name".to_owned(), "o/m".to_owned())).collect(),
        ..Access::default()
    });
    let (found, _) = world.get(world.config(), "old/name");
    let found = found.unwrap();
    assert!(found[0].path.to_string_lossy().contains("models--old--name"));
    world.assert_only_true_files();
}

#[test]
fn another_revision_has_files_of_its_own() {
    let world = World::new();
    world.serve("models/o/m@refs%2Fpr%2F1/config.json", b"{\"other\": 1}");
    world.serve("models/o/m@refs%2Fpr%2F1/model.safetensors", &crate::world::noise(50_000, 9));
    world.get(world.config(), "o/m").0.unwrap();
    let found = world.get(world.config(), "o/m@refs/pr/1").0.unwrap();
    assert_eq!(fs::read(&found[1].path).unwrap(), crate::world::noise(50_000, 9));
    assert_eq!(fs::read(world.cached("model.safetensors").unwrap()).unwrap(), large());
    let commit = world.hub.commit("models/o/m@refs/pr/1").unwrap();
    let by_commit = world.get(world.config(), &format!("o/m@{commit}")).0.unwrap();
    assert!(by_commit.iter().all(|file| file.was_there));
}

#[test]
fn offline_only_the_cache_is_asked() {
    let world = World::new();
    let offline = || HubConfig { offline: true, ..world.config() };
    let text = error(&world, offline(), "o/m").to_string();
    assert!(text.contains("HF_HUB_OFFLINE") && text.contains("o/m"), "{text}");
    world.get(world.config(), "o/m").0.unwrap();
    world.hub.heard();
    let found = world.get(offline(), "o/m").0.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(world.hub.heard(), Vec::new());
}

#[test]
fn a_revision_that_has_moved_is_said_until_it_is_accepted() {
    let world = World::new();
    world.get(world.config(), "o/m").0.unwrap();
    let before = world.hub.commit("models/o/m").unwrap();
    world.serve("models/o/m/model.safetensors", &crate::world::noise(60_000, 3));
    let after = world.hub.commit("models/o/m").unwrap();
    let text = error(&world, world.config(), "o/m").to_string();
    assert!(text.contains(&before) && text.contains(&after) && text.contains("--update"), "{text}");
    assert_eq!(fs::read(world.cached("model.safetensors").unwrap()).unwrap(), large());
    world.get_with(world.config(), "o/m", true).0.unwrap();
    assert_eq!(fs::read(world.cached("model.safetensors").unwrap()).unwrap(), crate::world::noise(60_000, 3));
    world.get(world.config(), "o/m").0.unwrap();
}

#[test]
fn an_endpoint_that_is_no_hub_is_said() {
    let world = World::new();
    world.serve("simple/api/index.json", b"<html>");
    let config = HubConfig { endpoint: format!("{}/simple", world.hub.url()), ..world.config() };
    let (found, _) = world.get(config, "o/m");
    assert!(found.is_err());
    for endpoint in ["", "hub", "ftp://x", "https://user:word@hub.example"] {
        let text =
            error(&world, HubConfig { endpoint: endpoint.to_owned(), ..world.config() }, "o/m").to_string();
        assert!(!text.contains("word@"), "{text}");
    }
    assert!(files(&world.cache()).is_empty());
}
