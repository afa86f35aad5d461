//! The file format of `numpy.save`, version 1.0: `<folder>/<name>/layer.<i>.npy`.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{
    journal::{DATA, Kept},
    layout::Layout,
    states::{Dtype, States},
};

/// The header's length is a multiple of this, with the ten bytes in front of it.
const ALIGNED: usize = 64;

/// Writes each layer of the clips of a batch to a file of its own, in the folder of the run.
pub(super) fn put(folder: &Path, batch: &[(usize, States)], layout: &Layout) -> Result<()> {
    for (clip, states) in batch {
        for (&layer, values) in layout.taken.layers.iter().zip(&states.layers) {
            let path = file_in(&folder.join(DATA), layout, *clip, layer);
            let writing = || format!("writing {}", path.display());
            fs::create_dir_all(path.parent().unwrap_or(folder)).with_context(writing)?;
            let mut file = File::create(&path).with_context(writing)?;
            file.write_all(&header(&values.size(), layout.taken.dtype)).with_context(writing)?;
            file.write_all(&States::bytes(values)).with_context(writing)?;
        }
    }
    Ok(())
}

/// Moves the files to where they belong: the folder `out`, or the one file. It can be called again after it was broken
/// off.
pub(super) fn finish(
    folder: &Path,
    out: &Path,
    is_one_file: bool,
    layout: &Layout,
    kept: &[Kept],
) -> Result<Vec<PathBuf>> {
    let data = folder.join(DATA);
    let of = |root: &Path| -> Vec<PathBuf> {
        let of_clip = |kept: &Kept| {
            let clip = kept.clip;
            layout
                .taken
                .layers
                .iter()
                .map(move |&layer| file_in(root, layout, clip, layer))
                .collect::<Vec<_>>()
        };
        kept.iter().flat_map(of_clip).collect()
    };
    let moving = || format!("moving the states to {}", out.display());
    if is_one_file {
        for from in of(&data).iter().filter(|from| from.exists()) {
            fs::rename(from, out).with_context(moving)?;
        }
        return Ok(vec![out.to_owned()]);
    }
    if data.exists() {
        if out.exists() {
            ensure_empty(out)?;
            fs::remove_dir(out).with_context(moving)?;
        }
        fs::rename(&data, out).with_context(moving)?;
    }
    Ok(of(out))
}

/// A folder with something in it is not written to.
pub(super) fn ensure_empty(out: &Path) -> Result<()> {
    let holds_nothing = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    ensure!(
        holds_nothing || !out.exists(),
        "{} is there already; name another --out, or remove it",
        out.display()
    );
    Ok(())
}

fn file_in(root: &Path, layout: &Layout, clip: usize, layer: usize) -> PathBuf {
    root.join(&layout.names[clip]).join(format!("layer.{layer}.npy"))
}

/// The beginning of a file of this shape: a magic word, the version, the header's length, a Python literal.
fn header(shape: &[i64], dtype: Dtype) -> Vec<u8> {
    let descr = match dtype {
        Dtype::F32 => "<f4",
        Dtype::F16 => "<f2",
    };
    // A tuple of one has a comma behind it.
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if sizes.len() == 1 { "," } else { "" };
    let text =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma}), }}", sizes.join(", "));
    let front = 10;
    let whole = (front + text.len() + 1).next_multiple_of(ALIGNED);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((whole - front) as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.resize(whole - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.save` (2.4.6) begins so.
    fn by_numpy(text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00v\x00".to_vec();
        bytes.extend(format!("{text:117}\n").into_bytes());
        bytes
    }

    #[test]
    fn a_file_begins_as_numpy_begins_it() {
        let matrix = by_numpy("{'descr': '<f4', 'fortran_order': False, 'shape': (149, 768), }");
        assert_eq!(header(&[149, 768], Dtype::F32), matrix);
        let mean = by_numpy("{'descr': '<f2', 'fortran_order': False, 'shape': (768,), }");
        assert_eq!(header(&[768], Dtype::F16), mean);
    }
}
