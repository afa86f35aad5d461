"""Counts of edits by jiwer, for the edit distance, its alignments, and the error rates.

Pinned: Python 3.11 or later, jiwer 4.0.0 with RapidFuzz 3.14.6, numpy (only its generator, any 2.x).
Run: python generate.py, which writes pairs.json beside itself.
"""

import importlib.metadata
import json
import pathlib

import jiwer
import numpy
import rapidfuzz

PINNED = {"jiwer": "4.0.0", "rapidfuzz": "3.14.6"}

WORDS = (
    "the of and to a in that he was it his is with as I for had you not be her on at by which have or from this him "
    "zwölf Straße naïve cafe\u0301 e\u0301te\u0301 \u00e9t\u00e9 привет мир नमस्ते 你好 世界 שלום مرحبا \U0001f600 o\u0302\u0323 "
    "B-genre E-genre 3:30 a;b don't"
).split()


def edited(random, symbols, inventory, share):
    """The symbols with about this share of them substituted, deleted or doubled by another."""
    result = []
    for symbol in symbols:
        what = random.random()
        if what < share / 3:
            continue
        if what < share * 2 / 3:
            symbol = inventory[random.integers(len(inventory))]
        result.append(symbol)
        if what > 1 - share / 3:
            result.append(inventory[random.integers(len(inventory))])
    return result


def drawn(random, inventory, count):
    return [inventory[random.integers(len(inventory))] for _ in range(count)]


def pairs(random):
    """References and hypotheses, from near to unrelated, from nothing to more than one block of 64 words."""
    for number in range(2000):
        # Few different words make many alignments of the same cost.
        inventory = WORDS[: (2, 4, 10, len(WORDS))[number % 4]]
        most = 220 if number % 100 == 7 else 12
        reference = drawn(random, inventory, random.integers(0, most))
        if number % 5 == 0:
            hypothesis = drawn(random, inventory, random.integers(0, most))
        else:
            hypothesis = edited(random, reference, inventory, (0.05, 0.2, 0.5, 0.8)[number % 5 - 1])
        # A blank more than needed now and then.
        between = "  " if number % 37 == 0 else " "
        yield between.join(reference), " ".join(hypothesis) + (" " if number % 41 == 0 else "")


def counts(output):
    return [output.substitutions, output.deletions, output.insertions, output.hits]


def long_pair(random, length, share):
    """A pair beyond the size at which RapidFuzz cuts the problem in two."""
    reference = "".join(drawn(random, "abcd", length))
    return reference, "".join(edited(random, reference, "abcd", share))


def near(random, length, share):
    """A long pair of few edits, with every one of them, so that the choice among ways of the same cost shows."""
    reference, hypothesis = long_pair(random, length, share)
    edits = rapidfuzz.distance.Levenshtein.editops(reference, hypothesis)
    return {
        "reference": reference,
        "hypothesis": hypothesis,
        "characters": counts(jiwer.process_characters(reference, hypothesis)),
        "edits": [[edit.tag, edit.src_pos, edit.dest_pos] for edit in edits],
    }


def main():
    for package, version in PINNED.items():
        assert importlib.metadata.version(package) == version, f"this golden is of {package} {version}"
    random = numpy.random.default_rng(20230305)
    listed = list(pairs(random))
    references, hypotheses = (list(side) for side in zip(*listed))
    cases = [
        {
            "reference": reference,
            "hypothesis": hypothesis,
            "words": counts(jiwer.process_words(reference, hypothesis)),
            "characters": counts(jiwer.process_characters(reference, hypothesis)),
        }
        for reference, hypothesis in listed
    ]
    long = [
        {"reference": reference, "hypothesis": hypothesis, "characters": counts(jiwer.process_characters(reference, hypothesis))}
        for reference, hypothesis in (long_pair(random, *shape) for shape in [(2500, 0.9), (3000, 0.5), (5000, 0.3)])
    ]
    shapes = [(700, 0.02), (3000, 0.002), (4500, 0.02), (6000, 0.1), (9000, 0.01)]
    few = [near(random, *shape) for shape in shapes]
    pictured = [
        {
            "reference": reference,
            "hypothesis": hypothesis,
            "words": jiwer.visualize_alignment(jiwer.process_words(reference, hypothesis), show_measures=False),
            "characters": jiwer.visualize_alignment(jiwer.process_characters(reference, hypothesis), show_measures=False),
        }
        for reference, hypothesis in listed[:60]
        if reference.split() != hypothesis.split() and len(reference) < 300
    ]
    written = {
        "wer": jiwer.wer(references, hypotheses),
        "cer": jiwer.cer(references, hypotheses),
        "pairs": cases,
        "long": long,
        "near": few,
        "pictures": pictured,
    }
    rows = [f'"wer": {written["wer"]!r}', f'"cer": {written["cer"]!r}']
    for name in ("pairs", "long", "near", "pictures"):
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in written[name])
        rows.append(f'"{name}": [\n{lines}\n]')
    text = "{" + ",\n".join(rows) + "}\n"
    assert json.loads(text) == written
    pathlib.Path(__file__).with_name("pairs.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
