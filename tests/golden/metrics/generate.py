"""Scores of random label lists by scikit-learn, for the classification metrics.

Pinned: Python 3.11 or later, scikit-learn 1.9.1, numpy (only its generator, any 2.x).
Run: python generate.py, which writes metrics.json beside itself.
"""

import json
import pathlib
import warnings

import numpy
import sklearn
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

PINNED = "1.9.1"


def lists(random, items, classes, agreement, predicted_from, references_from):
    """Two label lists that agree in about this share; each side draws from its own classes."""
    names = [f"class {number}" for number in range(classes)]
    references = random.choice(names[references_from:], items)
    guesses = random.choice(names[predicted_from:], items)
    predictions = numpy.where(random.random(items) < agreement, references, guesses)
    if predicted_from:
        # What the references alone have is never predicted.
        predictions = numpy.where(numpy.isin(predictions, names[:predicted_from]), names[-1], predictions)
    return [str(label) for label in predictions], [str(label) for label in references]


def scores(predictions, references):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f1 = {
            f"{average}-f1": f1_score(references, predictions, average=average, zero_division=0)
            for average in ("weighted", "macro", "micro")
        }
        return {
            "accuracy": accuracy_score(references, predictions),
            **f1,
            "uar": balanced_accuracy_score(references, predictions),
        }


def main():
    assert sklearn.__version__ == PINNED, f"this golden is of scikit-learn {PINNED}"
    random = numpy.random.default_rng(20230304)
    cases = []
    # name, items, classes, agreement, first class of the predictions, first class of the references
    shapes = [
        ("one item, hit", 1, 1, 1.0, 0, 0),
        ("one class", 7, 1, 1.0, 0, 0),
        ("two classes", 50, 2, 0.6, 0, 0),
        ("seven classes", 200, 7, 0.5, 0, 0),
        ("chance", 100, 5, 0.0, 0, 0),
        ("perfect", 60, 6, 1.0, 0, 0),
        ("more classes than items", 12, 40, 0.4, 0, 0),
        ("107 classes", 1000, 107, 0.7, 0, 0),
        ("classes absent from the predictions", 80, 6, 0.5, 2, 0),
        ("classes absent from the references", 80, 6, 0.5, 0, 2),
        ("one class in the references", 20, 3, 0.3, 0, 2),
        ("one class in the predictions", 20, 3, 0.0, 2, 0),
    ]
    for name, *shape in shapes:
        predictions, references = lists(random, *shape)
        cases.append((name, predictions, references))
    cases.append(("nothing in common", ["a", "b", "a", "b"], ["c", "d", "d", "c"]))
    cases.append(("one item, miss", ["no"], ["yes"]))
    written = [
        {"name": name, "predictions": predictions, "references": references, "scores": scores(predictions, references)}
        for name, predictions, references in cases
    ]
    text = "[\n" + ",\n".join(json.dumps(case) for case in written) + "\n]\n"
    pathlib.Path(__file__).with_name("metrics.json").write_text(text)


if __name__ == "__main__":
    main()
