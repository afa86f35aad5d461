"""The masked-mean sequence classifier on a padded batch: logits, loss, gradients.

Run as `python tests/golden/classifier/generate.py`; it writes next to itself.
Pinned: torch 2.13.0. See README.md.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

HERE = Path(__file__).resolve().parent
HIDDEN, PROJECTOR, CLASSES, TIME = 12, 6, 4, 9
LENGTHS = torch.tensor([9, 5, 1, 7])
LABELS = torch.tensor([2, 0, 3, 0])


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(41)

    def draw(*shape: int, scale: float) -> torch.Tensor:
        return (scale * torch.randn(shape, generator=generator)).requires_grad_()

    trainable = {
        "projector.weight": draw(PROJECTOR, HIDDEN, scale=0.4),
        "projector.bias": draw(PROJECTOR, scale=0.3),
        "classifier.weight": draw(CLASSES, PROJECTOR, scale=0.6),
        "classifier.bias": draw(CLASSES, scale=0.3),
        # Not zero beyond the lengths: a head that forgets the mask gives other logits.
        "hidden": draw(len(LENGTHS), TIME, HIDDEN, scale=1.0),
    }
    valid = torch.arange(TIME)[None] < LENGTHS[:, None]

    projected = functional.linear(trainable["hidden"], trainable["projector.weight"], trainable["projector.bias"])
    projected = projected.masked_fill(~valid[..., None], 0.0)
    pooled = projected.sum(dim=1) / valid.sum(dim=1, keepdim=True)
    logits = functional.linear(pooled, trainable["classifier.weight"], trainable["classifier.bias"])
    loss = functional.cross_entropy(logits, LABELS)
    loss.backward()
    assert not trainable["hidden"].grad[~valid].any()

    out = {name: t.detach() for name, t in trainable.items()}
    out |= {f"grad.{name}": t.grad for name, t in trainable.items()}
    out |= {
        "lengths": LENGTHS.to(torch.float32),
        "labels": LABELS.to(torch.float32),
        "pooled": pooled.detach(),
        "logits": logits.detach(),
        "loss": loss.detach(),
    }
    save_file({name: t.contiguous() for name, t in out.items()}, HERE / "reference.safetensors")
    print(loss.item(), logits.tolist())


if __name__ == "__main__":
    main()
