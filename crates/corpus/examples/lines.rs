//! Prints what a set of the corpus says: `cargo run -p sure-corpus --example lines -- words`.

use std::io::{self, Write as _};

use sure_corpus::SETS;

fn main() -> io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "words".to_owned());
    let mut out = io::stdout().lock();
    for set in SETS.iter().filter(|set| set.name == name) {
        for line in (set.lines)() {
            let voice = line.voice.map_or("nobody", |voice| voice.engine_name);
            writeln!(out, "{:6} {voice:28} {}", line.part.name(), line.text)?;
        }
    }
    Ok(())
}
