"""Slot metrics of random tagged pairs, restated from their definitions with regular expressions and plain loops.

Pinned: Python 3.11 or later, its standard library alone.
Run: python generate.py, which writes slots.json beside itself.
"""

import json
import pathlib
import random
import re

WORDS = "PLAY SOME JAZZ BY MILES DAVIS AT 3:30 ROCK;ROLL ÉTÉ ZWÖLF 你好 cafe\u0301 DON'T A A B-SIDE E-MAIL : ;".split()
KINDS = "genre artist timeRange playlist playlist_owner".split()

# A tag is a whole word, so white space stands around it; the nearest end of the same kind closes a slot.
SLOT = re.compile(r"(?<!\S)B-(\S+) (\S.*?) E-\1(?!\S)")
TAG = re.compile(r"(?<!\S)[BE]-\S+(?!\S)")


def found(text):
    return SLOT.findall(re.sub(r"\s+", " ", text).strip())


def bare(value):
    return " ".join(TAG.sub("", value).split())


def type_f1(prediction, reference):
    predicted = {kind for kind, _ in found(prediction)}
    right = {kind for kind, _ in found(reference)}
    if not predicted and not right:
        return 1.0
    if not predicted or not right:
        return 0.0
    precision = sum(kind in right for kind in predicted) / len(predicted)
    recall = sum(kind in predicted for kind in right) / len(right)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            corner, row[j] = row[j], min(corner + (left != right), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def value_edits(prediction, reference):
    """Edits and characters of the reference's values."""
    predicted = [(kind, bare(value)) for kind, value in found(prediction)]
    edits = characters = 0
    for kind, right in found(reference):
        candidates = [value for other, value in predicted if other == kind] or [""]
        best = min(candidates, key=lambda value: distance(right, value) / len(right))
        edits += distance(right, best)
        characters += len(right)
    return [edits, characters]


def edit_counts(prediction, reference):
    """True positives, false negatives and false positives of s3prl's slot_edit_f1_full."""
    predicted = [(kind, bare(value)) for kind, value in found(prediction)]
    right = found(reference)
    hits = sum(slot in predicted for slot in right)
    missed = len(right) - hits
    claimed = sum(slot not in predicted and any(kind == slot[0] for kind, _ in predicted) for slot in right)
    claimed += sum(all(kind != other for other, _ in right) for kind, _ in predicted)
    return [hits, missed, claimed]


def slot(kind, words):
    return ["B-" + kind, *words, "E-" + kind]


def drawn():
    pieces = []
    for _ in range(random.randint(0, 5)):
        words = [random.choice(WORDS) for _ in range(random.randint(1, 3))]
        pieces += slot(random.choice(KINDS), words) if random.random() < 0.6 else words
    return pieces


def disturbed(words):
    """A prediction: letters, words and tags lost, swapped, doubled and put in."""
    result = []
    for word in words:
        what = random.random()
        if what < 0.06:
            continue
        if what < 0.12:
            word = word[:-1] or word
        elif what < 0.16:
            word = random.choice(WORDS)
        elif what < 0.20 and TAG.fullmatch(word):
            word = word[:2] + random.choice(KINDS)
        result.append(word)
        if what > 0.97:
            result.append(random.choice("BE") + "-" + random.choice(KINDS))
        elif what > 0.94:
            result += slot(random.choice(KINDS), [random.choice(WORDS)])
        elif what > 0.92:
            result.append(word)
    return result


def main():
    random.seed(20230306)
    cases = []
    for number in range(300):
        reference = drawn()
        prediction = drawn() if number % 20 == 0 else list(reference) if number % 20 == 1 else disturbed(reference)
        between = "  " if number % 7 == 0 else " "
        prediction, reference = between.join(prediction), " ".join(reference)
        cases.append(
            {
                "prediction": prediction,
                "reference": reference,
                "type_f1": type_f1(prediction, reference),
                "value_edits": value_edits(prediction, reference),
                "edit_counts": edit_counts(prediction, reference),
            }
        )
    edits, characters = (sum(column) for column in zip(*(case["value_edits"] for case in cases)))
    hits, missed, claimed = (sum(column) for column in zip(*(case["edit_counts"] for case in cases)))
    scores = {
        "slot-type-f1": sum(case["type_f1"] for case in cases) / len(cases),
        "slot-value-cer": edits / characters,
        "slot-edit-f1-full": 2 * hits / (2 * hits + missed + claimed),
    }
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    text = f'{{"scores": {json.dumps(scores)},\n"pairs": [\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_name("slots.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
