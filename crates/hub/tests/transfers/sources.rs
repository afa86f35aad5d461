//! A file from the first source that has it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::world::{Notes, World, large, noise};
use sure_hub::test_hub::Faults;
use sure_hub::{Check, Hub, HubConfig, HubError, Kind, Obtained, Repository, Source, sum};

fn url(text: &str) -> Source {
    Source::Url { url: text.to_owned() }
}

fn hub(file: &str) -> Source {
    Source::Hub { repository: Repository::parse(Kind::Model, "o/m").unwrap(), file: file.to_owned() }
}

fn package(member: &str) -> Source {
    Source::Package { package: "Some.Weights".into(), version: "1.2".into(), member: member.to_owned() }
}

fn config(world: &World) -> HubConfig {
    HubConfig {
        mirror: Some(format!("{}/mirror", world.hub.url())),
        index: format!("{}/simple", world.hub.url()),
        ..world.config()
    }
}

fn get(world: &World, sources: &[Source], check: &Check) -> (Result<Obtained, HubError>, PathBuf, Notes) {
    let (into, notes) = (world.folder.path().join("out/file.bin"), Notes::default());
    let hub = Hub::new(config(world)).unwrap();
    (hub.obtain(sources, check, &into, &world.downloads(false), &notes), into, notes)
}

/// A wheel with a file, and an archive with a file in it.
fn serve_package(world: &World) {
    let zip = |files: &[(&str, &[u8])]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        stored_zip(files)
    };
    let inner = zip(&[("weights.bin", &noise(20_000, 5))]);
    let wheel = zip(&[("plain.bin", &noise(9_000, 6)), ("inner.zip", &inner)]);
    world.serve("simple/some-weights/some_weights-1.2-py3-none-any.whl", &wheel);
    let path = world.folder.path().join("served/simple/some-weights/some_weights-1.2-py3-none-any.whl");
    let sha256 = sum(&path).unwrap().sha256;
    let list = format!(
        r#"{{"files": [{{"filename": "some_weights-1.2-py3-none-any.whl", "url": "some_weights-1.2-py3-none-any.whl",
            "hashes": {{"sha256": "{sha256}"}}}}]}}"#
    );
    world.serve("simple/some-weights/index.json", list.as_bytes());
}

