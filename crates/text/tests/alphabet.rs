//! Alphabets: what they hold, what they refuse, and the way to tokens and back.

use sure_text::{Alphabet, AlphabetKind, TextError};

const TAGGED: &str = "add B-playlist jazz E-playlist now";

fn stored(kind: &str, tokens: &[&str]) -> Result<Alphabet, String> {
    let json = serde_json::json!({"kind": kind, "tokens": tokens});
    serde_json::from_value(json).map_err(|error| error.to_string())
}

#[test]
fn characters_are_sorted_and_the_blank_is_a_bar() {
    let alphabet = Alphabet::characters(["it's\ta test", "été"]).unwrap();
    assert_eq!(alphabet.tokens(), ["|", "'", "a", "e", "i", "s", "t", "é", "[UNK]", "[PAD]"]);
    assert_eq!((alphabet.len(), alphabet.blank(), alphabet.kind()), (10, 9, AlphabetKind::Characters));
    assert_eq!(alphabet.vocab()["|"], 0);
    assert_eq!(alphabet.vocab().len(), 10);
}

#[test]
fn an_alphabet_of_one_word_texts_can_still_part_words() {
    let alphabet = Alphabet::characters(["yes", "no"]).unwrap();
    assert_eq!(alphabet.encode("yes no").unknown, 0);
}

#[test]
fn blank_texts_and_the_delimiter_are_refused() {
    assert!(matches!(Alphabet::characters(["", " \t"]), Err(TextError::NoTrainingText)));
    assert!(matches!(Alphabet::phones([]), Err(TextError::NoTrainingText)));
    assert!(matches!(Alphabet::slots([" "]), Err(TextError::NoTrainingText)));
    for text in ["a|b", "B-x a|b E-x", "B-x|y"] {
        assert!(matches!(Alphabet::slots([text]), Err(TextError::DelimiterInText { .. })), "{text}");
    }
    assert!(
        matches!(Alphabet::characters(["a|b"]), Err(TextError::DelimiterInText { text }) if text == "a|b")
    );
    for refused in [Alphabet::characters(["a|b"]), Alphabet::phones(["a [PAD]"])] {
        let message = refused.unwrap_err().to_string();
        assert!(message.ends_with("take it out in the manifest, or wherever the text is from"), "{message}");
    }
    let reserved = Alphabet::phones(["AA1 [PAD]"]);
    assert!(matches!(reserved, Err(TextError::ReservedToken { token, .. }) if token == "[PAD]"));
}

#[test]
fn unknown_characters_are_counted_and_shown() {
    let alphabet = Alphabet::characters(["abc"]).unwrap();
    let encoded = alphabet.encode("  a|x\n b ");
    assert_eq!(encoded.unknown, 2);
    assert_eq!(alphabet.decode(&encoded.ids), "a[UNK][UNK] b");
    // What looks like a special token is characters.
    assert_eq!(alphabet.encode("[PAD]").unknown, 5);
}

#[test]
fn a_number_that_no_token_has_decodes_as_unknown() {
    let alphabet = Alphabet::characters(["ab"]).unwrap();
    assert_eq!(alphabet.decode(&[1, 99, usize::MAX]), "a[UNK][UNK]");
}

#[test]
fn greedy_decoding_merges_repeats_before_it_drops_blanks() {
    let alphabet = Alphabet::characters(["hello"]).unwrap();
    let blank = alphabet.blank();
    let [bar, e, h, l, o] = ["|", "e", "h", "l", "o"].map(|token| alphabet.vocab()[token]);
    let frames = [bar, h, h, blank, e, l, l, blank, l, o, o, blank, bar, bar, blank, bar, h, e];
    assert_eq!(alphabet.collapse(&frames), [bar, h, e, l, l, o, bar, bar, h, e]);
    assert_eq!(alphabet.decode_greedy(&frames), "hello he");
    assert_eq!(alphabet.decode_greedy(&[blank, blank]), "");
}

#[test]
fn phones_of_arpabet_have_the_whole_inventory() {
    let alphabet = Alphabet::phones(["HH AH0 L OW1", "SIL"]).unwrap();
    assert_eq!(alphabet.len(), 73);
    assert_eq!(alphabet.encode("ZH OY2 SPN").unknown, 0);
    assert_eq!(Alphabet::phones(["HH AH L OW"]).unwrap().len(), 43);
    let own = Alphabet::phones(["x@ AH0", "b"]).unwrap();
    assert_eq!(own.tokens(), ["AH0", "b", "x@", "[UNK]", "[PAD]"]);
    let encoded = own.encode("b  zz x@");
    assert_eq!((encoded.ids.clone(), encoded.unknown), (vec![1, 3, 2], 1));
    assert_eq!(own.decode(&encoded.ids), "b [UNK] x@");
}

