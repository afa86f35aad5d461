//! What holds for every text.

use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert_eq, prop_oneof, proptest};
use sure_text::{Alphabet, Normalizer, SlotSpan, TextError, tag, untag};

/// Texts of any characters, blanks and hyphens often among them.
fn texts() -> impl Strategy<Value = String> {
    let character =
        prop_oneof![4 => prop::char::any(), 4 => prop::char::range('a', 'z'), 2 => Just(' '), 1 => Just('-')];
    prop::collection::vec(character, 0..40).prop_map(String::from_iter)
}

/// Words without white space and bars, and not like tags.
fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zé&:;'.0-9]{1,6}", 1..9)
}

fn blank_joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_training_text_comes_back_from_its_tokens(text in texts()) {
        match Alphabet::characters([text.as_str()]) {
            Ok(alphabet) => {
                let encoded = alphabet.encode(&text);
                prop_assert_eq!(encoded.unknown, 0);
                prop_assert_eq!(alphabet.decode(&encoded.ids), blank_joined(&text));
            }
            Err(TextError::NoTrainingText) => prop_assert_eq!(text.trim(), ""),
            Err(_) => prop_assert_eq!(text.contains('|'), true),
        }
    }

    #[test]
    fn another_text_has_as_many_unknowns_as_it_shows(text in "[a-z ]{0,30}") {
        let alphabet = Alphabet::characters(["abcdef"]).unwrap();
        let encoded = alphabet.encode(&text);
        prop_assert_eq!(encoded.unknown, text.matches(|c: char| c > 'f').count());
        prop_assert_eq!(alphabet.decode(&encoded.ids).matches("[UNK]").count(), encoded.unknown);
    }

    #[test]
    fn frames_that_hold_each_token_and_part_repeats_collapse_to_the_tokens(
        tokens in prop::collection::vec((0_usize..5, 1_usize..4, 0_usize..3), 0..20)
    ) {
        let alphabet = Alphabet::characters(["abcd"]).unwrap();
        let mut frames = Vec::new();
        let mut last = None;
        for &(token, held, blanks) in &tokens {
            let parted = usize::from(last == Some(token));
            frames.extend(vec![alphabet.blank(); blanks.max(parted)]);
            frames.extend(vec![token; held]);
            last = Some(token);
        }
        let tokens: Vec<usize> = tokens.into_iter().map(|(token, ..)| token).collect();
        prop_assert_eq!(alphabet.collapse(&frames), tokens);
    }

    #[test]
    fn collapsed_frames_without_repeats_stay_as_they_are(frames in prop::collection::vec(0_usize..8, 0..30)) {
        let alphabet = Alphabet::characters(["abcd"]).unwrap();
        let mut once = alphabet.collapse(&frames);
        // A repeat that a blank parted is merged by a second pass, as CTC has it.
        once.dedup();
        prop_assert_eq!(alphabet.collapse(&once), once);
    }

    #[test]
    fn decoding_takes_any_numbers(ids in prop::collection::vec(prop::num::usize::ANY, 0..20)) {
        for alphabet in [Alphabet::phones_reference(), Alphabet::slots(["B-x a E-x"]).unwrap()] {
            alphabet.decode(&ids);
            alphabet.decode_greedy(&ids);
            alphabet.decode_unmerged(&ids);
        }
    }

    #[test]
    fn slots_come_back_from_tags(words in words(), cuts in prop::collection::vec((0_usize..9, 1_usize..4), 0..4)) {
        let text = words.join(" ");
        let mut spans = Vec::new();
        let mut values = Vec::new();
        let mut free = 0;
        for (skip, length) in cuts {
            let (first, last) = (free + skip, free + skip + length - 1);
            if last >= words.len() {
                break;
            }
            let start = words[..first].iter().map(|word| word.len() + 1).sum();
            let value = words[first..=last].join(" ");
            let kind = format!("kind{}", spans.len() % 2);
            spans.push(SlotSpan { kind: kind.clone(), start, end: start + value.len() });
            values.push((kind, value));
            free = last + 1;
        }
        let tagged = tag(&text, &spans).unwrap();
        let read = untag(&tagged);
        prop_assert_eq!(read.text, text);
        let slots: Vec<_> = read.slots.into_iter().map(|slot| (slot.kind, slot.value)).collect();
        prop_assert_eq!(slots, values);
        let alphabet = Alphabet::slots([tagged.as_str()]).unwrap();
        prop_assert_eq!(alphabet.decode(&alphabet.encode(&tagged).ids), tagged);
    }

    #[test]
    fn tagging_any_text_at_any_bytes_is_a_result(text in texts(), start in 0_usize..50, end in 0_usize..50) {
        let spans = [SlotSpan { kind: "x".to_owned(), start, end }];
        if let Ok(tagged) = tag(&text, &spans) {
            prop_assert_eq!(untag(&tagged).slots.len(), 1);
        }
        untag(&text);
    }

    #[test]
    fn normalising_twice_is_normalising_once(text in texts()) {
        for rule in [Normalizer::None, Normalizer::Sure] {
            let once = rule.apply(&text);
            prop_assert_eq!(rule.apply(&once), once);
        }
    }

    #[test]
    fn the_english_rule_takes_any_text(text in texts(), numbers in "[0-9$.%,' a-z]{0,30}") {
        for text in [text, numbers] {
            let normal = Normalizer::English.apply(&text);
            prop_assert_eq!(blank_joined(&normal), normal);
        }
    }
}
