"""Fifty steps of torch.optim.AdamW on given gradients, and gradient clipping.

Run as `python tests/golden/adamw/generate.py`; it writes next to itself.
Pinned: torch 2.13.0. See README.md.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
SHAPES = {"matrix": (3, 4), "vector": (5,), "cube": (2, 2, 2)}
DECAY = {"matrix": 0.01, "vector": 0.0, "cube": 0.01}
STEPS = 50
SNAPSHOTS = (1, 10, 50)


def learning_rates() -> list[float]:
    """Warm-up over 5 steps (first one zero), then linear decay, peak 0.02."""
    return [0.02 * (step / 5 if step < 5 else (STEPS - step) / (STEPS - 5)) for step in range(STEPS)]


def gradients(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """`[steps, *shape]` each, over several magnitudes, with the cases that epsilon decides."""
    out = {}
    for name, shape in SHAPES.items():
        magnitude = 10.0 ** (torch.rand(STEPS, generator=generator) * 4 - 3)
        values = torch.randn((STEPS, *shape), generator=generator)
        out[name] = values * magnitude.reshape(-1, *[1] * len(shape))
    out["vector"][:, 0] = 0.0  # never any gradient: the entry must not move
    out["vector"][:, 1] *= 1e-8  # moments near epsilon
    out["cube"][20:25] = 0.0  # a pause: momentum and decay alone move it
    return out


def clipping(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Inputs, total norm and outputs of clip_grad_norm_ at 1.0, for a large and a small gradient."""
    out = {}
    for case, scale in (("large", 2.0), ("small", 0.05)):
        parameters = []
        for name, shape in SHAPES.items():
            parameter = torch.nn.Parameter(torch.zeros(shape))
            parameter.grad = scale * torch.randn(shape, generator=generator)
            out[f"clip.{case}.input.{name}"] = parameter.grad.clone()
            parameters.append(parameter)
        out[f"clip.{case}.norm"] = torch.nn.utils.clip_grad_norm_(parameters, max_norm=1.0)
        for name, parameter in zip(SHAPES, parameters):
            out[f"clip.{case}.output.{name}"] = parameter.grad.clone()
    return out


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(31)
    parameters = {name: torch.nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in SHAPES.items()}
    grads = gradients(generator)
    rates = learning_rates()
    out = {f"initial.{name}": p.detach().clone() for name, p in parameters.items()}
    out |= {f"grad.{name}": g for name, g in grads.items()}
    out["lr"] = torch.tensor(rates)

    optimizer = torch.optim.AdamW(
        [{"params": [p], "weight_decay": DECAY[name]} for name, p in parameters.items()],
        lr=rates[0],
        betas=(0.9, 0.999),
        eps=1e-8,
        foreach=False,
    )
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        for name, parameter in parameters.items():
            parameter.grad = grads[name][step].clone()
        optimizer.step()
        if step + 1 in SNAPSHOTS:
            out |= {f"after.{step + 1}.{name}": p.detach().clone() for name, p in parameters.items()}
    for name, parameter in parameters.items():
        out[f"exp_avg.{name}"] = optimizer.state[parameter]["exp_avg"].clone()
        out[f"exp_avg_sq.{name}"] = optimizer.state[parameter]["exp_avg_sq"].clone()
    out |= clipping(generator)
    save_file({name: t.contiguous() for name, t in out.items()}, HERE / "reference.safetensors")
    print(out["initial.vector"].tolist(), out["after.50.vector"].tolist(), out["clip.large.norm"], out["clip.small.norm"])


if __name__ == "__main__":
    main()
