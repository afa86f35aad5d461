"""Lloyd's k-means of scikit-learn, and HuBERT's loss over masked frames written out in torch.

Run as `python tests/golden/pretrain/generate.py`; it writes pretrain.safetensors next to itself.
Pinned: torch 2.13.0, scikit-learn, numpy. See README.md.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.cluster import KMeans

HERE = Path(__file__).resolve().parent
TEMPERATURE = 0.1


def kmeans() -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(3)
    points = (rng.standard_normal((500, 5)) + 2.5 * rng.integers(-1, 2, (500, 5))).astype(np.float32)
    init = points[rng.choice(500, 12, replace=False)]
    fitted = KMeans(12, init=init, n_init=1, max_iter=300, tol=0.0, algorithm="lloyd").fit(points)
    return {
        "kmeans.points": torch.from_numpy(points),
        "kmeans.init": torch.from_numpy(init),
        "kmeans.centroids": torch.from_numpy(fitted.cluster_centers_),
        "kmeans.labels": torch.from_numpy(fitted.labels_.astype(np.float32)),
        "kmeans.inertia": torch.tensor([fitted.inertia_], dtype=torch.float32),
    }


def objective() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    hidden, weight, bias, clusters = draw(30, 16), 0.3 * draw(8, 16), 0.1 * draw(8), draw(11, 8)
    targets = torch.randint(0, 11, (30,), generator=generator)
    hidden.requires_grad_(True)
    clusters.requires_grad_(True)
    projected = hidden @ weight.T + bias
    cosine = torch.nn.functional.cosine_similarity(projected[:, None], clusters[None], dim=-1)
    scores = torch.exp(cosine / TEMPERATURE)
    right = scores[torch.arange(30), targets] / scores.sum(dim=1)
    loss = -right.log().mean()
    loss.backward()
    named = (scores.argmax(dim=1) == targets).float().mean()
    return {
        "head.hidden": hidden.detach(),
        "head.projection.weight": weight,
        "head.projection.bias": bias,
        "head.clusters": clusters.detach(),
        "head.targets": targets.float(),
        "head.logits": (cosine / TEMPERATURE).detach(),
        "head.loss": loss.detach().reshape(1),
        "head.accuracy": named.reshape(1),
        "head.hidden.grad": hidden.grad,
        "head.clusters.grad": clusters.grad,
    }


def main() -> None:
    tensors = kmeans() | objective()
    save_file({name: value.contiguous() for name, value in tensors.items()}, HERE / "pretrain.safetensors")
    print({name: tuple(value.shape) for name, value in tensors.items()})


if __name__ == "__main__":
    main()
