//! Maps a file into memory and sums its bytes: `cargo run -p sure-sys --example map -- FILE`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::{io, path::Path};

use sure_sys::{Mapped, peak_memory_bytes};

fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        println!("name a file");
        return Ok(());
    };
    let map = Mapped::open(Path::new(&path))?;
    let sum: u64 = map.iter().map(|&byte| u64::from(byte)).sum();
    println!("{} bytes, sum {sum}", map.len());
    println!("peak memory of this process: {} bytes", peak_memory_bytes().unwrap_or(0));
    Ok(())
}
