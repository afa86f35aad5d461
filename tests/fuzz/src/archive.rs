//! Archives: any bytes give an error or files below the folder, within the limits.

use std::{fs, ops::ControlFlow, path::Path};

use sure_archive::{Limits, member, unpack};

const LIMITS: Limits = Limits { bytes: 4 << 20, entries: 100, ratio: 100, name: 200 };
/// Where tar headers say what they are, and where their checksum stands.
const MAGIC: std::ops::Range<usize> = 257..262;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Unpacks bytes, as they are and, where they look like a tar archive, with the checksums of its headers put right.
/// `folder` is there, empty and the caller's, and empty again afterwards.
pub fn archive(bytes: &[u8], folder: &Path) {
    once(bytes, folder);
    let sealed = sealed(bytes);
    if sealed != bytes {
        once(&sealed, folder);
    }
}

fn once(bytes: &[u8], folder: &Path) {
    let (archive, into) = (folder.join("archive"), folder.join("into"));
    fs::write(&archive, bytes).expect("the folder can be written");
    fs::create_dir(&into).expect("the folder is empty");
    let unpacked = unpack(&archive, &into, &LIMITS, &mut |_| ControlFlow::Continue(()));
    let (mut files, mut size) = (0, 0);
    look(&into, &mut files, &mut size);
    assert!(size <= LIMITS.bytes, "{size} bytes were written");
    if let Ok(unpacked) = unpacked {
        assert_eq!((unpacked.files, unpacked.bytes), (files, size), "what is said is what is there");
    }
    let beside = fs::read_dir(folder).expect("the folder is there").count();
    assert_eq!(beside, 2, "nothing is beside the archive and the folder");
    let _ = member(&archive, "a", &LIMITS);
    fs::remove_dir_all(&into).expect("what was written can be removed");
    fs::remove_file(&archive).expect("what was written can be removed");
}

/// Counts files and bytes, and looks for what must not be there.
fn look(folder: &Path, files: &mut u64, size: &mut u64) {
    for entry in fs::read_dir(folder).expect("a folder that was made") {
        let path = entry.expect("a folder that was made").path();
        let about = fs::symlink_metadata(&path).expect("a file that was made");
        assert!(about.is_file() || about.is_dir(), "{} is neither file nor folder", path.display());
        if about.is_dir() {
            look(&path, files, size);
        } else {
            (*files, *size) = (*files + 1, *size + about.len());
        }
    }
}

/// The bytes with right checksums where headers of tar stand. A changed header would go no further else.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512).filter(|block| &block[MAGIC] == b"ustar") {
        block[CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes
}
