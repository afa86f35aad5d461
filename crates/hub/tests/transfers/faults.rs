//! Everything that can go wrong on the way: the file comes whole and right, or the error says what is wrong, and nothing
//! wrong has a final name.

use std::fs;
use std::time::{Duration, Instant};

use crate::world::{LARGE, Notes, SECRET, World, files, large};
use sure_hub::test_hub::Faults;
use sure_hub::{Check, Hub, HubError, Kind, Repository};

const LARGE_FILE: &str = "model.safetensors";

/// Downloads under `faults`, and holds what came against what the hub has.
fn comes_right(faults: Faults) -> (World, Notes) {
    let world = World::new();
    world.hub.misbehave(faults);
    let (files, notes) = world.get(world.config(), "o/m");
    let files = files.unwrap_or_else(|error| panic!("{}\n{}", error.chain(), notes.text()));
    assert_eq!(files.len(), 3);
    assert_eq!(fs::read(world.cached(LARGE_FILE).unwrap()).unwrap(), large());
    assert_eq!(world.partials(), Vec::<std::path::PathBuf>::new());
    world.assert_only_true_files();
    (world, notes)
}

/// Downloads under `faults`, which cannot end well; returns what the error says.
fn fails(faults: Faults) -> (World, HubError, Notes) {
    let world = World::new();
    world.hub.misbehave(faults);
    let (files, notes) = world.get(world.config(), "o/m");
    let error = files.unwrap_err();
    world.assert_only_true_files();
    assert_eq!(world.cached(LARGE_FILE), None, "no reference to an incomplete snapshot");
    (world, error, notes)
}

#[test]
fn without_faults_the_cache_has_the_layout_that_python_knows() {
    let (world, _) = comes_right(Faults::default());
    let commit = world.hub.commit("models/o/m").unwrap();
    let folder = world.cache().join("models--o--m");
    assert_eq!(fs::read_to_string(folder.join("refs/main")).unwrap(), commit);
    let link = folder.join("snapshots").join(&commit).join(LARGE_FILE);
    let target = fs::read_link(&link).unwrap();
    assert!(target.starts_with("../../blobs"), "{}", target.display());
    assert_eq!(fs::metadata(&link).unwrap().len(), LARGE as u64);
    let lock = world
        .cache()
        .join(".locks/models--o--m")
        .join(format!("{}.lock", target.file_name().unwrap().to_string_lossy()));
    assert!(lock.is_file());
    // A second time nothing is fetched.
    world.hub.heard();
    let (again, _) = world.get(world.config(), "o/m");
    assert!(again.unwrap().iter().all(|file| file.was_there));
    assert_eq!(world.hub.heard().len(), 1, "the list of files alone");
}

#[test]
fn dropped_connections_are_continued_where_they_stopped() {
    let (world, notes) = comes_right(Faults { drop_after: Some(70_000), ..Faults::default() });
    let ranges: Vec<String> = world.hub.heard().into_iter().filter_map(|heard| heard.range).collect();
    assert_eq!(ranges, ["bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-"]);
    assert!(notes.text().contains("the connection ended after 70000"), "{}", notes.text());
}

#[test]
fn a_line_that_always_drops_at_the_same_byte_is_given_up_and_kept() {
    let faults = Faults { drop_after: Some(70_000), no_range: true, ..Faults::default() };
    let (world, error, _) = fails(faults);
    assert!(matches!(error, HubError::Exhausted { attempts: 4, .. }), "{}", error.chain());
    assert!(error.chain().contains("o/m/model.safetensors"), "{}", error.chain());
    assert_eq!(world.partials().len(), 1);
    // The line is well again: what was kept is used.
    world.hub.misbehave(Faults::default());
    world.hub.heard();
    let (files, _) = world.get(world.config(), "o/m");
    files.unwrap();
    let ranges: Vec<String> = world.hub.heard().into_iter().filter_map(|heard| heard.range).collect();
    assert_eq!(ranges, ["bytes=70000-"]);
    assert_eq!(fs::read(world.cached(LARGE_FILE).unwrap()).unwrap(), large());
}

#[test]
fn a_server_that_heeds_no_range_starts_again() {
    let faults =
        Faults { drop_after: Some(70_000), drop_times: Some(1), no_range: true, ..Faults::default() };
    comes_right(faults);
}

#[test]
fn a_byte_that_is_wrong_once_is_fetched_again() {
    let faults = Faults { corrupt: vec![LARGE_FILE.into()], corrupt_times: Some(1), ..Faults::default() };
    let (_, notes) = comes_right(faults);
    assert!(notes.text().contains("sha256"), "{}", notes.text());
    // Small files have another kind of hash.
    let faults = Faults { corrupt: vec!["config.json".into()], corrupt_times: Some(1), ..Faults::default() };
    let (_, notes) = comes_right(faults);
    assert!(notes.text().contains("git blob sha1"), "{}", notes.text());
}

