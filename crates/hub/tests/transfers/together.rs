//! Several processes at once, and processes that are killed.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::world::{LARGE, World, large};
use sure_hub::test_hub::Faults;
use sure_hub::{Check, Downloads, Hub, HubConfig, Kind, Repository, Silent};

/// What tells a process that it is the child of a test: the hub's address, and the folder.
const CHILD: &str = "SURE_HUB_TEST_CHILD";

/// Not a test of its own: what a child process does.
#[test]
fn a_child_downloads_the_model() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (endpoint, folder) = told.split_once(' ').unwrap();
    let folder = PathBuf::from(folder);
    let config =
        HubConfig { endpoint: endpoint.to_owned(), proxy: false, ..HubConfig::new(folder.join("cache")) };
    let hub = Hub::new(config).unwrap();
    let downloads = Downloads::new(folder.join("home/downloads.lock.json"), false);
    let model = Repository::parse(Kind::Model, "o/m").unwrap();
    let plan = hub.plan_model(&model, &downloads, &Silent).unwrap();
    hub.fetch_model(&plan, &|_| Check::default(), &downloads, &Silent, &mut |_| ()).unwrap();
}

fn child(world: &World) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "together::a_child_downloads_the_model", "--test-threads", "1"])
        .env(CHILD, format!("{} {}", world.hub.url(), world.folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn bodies(world: &World) -> usize {
    world.hub.heard().iter().filter(|heard| heard.far && heard.method == "GET").count()
}

#[test]
fn a_killed_process_is_continued_by_the_next_one() {
    let world = World::new();
    world.hub.misbehave(Faults { slow: Some(Duration::from_millis(100)), ..Faults::default() });
    let mut first = child(&world);
    let started = Instant::now();
    let has_some =
        || world.partials().iter().any(|path| fs::metadata(path).is_ok_and(|data| data.len() > 60_000));
    while !has_some() {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing came");
        thread::sleep(Duration::from_millis(10));
    }
    // On Unix this is SIGKILL: the process has no say in it.
    first.kill().unwrap();
    first.wait().unwrap();
    let kept = fs::metadata(&world.partials()[0]).unwrap().len();
    assert!(kept < LARGE as u64);
    world.assert_only_true_files();
    assert_eq!(world.cached("model.safetensors"), None);

    world.hub.misbehave(Faults::default());
    world.hub.heard();
    assert!(child(&world).wait().unwrap().success());
    let ranges: Vec<String> = world.hub.heard().into_iter().filter_map(|heard| heard.range).collect();
    assert_eq!(ranges, [format!("bytes={kept}-")]);
    assert_eq!(fs::read(world.cached("model.safetensors").unwrap()).unwrap(), large());
    assert!(world.partials().is_empty());
}

#[test]
fn two_processes_fetch_a_file_once() {
    let world = World::new();
    world.hub.misbehave(Faults { slow: Some(Duration::from_millis(20)), ..Faults::default() });
    let mut children = [child(&world), child(&world), child(&world)];
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(bodies(&world), 1, "the others waited, and found it there");
    assert_eq!(fs::read(world.cached("model.safetensors").unwrap()).unwrap(), large());
}

#[test]
fn a_wait_for_another_process_is_said() {
    let world = World::new();
    world.hub.misbehave(Faults { slow: Some(Duration::from_millis(60)), ..Faults::default() });
    let mut other = child(&world);
    let started = Instant::now();
    while world.partials().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing came");
        thread::sleep(Duration::from_millis(5));
    }
    let (found, notes) = world.get(world.config(), "o/m");
    found.unwrap();
    assert!(notes.text().contains("waiting for another process"), "{}", notes.text());
    assert!(other.wait().unwrap().success());
    assert_eq!(bodies(&world), 1);
}
