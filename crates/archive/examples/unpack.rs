//! Unpacks an archive into a new folder: `cargo run -p sure-archive --example unpack -- ARCHIVE FOLDER`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::{ops::ControlFlow, path::Path};

use sure_archive::{Limits, unpack};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let [archive, folder] = words.as_slice() else {
        println!("name an archive (tar, tar.gz or zip) and the folder to make");
        return Ok(());
    };
    std::fs::create_dir(folder)?;
    let unpacked =
        unpack(
            Path::new(archive),
            Path::new(folder),
            &Limits::default(),
            &mut |_| ControlFlow::Continue(()),
        )?;
    println!("{} files, {} bytes", unpacked.files, unpacked.bytes);
    Ok(())
}
