"""Normalised texts, tokens of reference targets and slots of predictions, for `sure-text`.

Pinned: Python 3.11 or later, transformers 5.23.0, whisper-normalizer 0.1.15 (only its list of spellings).
Run: python generate.py, which writes text.json beside itself.

The sentences are of this file: templates that are filled from small lists by a seeded generator, and single cases.
"""

import json
import pathlib
import random
import re
import tempfile

import transformers
import whisper_normalizer
from transformers import Wav2Vec2CTCTokenizer
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

PINNED = "5.23.0"

SINGLE = [
    "",
    " ",
    "Hello,   World!",
    "I'm sure he'd've gone; she won't, can't and ain't.",
    "He's got it. He's been there, he'd been here, they'd gone, it's gone, I'd done that.",
    "Y'all wanna, gotta, gonna go? I'ma go, imma go. Woulda, coulda, shoulda, ma'am.",
    "Mr. Smith and Mrs. Jones met Dr. Who, Prof. X, Capt. Cook, Gov. Y, Ald. Z, Gen. A, Sen. B, Rep. C.",
    "Pres. D, Rev. E, Hon. F, Asst. G, Assoc. H, Lt. I, Col. J, Jr., Sr., Esq., St. Paul",
    "[laughs] so (he said) <noise> it was [music] fine (very fine)",
    "uh um mm hmm mhm mmm well uhm",
    "he 's late , she 'll come",
    "The colour of the aluminium armour was grey; we organised a programme at the theatre.",
    "one two three four five",
    "twenty one, twenty-two, one hundred and one, two thousand and five",
    "nineteen eighty four and twenty twenty one",
    "one oh one dalmatians; double oh seven; triple five one; double eleven",
    "two and a half million, three point five percent, five per cent, five per hour, and a half",
    "a half and a half and a half",
    "zero point zero five, oh point five, point five, point hundred",
    "twenty dollars and fifty cents, one pound, two euros ten cents, three cents, ¢5 and $0.05",
    "$2 and ¢7, $ 2, 2 $, £20 million, €3.50, $1,000,000.00",
    "minus five, negative ten, plus two, positive thinking, minus nothing",
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth twentieth thirtieth",
    "twenty first, thirty second, one hundred third, two thousandth, five millionths, twenties and sixes",
    "the 1st, 2nd, 3rd, 4th, 1960s, 274th, 32nd, 5 th, 60 s, a1b2c3",
    "100 1, 100 one, 20 one, 5 million, 2.5 million, 2.55 hundred, 007, 1.0, 1.50",
    "one two three point four five six, 192 point 168 point 0 point 1",
    "seven hundred seventy seven thousand seven hundred seventy seven",
    "one million two hundred thirty four thousand five hundred sixty seven",
    "a hundred hundred, thousand thousand, million billion trillion decillion",
    "nine hundred ninety nine decillion nine hundred ninety nine nonillion",
    "12345678901234567890 and 0 million and zero million and zero zero seven",
    "five five hundred, fifty five fifty, five ten twenty thirty, eleven twelve",
    "2 and 3, two and three, two hundred and three, hundred and, thousand and and",
    "per cent, percent, dollars, cents, point, double, triple, and, minus",
    "twenty twenty first, one oh first, hundred eleventh, hundred ten eleventh, 5 thirtieth",
    "it costs 20% or 5 % of 3.5%.",
    "e.g. 3. 4 .5 6.. a.b.c. U.S.A.",
    "œuvre søren æon straße đ ð þorn łódź naïve café CRÈME Å ﬁne ½ ² Ⅷ",
    "don’t “quote” — dash … ellipsis • bullet © ® ™ + = < > ~ ^ ` |",
    "日本語 text, русский текст, ไทย",
    "rock 'n' roll o'clock 'tis y'all's",
    "İstanbul ΟΔΟΣ ẞ",
    "tab\tand\nnewline\u00a0nbsp\u3000wide",
    "100,000,000 and 1,2,3",
    "one's ones 1s 11s 1",
    "-5 +5 €5 - 5",
    "$20 dollars, twenty $5 bills, $five",
    "three thousand three hundred point three three three hundred",
]