/// A zip archive whose files are stored as they are.
fn stored_zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let at = out.len() as u32;
        let (crc, size, length) = (crc32(bytes), bytes.len() as u32, name.len() as u16);
        let mut common = Vec::new();
        // Version, flags, method, time, date; crc and both sizes; lengths of the name and of what is extra.
        for number in [20_u16, 0, 0, 0, 0x21] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc, size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.write_all(b"PK\x03\x04").unwrap();
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, count) = (out.len() as u32, files.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn the_first_source_that_has_it_is_taken() {
    let world = World::new();
    world.serve("mirror/files.example/pub/data.bin", &noise(30_000, 7));
    let sources = [hub("nothing.bin"), url("http://files.example/pub/data.bin"), hub("model.safetensors")];
    let (got, into, notes) = get(&world, &sources, &Check::default());
    assert_eq!(got.unwrap().source, "http://files.example/pub/data.bin");
    assert_eq!(fs::read(&into).unwrap(), noise(30_000, 7));
    assert!(notes.text().contains("nothing.bin"), "{}", notes.text());
    // It is there now.
    let (again, _, _) = get(&world, &[], &Check::default());
    assert!(again.unwrap().was_there);
}

#[test]
fn a_file_of_the_hub_goes_through_its_cache() {
    let world = World::new();
    let (got, into, _) = get(&world, &[hub("model.safetensors")], &Check::default());
    assert_eq!(got.unwrap().source, "hub:o/m@main/model.safetensors");
    assert_eq!(fs::read(into).unwrap(), large());
    assert!(world.cached("model.safetensors").is_some());
}

#[test]
fn a_member_of_a_package_and_one_inside_another_archive_are_taken_out() {
    let world = World::new();
    serve_package(&world);
    let (got, into, _) = get(&world, &[package("inner.zip!/weights.bin")], &Check::default());
    assert_eq!(got.unwrap().source, "package:Some.Weights==1.2/inner.zip!/weights.bin");
    assert_eq!(fs::read(&into).unwrap(), noise(20_000, 5));
    fs::remove_file(&into).unwrap();
    let (got, into, _) = get(&world, &[package("plain.bin")], &Check::default());
    got.unwrap();
    assert_eq!(fs::read(&into).unwrap(), noise(9_000, 6));
    fs::remove_file(&into).unwrap();
    let (got, _, _) = get(&world, &[package("missing.bin")], &Check::default());
    assert!(got.unwrap_err().to_string().contains("missing.bin"));
    assert_eq!(
        crate::world::files(&world.folder.path().join("out"))
            .iter()
            .filter(|path| path.ends_with("file.bin"))
            .count(),
        0
    );
}

#[test]
fn where_no_source_has_it_all_are_listed() {
    let world = World::new();
    serve_package(&world);
    let sources =
        [hub("nothing.bin"), url("http://127.0.0.1:9/data.bin?Signature=abc"), package("nothing.bin")];
    let (got, into, _) = get(&world, &sources, &Check::default());
    let text = got.unwrap_err().to_string();
    for word in ["file.bin", "o/m", "127.0.0.1:9", "Some.Weights"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(!into.exists());
}

#[test]
fn a_wrong_file_of_one_source_is_not_kept_and_another_is_asked() {
    let world = World::new();
    world.serve("mirror/files.example/data.bin", &noise(5_000, 8));
    let check: Check = sum(&world.folder.path().join("served/models/o/m/model.safetensors")).unwrap().into();
    let sources = [url("http://files.example/data.bin"), hub("model.safetensors")];
    let (got, into, notes) = get(&world, &sources, &check);
    assert_eq!(got.unwrap().source, "hub:o/m@main/model.safetensors");
    assert_eq!(fs::read(into).unwrap(), large());
    assert!(notes.text().contains("length"), "{}", notes.text());
    assert!(world.partials().is_empty());
}

#[test]
fn a_plain_address_is_continued_and_a_changed_one_begun_anew() {
    let world = World::new();
    let source = [url("http://files.example/data.bin")];
    world.serve("mirror/files.example/data.bin", &noise(90_000, 1));
    world.hub.misbehave(Faults { drop_after: Some(40_000), offline_after: Some(2), ..Faults::default() });
    assert!(get(&world, &source, &Check::default()).0.is_err());
    let kept = world.partials();
    assert_eq!(fs::metadata(&kept[0]).unwrap().len(), 40_000);

    world.hub.misbehave(Faults::default());
    world.hub.heard();
    let (got, into, _) = get(&world, &source, &Check::default());
    got.unwrap();
    assert_eq!(fs::read(&into).unwrap(), noise(90_000, 1));
    assert_eq!(world.hub.heard().last().unwrap().range.as_deref(), Some("bytes=40000-"));

    // Another file at the same address: first it is a difference, then nothing of the old one is used.
    fs::remove_file(&into).unwrap();
    world.serve("mirror/files.example/data.bin", &noise(80_000, 2));
    let (got, into, _) = get(&world, &source, &Check::default());
    let error = got.unwrap_err();
    assert!(matches!(error, HubError::Changed { .. }), "{}", error.chain());
    assert!(!into.exists() && world.partials().is_empty());
    let hub = Hub::new(config(&world)).unwrap();
    hub.obtain(&source, &Check::default(), &into, &world.downloads(true), &Notes::default()).unwrap();
    assert_eq!(fs::read(&into).unwrap(), noise(80_000, 2));
}

#[test]
fn an_address_without_the_file_is_asked_once() {
    let world = World::new();
    let (got, _, _) =
        get(&world, &[url(&format!("{}/simple/none/data.bin", world.hub.url()))], &Check::default());
    assert!(got.unwrap_err().to_string().contains("404"));
    // At the mirror, and at its own place.
    assert_eq!(world.hub.heard().len(), 2);
}