#[test]
fn the_reference_alphabet_of_phones_ends_its_texts() {
    let alphabet = Alphabet::phones_reference();
    assert_eq!(alphabet.len(), 74);
    assert_eq!(alphabet.tokens()[..5], ["<pad>", "<eos>", "<unk>", "SIL", "SPN"]);
    assert_eq!(alphabet.blank(), 0);
    let encoded = alphabet.encode("SIL ZH");
    assert_eq!((encoded.ids, encoded.unknown), (vec![3, 73, 1], 0));
    assert_eq!(alphabet.decode(&[3, 73, 1]), "SIL ZH");
}

#[test]
fn the_decoder_of_the_reference_keeps_repeats_and_stops_at_the_end() {
    let alphabet = Alphabet::phones_reference();
    let frames = [0, 3, 3, 0, 3, 2, 1, 73];
    assert_eq!(alphabet.decode_unmerged(&frames), "SIL SIL SIL <unk>");
    assert_eq!(alphabet.decode_greedy(&frames), "SIL SIL <unk> ZH");
}

#[test]
fn tags_are_one_token_each_and_words_of_their_own() {
    let alphabet = Alphabet::slots([TAGGED, "B-artist x E-artist"]).unwrap();
    let expected = [
        "a",
        "d",
        "j",
        "n",
        "o",
        "w",
        "x",
        "z",
        "|",
        "B-artist",
        "B-playlist",
        "E-artist",
        "E-playlist",
        "[UNK]",
        "[PAD]",
    ];
    assert_eq!(alphabet.tokens(), expected);
    let encoded = alphabet.encode(TAGGED);
    assert_eq!(encoded.ids.len(), "add|b|jazz|e|now".len());
    assert_eq!((alphabet.decode(&encoded.ids).as_str(), encoded.unknown), (TAGGED, 0));
    // A kind that is not known is one unknown token, not its letters.
    assert_eq!(alphabet.encode("B-city a").unknown, 1);
    // A prediction without delimiters around its tags.
    assert_eq!(alphabet.decode(&[0, 10, 2, 12, 1]), "a B-playlist j E-playlist d");
}

#[test]
fn an_alphabet_survives_being_stored() {
    for alphabet in [
        Alphabet::characters(["abc é"]).unwrap(),
        Alphabet::phones(["AH0"]).unwrap(),
        Alphabet::phones_reference(),
        Alphabet::slots([TAGGED]).unwrap(),
    ] {
        let json = serde_json::to_string(&alphabet).unwrap();
        assert_eq!(serde_json::from_str::<Alphabet>(&json).unwrap(), alphabet);
    }
}

#[test]
fn a_damaged_alphabet_is_refused_by_token() {
    for (kind, tokens, message) in [
        ("characters", &["a", "|", "a", "[UNK]", "[PAD]"][..], "the token `a` twice, as 0 and as 2"),
        ("characters", &["a", "|", "[UNK]"], "no token `[PAD]` or `<pad>`"),
        ("phones", &["a", "[PAD]"], "no token `[UNK]` or `<unk>`"),
        ("slots", &["a", "[UNK]", "[PAD]"], "no token `|`"),
        (
            "characters",
            &["ab", "|", "[UNK]", "[PAD]"],
            "token 0 of the alphabet, `ab`, must be one character",
        ),
        ("slots", &["|", "", "[UNK]", "[PAD]"], "token 1 of the alphabet, ``, must be one character"),
        ("phones", &["a b", "[UNK]", "[PAD]"], "must be a symbol without white space"),
        ("letters", &[], "unknown variant `letters`"),
    ] {
        let error = stored(kind, tokens).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    assert!(stored("characters", &["a", "|", "[UNK]", "[PAD]"]).is_ok());
}

#[test]
fn an_alphabet_of_published_tokens_writes_long_tokens_as_they_are() {
    let tokens = ["<pad>", "<s>", "<unk>", "|", "a", "b", "<unk>"].map(str::to_owned).to_vec();
    let alphabet = Alphabet::published(tokens.clone(), 0, Some(2), Some(3)).unwrap();
    assert_eq!(alphabet.decode_greedy(&[1, 1, 3, 4, 4, 0, 4, 3, 0, 3, 5, 6]), "<s> aa b<unk>");
    assert_eq!(alphabet.encode("a c").ids, [4, 3, 2]);
    assert!(Alphabet::published(tokens, 7, None, None).is_err());
    let bare = Alphabet::published(vec!["a".to_owned(), "-".to_owned()], 1, None, None).unwrap();
    assert_eq!((bare.decode_greedy(&[0, 1, 0]), bare.encode("b").ids), ("aa".to_owned(), vec![1]));
}
