//! How alike sentences are to a sentence encoder: cosines of the mean hidden states, as `sentence-transformers` has them.
//!
//! `cargo run --release -p sure-zoo --example similarity -- FOLDER SENTENCE...`; FOLDER holds for example
//! `sentence-transformers/all-MiniLM-L6-v2`.
#![expect(clippy::print_stdout, reason = "an example speaks to the person at the terminal")]

use std::{env, error::Error, path::PathBuf};

use sure_nn::{
    Cx, Input, Keep, NoAdapter,
    tch::{Device, no_grad},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name a folder and sentences")?);
    let sentences: Vec<String> = arguments.collect();
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    let backbone = from_dir(&folder, &options)?;
    let preparer = backbone.preparer();
    let texts = sentences.iter().map(|text| preparer.prepare_text(text)).collect::<Result<Vec<_>, _>>()?;
    let encoded = no_grad(|| {
        backbone.encode(&Input::collate(&texts, Device::Cpu), &NoAdapter, &Cx::eval(), Keep::Last)
    });
    // [sentences, hidden], each of length one.
    let mean = encoded.mask.mean(encoded.last());
    let unit = &mean / mean.norm_scalaropt_dim(2.0, [1i64].as_slice(), true);
    let cosines = unit.matmul(&unit.tr());
    for (row, sentence) in sentences.iter().enumerate() {
        let values = Vec::<f32>::try_from(cosines.get(row as i64))?;
        let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
        println!("{}  {sentence}", values.join(" "));
    }
    Ok(())
}
