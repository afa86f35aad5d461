//! What a file of weights holds: `cargo run -p sure-weights --example names -- FILE`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::Path;

use sure_weights::{TensorFile, WeightsError};

fn main() -> Result<(), WeightsError> {
    let Some(path) = std::env::args_os().nth(1) else {
        println!("name a file: safetensors, or what torch.save wrote");
        return Ok(());
    };
    let file = TensorFile::open(Path::new(&path))?;
    println!("{:?}", file.form());
    for name in file.names() {
        if let Some(tensor) = file.get(name)? {
            println!("{name} {} {:?}", tensor.dtype, tensor.shape);
        }
    }
    for skipped in file.skipped() {
        println!("{} is a {} and no tensor", skipped.name, skipped.what);
    }
    Ok(())
}