WORDS = {
    "n": "one two three seven nine ten eleven twelve nineteen twenty thirty ninety hundred thousand million oh zero "
    "first third fifth twelfth twentieth hundredth sixes tens and point double minus dollars cents percent per cent "
    "5 17 2.5 100 3,000 20th $4 £7.50 40%".split(),
    "w": "the a colour centre we've he'll it's analyse travelled Mr. Dr uh catalogue grey plough isn't Zoë jewellery "
    "favourite- (aside) [noise] half street, over".split(),
}


def sentences():
    made = random.Random(20230304)
    for _ in range(300):
        length = made.randint(2, 12)
        yield " ".join(made.choice(WORDS["n" if made.random() < 0.65 else "w"]) for _ in range(length))


def english():
    folder = pathlib.Path(whisper_normalizer.__file__).parent / "normalizers"
    return EnglishTextNormalizer(json.loads((folder / "english.json").read_text()))


def sure(text):
    """The rule of the SURE code, then one blank for white space."""
    return " ".join(re.sub(r"[,?.!\-;:\"]", "", text).lower().split())


# Reference targets of slot filling: words and bare tags. What the reference writes, restated, and its tokens by the
# tokenizer that it uses.
SENTENCES = [
    [("PLAY", "O"), ("JAZZ", "genre"), ("NOW", "O")],
    [("PLAY", "O"), ("R", "genre"), ("&", "genre"), ("B", "genre")],
    [("ADD", "O"), ("THIS", "entity_name"), ("SONG", "entity_name"), ("JAZZ", "genre"), (".", "O")],
    [("JAZZ", "genre"), ("!", "genre"), ("NOW", "O")],
    [("?", "genre"), ("JAZZ", "genre")],
    [("A", "O"), (".,", "O"), ("B", "O")],
]


def target(words):
    parts = []
    tags = [tag for _, tag in words]
    for i, (word, tag) in enumerate(words):
        if word in "?!.,;-":
            continue
        if tag != "O" and (i == 0 or tags[i - 1] != tag):
            parts += ["B-" + tag, "|"]
        parts.append("AND" if word == "&" else word)
        if tag != "O" and (i + 1 == len(words) or tags[i + 1] != tag):
            parts += ["|", "E-" + tag, "|"]
        if i + 1 < len(words):
            parts.append("|")
    return " ".join(parts)


def targets():
    characters = sorted(set("".join("AND" if word == "&" else word for words in SENTENCES for word, _ in words)))
    characters = [character for character in characters if character.isalpha()]
    tags = [side + kind for side in ("B-", "E-") for kind in ("entity_name", "genre")]
    tokens = [*characters, "|", *tags, "[UNK]", "[PAD]"]
    with tempfile.TemporaryDirectory() as folder:
        vocab = pathlib.Path(folder) / "vocab.json"
        vocab.write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
        tokenizer = Wav2Vec2CTCTokenizer(str(vocab), unk_token="[UNK]", pad_token="[PAD]", word_delimiter_token="|")
        for words in SENTENCES:
            text = target(words)
            yield {"words": words, "tokens": tokens, "text": text, "ids": tokenizer.encode(text)}


def slots(tagged):
    """The pattern of SUPERB's slot metrics, with the tags within a value taken out."""
    found = re.findall(r"B\-(\S+) (.+?) E\-\1(?!\S)", re.sub(" +", " ", tagged))
    return [[kind, re.sub(r"[BE]-\S+ ?", "", value).strip()] for kind, value in found]


def predictions():
    made = random.Random(7)
    tags = [side + kind for side in ("B-", "E-") for kind in ("a", "b", "cd")]
    cases = 0
    while cases < 150:
        words = [made.choice(tags if made.random() < 0.45 else ["x", "yy", "z:z", ";"]) for _ in range(made.randint(1, 14))]
        # A slot without words is one here and none there.
        if any(b[:2] == "B-" and e == "E-" + b[2:] for b, e in zip(words, words[1:])):
            continue
        cases += 1
        yield " ".join(words)


def main():
    assert transformers.__version__ == PINNED, f"this golden is of transformers {PINNED}"
    rule = english()
    written = {
        "normalised": [
            {"text": text, "english": rule(text).strip(), "sure": sure(text)} for text in [*SINGLE, *sentences()]
        ],
        "targets": list(targets()),
        "slots": [{"tagged": tagged, "slots": slots(tagged)} for tagged in predictions()],
    }
    lists = [f'"{key}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for key, cases in written.items()]
    pathlib.Path(__file__).with_name("text.json").write_text("{\n" + ",\n".join(lists) + "\n}\n")


if __name__ == "__main__":
    main()
