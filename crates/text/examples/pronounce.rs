//! A text as a model learns it: `cargo run -p sure-text --example pronounce -- "some text"`.
//!
//! Its characters as tokens, its phones with the words that were guessed, and its last word as a slot, with tags and
//! read back.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_text::{Alphabet, Normalizer, Pronouncer, SlotSpan, TextError, tag_with, untag};

fn main() -> Result<(), TextError> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "Play 2 songs by Blorfing!".to_owned());
    let normalize = |part: &str| Normalizer::Sure.apply(part);

    // An alphabet is of the training texts; here this text is all of them.
    let normal = normalize(&text);
    let alphabet = Alphabet::characters([normal.as_str()])?;
    println!("normalised: {normal}");
    println!("alphabet:   {}", alphabet.tokens().join(" "));
    println!("tokens:     {:?}", alphabet.encode(&normal).ids);

    let said = Pronouncer::cmudict().pronounce(&text);
    println!("phones:     {}", said.text());
    println!("guessed:    {}", said.guessed.join(", "));
    println!("not said:   {}", said.skipped.join(", "));

    let text = text.trim();
    let word = text.split_whitespace().next_back().unwrap_or_default();
    let span = SlotSpan { kind: "last_word".to_owned(), start: text.len() - word.len(), end: text.len() };
    let tagged = tag_with(text, &[span], normalize)?;
    let read = untag(&tagged);
    println!("tagged:     {tagged}");
    println!("untagged:   {}", read.text);
    for slot in read.slots {
        println!("slot:       {} is `{}`", slot.kind, slot.value);
    }
    Ok(())
}
