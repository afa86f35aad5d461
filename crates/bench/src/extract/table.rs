//! A parquet file: a row a recording and layer, with the columns `id`, `layer`, `frames`, `hidden` and `values`, the
//! states row by row as a list of floats.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use parquet::{
    data_type::{ByteArray, ByteArrayType, FloatType, Int32Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use super::{
    journal::{DATA, Entry, Kept},
    layout::Layout,
    shards,
};

/// The list has the three levels that the format's standard asks for.
const SCHEMA: &str = "message states {
    required binary id (STRING);
    required int32 layer;
    required int32 frames;
    required int32 hidden;
    required group values (LIST) { repeated group list { required float element; } }
}";
/// Values in a row group, about: 64 MiB of them.
const GROUP_VALUES: usize = 16 << 20;

/// A stretch of rows.
#[derive(Default)]
struct Rows {
    ids: Vec<ByteArray>,
    layers: Vec<i32>,
    frames: Vec<i32>,
    hidden: Vec<i32>,
    values: Vec<f32>,
    /// 0 where a value is the first of its row, else 1.
    places: Vec<i16>,
}

/// Writes the states that `entries` tell of, in the order of the recordings, and moves the file to `out`. It can be
/// called again after it was broken off.
pub(super) fn finish(
    folder: &Path,
    out: &Path,
    layout: &Layout,
    entries: &[Entry],
    kept: &[Kept],
) -> Result<Vec<PathBuf>> {
    let path = folder.join(format!("{DATA}.parquet"));
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    let writing = || format!("writing {}", path.display());
    let schema = Arc::new(parse_message_type(SCHEMA).context("the schema of the states")?);
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).with_context(writing)?;
    let mut data = Data::open(folder, entries)?;
    let mut rows = Rows::default();
    for kept in kept {
        data.read(kept, layout, &mut rows)?;
        if rows.values.len() >= GROUP_VALUES {
            rows.write(&mut writer).with_context(writing)?;
        }
    }
    rows.write(&mut writer).with_context(writing)?;
    writer.finish().with_context(writing)?;
    writer.inner().sync_all().with_context(writing)?;
    fs::rename(&path, out).with_context(|| format!("moving the states to {}", out.display()))?;
    Ok(vec![out.to_owned()])
}

/// The data files of the run.
struct Data(Vec<(File, super::journal::End)>);

impl Data {
    fn open(folder: &Path, entries: &[Entry]) -> Result<Self> {
        let open = |end: super::journal::End| {
            let path = shards::data_path(folder, end.shard);
            Ok((File::open(&path).with_context(|| format!("opening {}", path.display()))?, end))
        };
        Ok(Self(shards::ends(entries).into_iter().map(open).collect::<Result<_>>()?))
    }

    /// Adds the rows of a clip.
    fn read(&mut self, kept: &Kept, layout: &Layout, rows: &mut Rows) -> Result<()> {
        let (file, end) = self.0.get_mut(kept.shard).context("a journal names its data files")?;
        let mut bytes = vec![0; layout.clip_bytes(kept.frames, kept.hidden) as usize];
        file.seek(SeekFrom::Start(shards::first_byte(*end, kept)))
            .and_then(|_| file.read_exact(&mut bytes))
            .context("reading the states back")?;
        let of_layer = layout.layer_bytes(kept.frames, kept.hidden) as usize;
        // The mean is one row of the matrix that `frames` and `hidden` describe.
        let frames = if layout.taken.mean { 1 } else { kept.frames };
        for (&layer, bytes) in layout.taken.layers.iter().zip(bytes.chunks_exact(of_layer)) {
            rows.ids.push(layout.names[kept.clip].as_bytes().to_vec().into());
            rows.layers.push(i32::try_from(layer)?);
            rows.frames.push(i32::try_from(frames)?);
            rows.hidden.push(i32::try_from(kept.hidden)?);
            let before = rows.values.len();
            let (values, _) = bytes.as_chunks::<4>();
            rows.values.extend(values.iter().map(|&value| f32::from_le_bytes(value)));
            rows.places.resize(rows.values.len(), 1);
            rows.places[before] = 0;
        }
        Ok(())
    }
}

impl Rows {
    /// Writes them as a row group, and has none afterwards.
    fn write(&mut self, writer: &mut SerializedFileWriter<File>) -> parquet::errors::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(self);
        let mut group = writer.next_row_group()?;
        column::<ByteArrayType>(&mut group, &rows.ids, None)?;
        for numbers in [&rows.layers, &rows.frames, &rows.hidden] {
            column::<Int32Type>(&mut group, numbers, None)?;
        }
        column::<FloatType>(&mut group, &rows.values, Some(&rows.places))?;
        group.close()?;
        Ok(())
    }
}

/// The next column; with `places` it is a list, and there is no empty one.
fn column<T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    places: Option<&[i16]>,
) -> parquet::errors::Result<()> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let defined = places.map(|places| vec![1; places.len()]);
    column.typed::<T>().write_batch(values, defined.as_deref(), places)?;
    column.close()
}