#[test]
fn a_byte_that_stays_wrong_is_an_error_that_names_file_and_hashes() {
    for (file, length) in [(LARGE_FILE, 64), ("config.json", 40)] {
        let (world, error, _) = fails(Faults { corrupt: vec![file.into()], ..Faults::default() });
        let HubError::Wrong { file: named, expected, found, .. } = &error else { panic!("{error}") };
        assert!(named.ends_with(file), "{named}");
        assert!(expected.len() == length && found.len() == length && expected != found, "{error}");
        assert_eq!(world.partials(), Vec::<std::path::PathBuf>::new(), "a wrong body is not kept");
    }
}

#[test]
fn half_a_file_with_a_length_that_fits_is_noticed() {
    let (_, error, _) = fails(Faults { truncate: vec![LARGE_FILE.into()], ..Faults::default() });
    let text = error.chain();
    assert!(
        text.contains(&format!("{LARGE} bytes")) && text.contains(&format!("{} bytes", LARGE / 2)),
        "{text}"
    );
    // The list and the hash tell, where the length in the answer is all that there is.
    let (_, error, _) = fails(Faults { truncate: vec!["config.json".into()], ..Faults::default() });
    assert!(matches!(error, HubError::Wrong { .. }), "{}", error.chain());
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    for status in [500, 502, 503, 504, 408, 429] {
        let faults = Faults { flaky: Some(3), flaky_status: Some(status), ..Faults::default() };
        let (_, notes) = comes_right(faults);
        assert!(notes.text().contains(&status.to_string()), "{}", notes.text());
    }
}

#[test]
fn a_server_that_stays_in_trouble_is_given_up() {
    let (_, error, _) = fails(Faults { flaky: Some(1), ..Faults::default() });
    let text = error.chain();
    assert!(text.contains("503") && text.contains("4 attempts"), "{text}");
}

#[test]
fn an_address_that_expires_is_asked_for_anew() {
    let faults = Faults { drop_after: Some(70_000), expire_after: Some(1), ..Faults::default() };
    let (world, _) = comes_right(faults);
    let heard = world.hub.heard();
    assert!(heard.iter().any(|heard| heard.status == 403), "the address did expire");
    let ranges: Vec<&String> = heard
        .iter()
        .filter(|heard| heard.far && heard.status < 300)
        .filter_map(|heard| heard.range.as_ref())
        .collect();
    assert_eq!(ranges, ["bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-"]);
}

