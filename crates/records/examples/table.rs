//! The table of a folder of records: `cargo run -p sure-records --example table -- FOLDER`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_records::{RecordsError, Store, Table, TableFormat};

fn main() -> Result<(), RecordsError> {
    let Some(folder) = std::env::args_os().nth(1) else {
        println!("name a folder of records, as `bench` leaves it");
        return Ok(());
    };
    let store = Store::open(folder)?;
    print!("{}", Table::build(&store.records()?, Some(&store))?.render(TableFormat::Markdown));
    Ok(())
}
