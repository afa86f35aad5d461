//! As much of ELF as tells a whole shared library from the first half of one, and one C++ ABI from another.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Every function that takes or returns a `std::string` of the C++11 ABI has this in its mangled name. libtorch of the
/// old ABI, which torch-sys cannot link, has it nowhere.
const CXX11: &[u8] = b"__cxx11";

/// The bytes that a 64-bit little-endian ELF file must have, by its own header; `None` for any other file.
pub(crate) fn whole_length(path: &Path) -> io::Result<Option<u64>> {
    let mut header = [0u8; 64];
    let mut filled = 0;
    let mut file = File::open(path)?;
    while filled < header.len() {
        match file.read(&mut header[filled..])? {
            0 => return Ok(None),
            read => filled += read,
        }
    }
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    // The table of sections comes last in what linkers write.
    let offset = u64::from_le_bytes(header[0x28..0x30].try_into().expect("eight bytes"));
    let entry = u64::from(u16::from_le_bytes([header[0x3a], header[0x3b]]));
    let count = u64::from(u16::from_le_bytes([header[0x3c], header[0x3d]]));
    Ok(Some(offset.saturating_add(entry * count)))
}

/// Whether a library was compiled for the C++11 ABI.
pub(crate) fn has_cxx11_abi(path: &Path) -> io::Result<bool> {
    Ok(std::fs::read(path)?.windows(CXX11.len()).any(|window| window == CXX11))
}

/// A made-up library for tests: a header that asks for `length` bytes, with or without a symbol of the C++11 ABI.
#[cfg(test)]
pub(crate) fn fake(length: u64, cxx11: bool) -> Vec<u8> {
    let mut bytes = vec![0u8; length as usize];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[0x28..0x30].copy_from_slice(&(length - 64).to_le_bytes());
    bytes[0x3a] = 64;
    bytes[0x3c] = 1;
    if cxx11 {
        bytes[70..70 + CXX11.len()].copy_from_slice(CXX11);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_a_whole_elf_file() {
        let path = std::env::current_exe().unwrap();
        let length = whole_length(&path).unwrap();
        if cfg!(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")) {
            let length = length.expect("an ELF file");
            assert!(length > 64 && length <= path.metadata().unwrap().len());
        }
    }

    #[test]
    fn text_and_the_empty_file_are_no_elf() {
        let folder = tempfile::tempdir().unwrap();
        for content in ["", "INPUT(-ltorch_cpu)\n", &"x".repeat(100)] {
            let path = folder.path().join("file");
            std::fs::write(&path, content).unwrap();
            assert_eq!(whole_length(&path).unwrap(), None);
        }
    }

    #[test]
    fn the_abi_shows_in_the_symbols() {
        let folder = tempfile::tempdir().unwrap();
        for cxx11 in [true, false] {
            let path = folder.path().join("libc10.so");
            std::fs::write(&path, fake(256, cxx11)).unwrap();
            assert_eq!(has_cxx11_abi(&path).unwrap(), cxx11);
            assert_eq!(whole_length(&path).unwrap(), Some(256));
        }
    }
}
