//! Which labels a manifest has for a task: `cargo run -p sure-data --example labels -- FOLDER [LABEL KEY]`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::Path;

use sure_data::{DataError, Manifest, Split, TaskCard};

fn main() -> Result<(), DataError> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        println!("name a folder with manifest.jsonl or manifest.csv");
        return Ok(());
    };
    let label = arguments.next().unwrap_or_else(|| "keyword".to_owned());
    let card = TaskCard::from_toml(
        "example",
        &format!(
            "name = \"example\"\ntitle = \"labels\"\nkind = \"sequence-classification\"\nlabel = {label:?}\n             split = \"split\"\nmetric = \"accuracy\"\n"
        ),
    )?;
    let set = card.select(&Manifest::read(Path::new(&folder))?, None)?;
    let labels = set.labels.classes().unwrap_or_default();
    println!("{} with {} labels: {}", set.name(), labels.len(), labels.join(", "));
    for split in [Split::Train, Split::Valid, Split::Test] {
        println!("{:5} {} utterances", split.name(), set.split(split).len());
    }
    Ok(())
}
