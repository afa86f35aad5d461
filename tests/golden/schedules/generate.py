"""Learning-rate factors: transformers' linear schedule, and the tri-stage one of speech recognition.

Run as `python tests/golden/schedules/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0. See README.md.
"""

import json
import math
from pathlib import Path

import torch
from transformers import get_linear_schedule_with_warmup

HERE = Path(__file__).resolve().parent
LINEAR = [(10, 0), (10, 1), (20, 2), (7, 3), (100, 10), (5, 5), (5, 8), (1, 0)]
TRI_STAGE = [(100, 10, 0.1), (37, 4, 0.1), (50, 0, 0.0), (20, 3, 0.25), (2000, 1000, 0.0)]


def linear(total: int, warmup: int) -> list[float]:
    """Factors at step 0..=total, asked of transformers itself (base rate 1)."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=warmup, num_training_steps=total)
    factors = []
    for _ in range(total + 1):
        factors.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return factors


def tri_stage(total: int, warmup: int, warmup_ratio: float) -> tuple[int, list[float]]:
    """Boundary of the flat phase, and factors at step 0..=total.

    step / warmup below warmup; 1 below the boundary ceil(total * (0.4 + warmup_ratio)); then
    (total - step) / (total - boundary). With a boundary below the warm-up there is no flat phase.
    """
    boundary = math.ceil(total * (0.4 + warmup_ratio))
    factors = []
    for step in range(total + 1):
        if step < warmup:
            factors.append(step / warmup)
        elif step < boundary:
            factors.append(1.0)
        else:
            factors.append((total - step) / (total - boundary))
    return boundary, factors


def main() -> None:
    out = {"linear": [], "tri_stage": []}
    for total, warmup in LINEAR:
        out["linear"].append({"total": total, "warmup": warmup, "factors": linear(total, warmup)})
    for total, warmup, ratio in TRI_STAGE:
        boundary, factors = tri_stage(total, warmup, ratio)
        out["tri_stage"].append(
            {"total": total, "warmup": warmup, "warmup_ratio": ratio, "boundary": boundary, "factors": factors}
        )
    (HERE / "reference.json").write_text(json.dumps(out, indent=None, separators=(",", ":")) + "\n")
    odd = out["tri_stage"][-1]["factors"]
    print("empty flat phase: 999, 1000, 2000 ->", odd[999], odd[1000], odd[2000])


if __name__ == "__main__":
    main()
