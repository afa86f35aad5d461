//! Files of weights: any bytes give an error or tensors that are what they say.

use std::{io::Write, path::Path};

use sure_weights::TensorFile;

/// Reads bytes as a file.
pub fn file(bytes: &[u8]) {
    let Ok(file) = TensorFile::from_bytes(Path::new("fuzzed"), bytes.to_vec()) else { return };
    let mut total = 0;
    for name in file.names() {
        // An error is a wrong checksum.
        let Ok(tensor) = file.get(name) else { continue };
        let tensor = tensor.expect("a name that is listed is there");
        let elements: usize = if tensor.shape.contains(&0) { 0 } else { tensor.shape.iter().product() };
        assert_eq!(tensor.data.len(), elements * tensor.dtype.size(), "{name} has its bytes");
        assert_eq!((file.shape(name), file.dtype(name)), (Some(tensor.shape), Some(tensor.dtype)));
        total += tensor.data.len();
    }
    assert!(total <= 8 * bytes.len() + (1 << 20), "{total} bytes of tensors out of {}", bytes.len());
}

/// Reads bytes as a file, and as the pickle inside a sound file of either form, with a storage `0` of 16 32-bit numbers:
/// a changed pickle would else end at its checksum.
pub fn pickle(bytes: &[u8]) {
    file(bytes);
    file(&zip(bytes));
    file(&legacy(bytes));
}

fn zip(pickle: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, data) in [("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &[1; 64])] {
        let (mut entry, config) = archive.new_file(name).start().expect("writing to memory");
        let mut writer = config.wrap(&mut entry);
        writer.write_all(data).expect("writing to memory");
        let (_, descriptor) = writer.finish().expect("writing to memory");
        entry.finish(descriptor).expect("writing to memory");
    }
    archive.finish().expect("writing to memory");
    bytes
}

fn legacy(pickle: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    bytes.extend_from_slice(b"\x80\x02M\xe9\x03.");
    bytes.extend_from_slice(b"\x80\x02}X\x0d\0\0\0little_endian\x88s.");
    bytes.extend_from_slice(pickle);
    bytes.extend_from_slice(b"\x80\x02]X\x01\0\0\x000a.");
    bytes.extend_from_slice(&16u64.to_le_bytes());
    bytes.extend_from_slice(&[1; 64]);
    bytes
}
