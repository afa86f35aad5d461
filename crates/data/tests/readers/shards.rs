//! Parquet files for tests, and what is unpacked from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use sure_data::Reading;

use crate::folder::{Folder, wav};

/// What pyarrow wrote.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet").join(name)).unwrap()
}

/// A row of LibriSpeech; `audio` and `path` may be missing.
pub(crate) struct Line<'a> {
    pub(crate) id: &'a str,
    pub(crate) audio: Option<Vec<u8>>,
    pub(crate) path: Option<&'a str>,
}

pub(crate) fn line(id: &str, pitch: u32) -> Line<'_> {
    Line { id, audio: Some(wav(16_000, pitch)), path: None }
}

pub(crate) const SCHEMA: &str = "message schema {
    optional group audio { optional binary bytes; optional binary path (UTF8); }
    optional binary text (UTF8);
    optional int64 speaker_id;
    optional int64 chapter_id;
    required binary id (UTF8);
}";

/// A file in the layout of LibriSpeech, by the crate `parquet`.
pub(crate) fn librispeech(lines: &[Line<'_>], schema: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema.clone(), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let audio: Vec<Option<&[u8]>> = lines.iter().map(|line| line.audio.as_deref()).collect();
    text_column(&mut group, &audio, 2);
    let paths: Vec<Option<&[u8]>> = lines.iter().map(|line| line.path.map(str::as_bytes)).collect();
    text_column(&mut group, &paths, 2);
    let texts: Vec<String> = lines.iter().map(|line| format!("TEXT OF {}", line.id)).collect();
    text_column(&mut group, &texts.iter().map(|text| Some(text.as_bytes())).collect::<Vec<_>>(), 1);
    for field in &schema.get_fields()[2..schema.get_fields().len() - 1] {
        assert!(["speaker_id", "chapter_id"].contains(&field.name()));
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<i64> = vec![84; lines.len()];
        column.typed::<Int64Type>().write_batch(&values, Some(&vec![1; lines.len()]), None).unwrap();
        column.close().unwrap();
    }
    text_column(&mut group, &lines.iter().map(|line| Some(line.id.as_bytes())).collect::<Vec<_>>(), 0);
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

/// A column of bytes; `depth` is the level at which a value is there.
fn text_column<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[Option<&[u8]>],
    depth: i16,
) {
    let mut column = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> =
        values.iter().map(|value| if value.is_some() { depth } else { depth - 1 }).collect();
    let values: Vec<ByteArray> =
        values.iter().flatten().map(|value| ByteArray::from(value.to_vec())).collect();
    let levels = (depth > 0).then_some(&levels[..]);
    column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
    column.close().unwrap();
}

/// Everything below a folder, by its path from there.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// How many files have an ending.
pub(crate) fn count(folder: &Path, ending: &str) -> usize {
    tree(folder)
        .iter()
        .filter(|name| Path::new(name).extension().is_some_and(|found| found == ending))
        .count()
}

/// The folder into which a set was unpacked beside its own.
pub(crate) fn unpacked(folder: &Folder) -> PathBuf {
    let base = folder.path().with_file_name("data.unpacked");
    let entries = fs::read_dir(base).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).min().unwrap()
}

pub(crate) fn assert_decodable(reading: &Reading) {
    for row in &reading.manifest.rows {
        assert_eq!(sure_audio::load(&row.audio, 16_000).unwrap().samples.len(), 1600, "{}", row.id);
    }
}

/// A file in the layout of FLEURS.
pub(crate) fn fleurs(paths: &[Option<&str>]) -> Vec<u8> {
    let texts: Vec<String> = (0..paths.len()).map(|number| format!("text {number}")).collect();
    let texts: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_bytes())).collect();
    let paths: Vec<Option<&[u8]>> = paths.iter().map(|path| path.map(str::as_bytes)).collect();
    recordings(&["path", "transcription", "raw_transcription"], &[paths, texts.clone(), texts])
}

/// A file in the layout of Speech Commands, without the names of classes.
pub(crate) fn speech_commands(files: &[&str]) -> Vec<u8> {
    let of = |part: fn(&str) -> &str| -> Vec<Option<&[u8]>> {
        files.iter().map(|file| Some(part(file).as_bytes())).collect()
    };
    let word = of(|file| file.split('/').next().unwrap());
    let columns = ["file", "label", "speaker_id", "utterance_id"];
    recordings(&columns, &[of(|file| file), word, of(|_| "a"), of(|_| "0")])
}

/// A file of recordings and of columns of text.
fn recordings(columns: &[&str], values: &[Vec<Option<&[u8]>>]) -> Vec<u8> {
    let fields = columns.join(" (UTF8); optional binary ");
    let schema = format!(
        "message schema {{ optional group audio {{ optional binary bytes; }} optional binary {fields} (UTF8); }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let audio: Vec<Vec<u8>> = (0..values[0].len()).map(|number| wav(16_000, number as u32)).collect();
    text_column(&mut group, &audio.iter().map(|audio| Some(audio.as_slice())).collect::<Vec<_>>(), 2);
    for column in values {
        text_column(&mut group, column, 1);
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}