#[test]
fn a_slow_line_is_waited_for_and_a_silent_one_is_not() {
    // Longer in all than the timeout between two pieces.
    comes_right(Faults { slow: Some(Duration::from_millis(60)), ..Faults::default() });
    let start = Instant::now();
    let (_, error, _) = fails(Faults { delay: Some(Duration::from_mins(1)), ..Faults::default() });
    assert!(error.chain().contains("no answer in time"), "{}", error.chain());
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_hub_that_goes_away_is_said() {
    for after in 0..6 {
        let (_, error, _) = fails(Faults { offline_after: Some(after), ..Faults::default() });
        assert!(matches!(error, HubError::Exhausted { .. }), "{}", error.chain());
    }
    let world = World::new();
    let mut config = world.config();
    // Nobody listens there.
    config.endpoint = "http://127.0.0.1:9".to_owned();
    let (files, _) = world.get(config, "o/m");
    assert!(files.unwrap_err().chain().contains("127.0.0.1:9"));
}

#[test]
fn an_etag_that_changes_with_every_question_keeps_nothing() {
    let (world, error, _) = fails(Faults { etag_change: true, ..Faults::default() });
    let text = error.chain();
    assert!(text.contains("config.json"), "{text}");
    assert!(files(&world.cache()).iter().all(|path| !path.to_string_lossy().contains("/snapshots/")));
}

#[test]
fn a_detour_within_the_hub_is_followed() {
    comes_right(Faults { resolve_cache: true, ..Faults::default() });
}

#[test]
fn a_path_that_leads_out_is_refused() {
    for path in ["../../../evil", "/etc/evil", "a/../../evil", "C:\\evil"] {
        let (world, error, _) = fails(Faults { listed: vec![path.into()], ..Faults::default() });
        assert!(matches!(error, HubError::Path { .. }), "{path}: {error}");
        assert_eq!(files(&world.cache()), Vec::<std::path::PathBuf>::new());
    }
    // An index of parts is as little to be trusted.
    let world = World::new();
    fs::remove_file(world.folder.path().join("served/models/o/m/model.safetensors")).unwrap();
    world.serve("models/o/m/model.safetensors.index.json", br#"{"weight_map": {"a": "../../../../evil"}}"#);
    let (found, _) = world.get(world.config(), "o/m");
    assert!(matches!(found.unwrap_err(), HubError::Path { .. }));
}

#[test]
fn a_file_that_is_not_what_the_card_says_is_not_kept() {
    let world = World::new();
    let check = Check { bytes: None, sha256: Some("0".repeat(64)) };
    let (fetched, _) = world.get_file(world.config(), LARGE_FILE, &check);
    assert!(matches!(fetched.unwrap_err(), HubError::Wrong { .. }));
    let check = Check { bytes: Some(7), sha256: None };
    let (fetched, _) = world.get_file(world.config(), "config.json", &check);
    assert!(fetched.unwrap_err().chain().contains("7 bytes"));
    assert_eq!(world.partials(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_partial_file_of_rubbish_costs_one_attempt() {
    let world = World::new();
    let (first, _) = world.get_file(world.config(), LARGE_FILE, &Check::default());
    let blob = fs::canonicalize(first.unwrap().path).unwrap();
    for rubbish in [vec![7; 1000], vec![7; LARGE], vec![7; LARGE + 10]] {
        fs::remove_dir_all(world.cache().join("models--o--m/snapshots")).unwrap();
        fs::remove_file(&blob).unwrap();
        fs::write(format!("{}.sure.incomplete", blob.display()), rubbish).unwrap();
        let (fetched, _) = world.get_file(world.config(), LARGE_FILE, &Check::default());
        assert_eq!(fs::read(fetched.unwrap().path).unwrap(), large());
        world.assert_only_true_files();
    }
}

#[test]
fn a_content_of_the_cache_that_was_damaged_is_fetched_again() {
    let world = World::new();
    let (first, _) = world.get_file(world.config(), LARGE_FILE, &Check::default());
    let first = first.unwrap().path;
    fs::write(fs::canonicalize(&first).unwrap(), b"cut").unwrap();
    fs::remove_file(&first).unwrap();
    let (fetched, _) = world.get_file(world.config(), LARGE_FILE, &Check::default());
    assert_eq!(fs::read(fetched.unwrap().path).unwrap(), large());
}

#[test]
fn a_damaged_file_of_the_cache_is_found_out_and_fetched_again() {
    let world = World::new();
    world.get(world.config(), "o/m").0.unwrap();
    for (file, bytes) in [("config.json", b"{\"model_type\": \"y\"}".to_vec()), (LARGE_FILE, vec![0; LARGE])]
    {
        fs::write(fs::canonicalize(world.cached(file).unwrap()).unwrap(), bytes).unwrap();
        let offline = sure_hub::HubConfig { offline: true, ..world.config() };
        assert!(matches!(world.get(offline, "o/m").0.unwrap_err(), HubError::Wrong { .. }), "{file}");
        let (found, notes) = world.get(world.config(), "o/m");
        found.unwrap();
        assert!(notes.text().contains("fetching it again"), "{}", notes.text());
        world.assert_only_true_files();
    }
    assert_eq!(fs::read(world.cached(LARGE_FILE).unwrap()).unwrap(), large());
}

#[test]
fn a_stop_leaves_what_has_come_for_the_next_call() {
    let world = World::new();
    let notes = Notes::stopping_at(100_000);
    let hub = Hub::new(world.config()).unwrap();
    let model = Repository::parse(Kind::Model, "o/m").unwrap();
    let commit = world.hub.commit("models/o/m").unwrap();
    let error = hub.file(&model, &commit, LARGE_FILE, &Check::default(), &notes).unwrap_err();
    assert!(matches!(error, HubError::Stopped));
    let kept = fs::metadata(&world.partials()[0]).unwrap().len();
    assert!((100_000..LARGE as u64).contains(&kept), "{kept}");
    world.hub.heard();
    let (fetched, notes) = world.get_file(world.config(), LARGE_FILE, &Check::default());
    assert_eq!(fs::read(fetched.unwrap().path).unwrap(), large());
    assert_eq!(notes.begun.borrow().first().unwrap().1, kept);
}

#[test]
fn a_file_without_content_is_a_file() {
    let world = World::new();
    world.serve("models/o/m/merges.txt", b"");
    let (files, _) = world.get(world.config(), "o/m");
    assert!(files.unwrap().iter().any(|file| file.file == "merges.txt" && file.sum.bytes == 0));
    world.assert_only_true_files();
}

#[test]
fn no_fault_shows_the_token() {
    let all = [
        Faults { corrupt: vec![LARGE_FILE.into()], ..Faults::default() },
        Faults { flaky: Some(1), ..Faults::default() },
        Faults { offline_after: Some(3), ..Faults::default() },
        Faults { drop_after: Some(70_000), expire_after: Some(1), ..Faults::default() },
        Faults { etag_change: true, ..Faults::default() },
    ];
    for faults in all {
        let world = World::new();
        world.hub.misbehave(faults);
        let (found, notes) = world.get(world.signed(), "o/m");
        let shown = format!(
            "{found:?} {} {:?} {:?}",
            found.as_ref().err().map(HubError::chain).unwrap_or_default(),
            notes.text(),
            world.signed()
        );
        assert!(!shown.contains(SECRET), "{shown}");
        for path in files(world.folder.path()) {
            let bytes = fs::read(&path).unwrap_or_default();
            let is_there = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            assert!(!is_there && !path.to_string_lossy().contains(SECRET), "{}", path.display());
        }
        let heard = world.hub.heard();
        assert!(heard.iter().any(|heard| !heard.far && heard.token.as_deref() == Some(SECRET)));
        assert!(heard.iter().all(|heard| !heard.far || heard.token.is_none()), "it went to another origin");
    }
}
