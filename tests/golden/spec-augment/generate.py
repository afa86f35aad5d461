"""Statistics of the frames that transformers' SpecAugment hides, for settings and lengths.

Run as `python tests/golden/spec-augment/generate.py`; it writes reference.json next to itself.
Pinned: torch 2.13.0, transformers 5.23.0, numpy. See README.md.
"""

import json
from pathlib import Path

import numpy as np
import torch
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

HERE = Path(__file__).resolve().parent
DRAWS = 20_000
# share (mask_time_prob), length, fewest spans, frames of the two clips of a batch
CASES = [(0.05, 10, 2, 124, 90), (0.05, 10, 2, 624, 400), (0.2, 5, 1, 60, 23), (0.65, 10, 2, 200, 49)]


def statistics(share: float, length: int, least: int, frames: list[int]) -> list[dict]:
    np.random.seed(31)
    time = max(frames)
    mask = torch.arange(time)[None] < torch.tensor(frames)[:, None]
    drawn = np.stack(
        [_compute_mask_indices((2, time), share, length, attention_mask=mask.long(), min_masks=least) for _ in range(DRAWS)]
    )
    out = []
    for row, real in enumerate(frames):
        hidden = drawn[:, row, :real]
        assert not drawn[:, row, real:].any()
        per_frame = hidden.mean(axis=0)
        out.append(
            {
                "frames": real,
                "mean": float(hidden.mean()),
                "deviation": float(hidden.mean(axis=1).std()),
                "first": float(per_frame[0]),
                "middle": float(per_frame[real // 2]),
                "last": float(per_frame[-1]),
            }
        )
    return out


def main() -> None:
    cases = [
        {"share": share, "length": length, "min_spans": least, "clips": statistics(share, length, least, list(frames))}
        for share, length, least, *frames in CASES
    ]
    (HERE / "reference.json").write_text(json.dumps({"draws": DRAWS, "cases": cases}, indent=2) + "\n")
    print(json.dumps(cases, indent=1))


if __name__ == "__main__":
    main()
