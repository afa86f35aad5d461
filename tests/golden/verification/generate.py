"""Equal error rates and detection costs of random trials, from scikit-learn's ROC curves.

Pinned: Python 3.11 or later, scikit-learn 1.9.1, scipy 1.17.1, numpy (only its generator, any 2.x).
Run: python generate.py, which writes trials.json beside itself.
"""

import json
import pathlib

import numpy
import scipy
import sklearn
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

PINNED = {sklearn: "1.9.1", scipy: "1.17.1"}


def equal_error_rate(labels, scores):
    alarms, hits, _ = roc_curve(labels, scores, pos_label=1, drop_intermediate=False)
    return float(brentq(lambda x: 1.0 - x - interp1d(alarms, hits)(x), 0.0, 1.0, xtol=1e-15))


def min_detection_cost(labels, scores, prior):
    alarms, hits, _ = roc_curve(labels, scores, pos_label=1, drop_intermediate=False)
    costs = prior * (1.0 - hits) + (1.0 - prior) * alarms
    return float(costs.min() / min(prior, 1.0 - prior))


def main():
    for package, version in PINNED.items():
        assert package.__version__ == version, f"this golden is of {package.__name__} {version}"
    random = numpy.random.default_rng(20230307)
    cases = []
    for number in range(20):
        count = (12, 60, 300, 700)[number % 4]
        labels = (random.random(count) < (0.5, 0.1, 0.8)[number % 3]).astype(int)
        labels[:2] = [0, 1]
        scores = random.normal(size=count) + labels * (0.0, 1.0, 2.0, 4.0, -0.5)[number % 5]
        # Few decimals make equal scores, also across the labels.
        scores = numpy.round(scores, (1, 3, 0)[number % 3])
        cases.append(
            {
                "scores": scores.tolist(),
                "labels": labels.tolist(),
                "eer": equal_error_rate(labels, scores),
                "min_dcf": {str(prior): min_detection_cost(labels, scores, prior) for prior in (0.01, 0.05, 0.5, 0.9)},
            }
        )
    text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
    pathlib.Path(__file__).with_name("trials.json").write_text(text)


if __name__ == "__main__":
    main()
