//! Files of weights written byte by byte, so that they can lie.

use std::path::Path;

use sure_weights::{PickleFault, TensorFile, WeightsError};

/// A pickle of protocol 2: the steps given, between its start and its end.
pub(crate) fn pickle(steps: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x80\x02"[..], &steps.concat(), b"."].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

pub(crate) fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

pub(crate) fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(crate) fn ints(numbers: &[i64]) -> Vec<u8> {
    tuple(&numbers.iter().map(|number| int(*number)).collect::<Vec<_>>())
}

/// A dictionary of names and steps that make their values.
pub(crate) fn dict(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<_> = items.iter().flat_map(|(key, value)| [text(key), value.clone()]).collect();
    [b"}(", &items.concat()[..], b"u"].concat()
}

pub(crate) fn storage(kind: &str, key: &str, length: i64) -> Vec<u8> {
    let id = [text("storage"), global("torch", kind), text(key), text("cpu"), int(length)];
    [tuple(&id), b"Q".to_vec()].concat()
}

/// A tensor of 32-bit numbers in the storage `0` of `length` elements.
pub(crate) fn tensor(length: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    tensor_of(storage("FloatStorage", "0", length), int(offset), ints(shape), ints(strides))
}

pub(crate) fn tensor_of(storage: Vec<u8>, offset: Vec<u8>, shape: Vec<u8>, strides: Vec<u8>) -> Vec<u8> {
    let hooks = [global("collections", "OrderedDict"), b")R".to_vec()].concat();
    let arguments = tuple(&[storage, offset, shape, strides, b"\x89".to_vec(), hooks]);
    [global("torch._utils", "_rebuild_tensor_v2"), arguments, b"R".to_vec()].concat()
}

/// A file of an archive; what the directory says of it is the caller's.
#[derive(Clone, Debug)]
pub(crate) struct Zipped {
    pub(crate) name: String,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) packed: u32,
    pub(crate) data: Vec<u8>,
    /// Where its local header lies, if that is a lie.
    pub(crate) offset: Option<u32>,
}

impl Zipped {
    pub(crate) fn new(name: &str, data: &[u8]) -> Self {
        let (size, crc) = (data.len() as u32, rawzip::crc32(data));
        Self {
            name: name.to_owned(),
            method: 0,
            flags: 0,
            crc,
            size,
            packed: size,
            data: data.to_vec(),
            offset: None,
        }
    }
}

pub(crate) fn zip(files: &[Zipped]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let offset = file.offset.unwrap_or(bytes.len() as u32);
        let mut common = Vec::new();
        for field in [20, file.flags, file.method, 0, 0] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        for field in [file.crc, file.packed, file.size] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        common.extend_from_slice(&(file.name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&common);
        bytes.extend_from_slice(file.name.as_bytes());
        bytes.extend_from_slice(&file.data);
        directory.extend_from_slice(b"PK\x01\x02\0\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(file.name.as_bytes());
    }
    let (start, count) = (bytes.len() as u32, files.len() as u16);
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// The files of an archive as `torch.save` lays it out, with one storage of `bytes` bytes.
pub(crate) fn files(pickle: &[u8], bytes: usize) -> Vec<Zipped> {
    vec![
        Zipped::new("archive/data.pkl", pickle),
        Zipped::new("archive/byteorder", b"little"),
        Zipped::new("archive/data/0", &vec![1; bytes]),
        Zipped::new("archive/version", b"3\n"),
    ]
}

/// The same in the old form.
pub(crate) fn legacy(object: &[u8], keys: &[&str], storages: &[u8]) -> Vec<u8> {
    let machine = dict(&[("protocol_version", int(1001)), ("little_endian", b"\x88".to_vec())]);
    let keys: Vec<_> = keys.iter().map(|key| text(key)).collect();
    let keys = [b"](", &keys.concat()[..], b"e"].concat();
    [
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
        &pickle(&[int(1001)])[..],
        &pickle(&[machine]),
        object,
        &pickle(&[keys]),
        storages,
    ]
    .concat()
}

pub(crate) fn open(bytes: &[u8]) -> Result<TensorFile, WeightsError> {
    TensorFile::from_bytes(Path::new("model.bin"), bytes.to_vec())
}

/// Why a file is refused. Its message must be fit for a terminal.
pub(crate) fn refused(bytes: &[u8]) -> WeightsError {
    let error = open(bytes).expect_err("it must be refused");
    assert!(!error.to_string().contains(char::is_control), "{error}");
    error
}

/// Why a pickle is refused, in both forms alike.
pub(crate) fn fault(object: &[u8]) -> PickleFault {
    let storage = [&6u64.to_le_bytes()[..], &[1; 24]].concat();
    let [one, other] =
        [zip(&files(object, 24)), legacy(object, &["0"], &storage)].map(|bytes| match refused(&bytes) {
            WeightsError::Pickle { fault, .. } => fault,
            other => panic!("{other}"),
        });
    assert_eq!(one, other);
    one
}
