"""Adapter modules restated in plain PyTorch: outputs and gradients on a batch of two clips.

Run as `python tests/golden/methods/generate.py`; it writes next to itself.
Pinned: torch 2.13.0 and safetensors of that time. See README.md.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
HIDDEN, FRAMES = 32, 20
LENGTHS = [20, 13]
FIXED_FRAMES = 24  # of conv-2022
HEADS, PREFIX, BLOCKS, BLOCK = 4, 5, 3, 1  # of prefix

# Smallest distance of any ReLU's input from its kink; an fp32 difference must not flip one.
kink = float("inf")


def relu(x: torch.Tensor) -> torch.Tensor:
    global kink
    kink = min(kink, x.detach().abs().min().item())
    return F.relu(x)


class Bottleneck(nn.Module):
    def __init__(self, hidden: int, width: int):
        super().__init__()
        self.down = nn.Linear(hidden, width)
        self.up = nn.Linear(width, hidden)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return y + self.up(relu(self.down(y)))


class Convolutions(nn.Module):
    """Three convolutions and a squeeze-excite gate over `[channels, positions]`."""

    def __init__(self, channels: int, inner: int, groups: int, excite: int):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, inner, 3, padding=1, groups=groups, bias=False)
        self.conv2 = nn.Conv1d(inner, inner, 5, padding=2, groups=inner, bias=False)
        self.conv3 = nn.Conv1d(inner, channels, 3, padding=1, groups=groups, bias=False)
        self.squeeze = nn.Linear(channels, excite, bias=False)
        self.excite = nn.Linear(excite, channels, bias=False)

    def gated(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv3(self.conv2(relu(self.conv1(x[None]))))[0]
        gate = torch.sigmoid(self.excite(relu(self.squeeze(x.mean(dim=1)))))
        return gate[:, None] * x


class ConvAdapter(Convolutions):
    """Channels are the hidden axis, positions the frames."""

    def __init__(self, hidden: int, inner: int, excite: int):
        super().__init__(hidden, inner, groups=inner, excite=excite)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return y + self.gated(self.norm(y).T).T


class ConvAdapter2022(Convolutions):
    """Channels are the frames, always FIXED_FRAMES of them, positions the hidden axis."""

    def __init__(self, hidden: int):
        super().__init__(FIXED_FRAMES, FIXED_FRAMES, groups=1, excite=FIXED_FRAMES // 16)
        self.norm = nn.LayerNorm(hidden)
        self.unused_norm = nn.LayerNorm(FIXED_FRAMES)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        frames = y.shape[0]
        padded = F.pad(self.norm(y), (0, 0, 0, FIXED_FRAMES - frames))
        return y + self.gated(padded)[:frames]


class TinyAttention(nn.Module):
    def __init__(self, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.split = nn.Linear(hidden, 3)
        self.attention = nn.MultiheadAttention(1, 1)
        self.expand = nn.Linear(1, hidden)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        query, key, value = self.split(self.norm(y)).split(1, dim=1)
        return y + self.expand(self.attention(query, key, value, need_weights=False)[0])


class ExternalAttention(nn.Module):
    def __init__(self, hidden: int, slots: int):
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.key = nn.Linear(hidden, slots, bias=False)
        self.value = nn.Linear(slots, hidden, bias=False)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        weights = self.key(self.norm(y)).softmax(dim=0)
        weights = weights / (1e-9 + weights.sum(dim=1, keepdim=True))
        return y + self.value(weights)


class TinyConformer(nn.Module):
    def __init__(self, hidden: int, inner: int):
        super().__init__()
        self.pre_norm = nn.LayerNorm(hidden)
        self.pre = nn.Linear(hidden, inner)
        self.conv = ConvAdapter(inner, inner // 2, excite=1)
        self.attention = TinyAttention(inner)
        self.post_norm = nn.LayerNorm(inner)
        self.post = nn.Linear(inner, hidden)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        z = F.silu(self.pre(self.pre_norm(y)))
        z = self.attention(self.conv(z))
        return y + F.silu(self.post(self.post_norm(z)))


class Conv2022Front(nn.Module):
    """Beside a convolution of 6 to 10 channels, kernel 3, stride 2."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(6, 4, 3, stride=2)
        self.pointwise = nn.Conv1d(4, 10, 1)

    def forward(self, x: torch.Tensor, main: torch.Tensor) -> torch.Tensor:
        return main + self.pointwise(F.gelu(self.conv(x)))


class SelfAttention(nn.Module):
    """The frozen attention that prefix is for."""

    def __init__(self, hidden: int):
        super().__init__()
        for name in ("query", "key", "value", "out"):
            setattr(self, name, nn.Linear(hidden, hidden))


class Prefix(nn.Module):
    """Keys and values of a block, `[heads, PREFIX, head_dim]`, laid out as in P-tuning v2."""

    def __init__(self, hidden: int, attention: SelfAttention):
        super().__init__()
        self.embedding = nn.Embedding(PREFIX, BLOCKS * 2 * hidden)
        self.frozen = [attention]  # in a list: not a parameter of this module

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        attention, (frames, hidden) = self.frozen[0], y.shape
        head_dim = hidden // HEADS
        rows = self.embedding(torch.arange(PREFIX)[None])
        rows = rows.reshape(1, PREFIX, BLOCKS * 2, HEADS, head_dim).permute(2, 0, 3, 1, 4)
        prefix_key, prefix_value = rows[2 * BLOCK, 0], rows[2 * BLOCK + 1, 0]

        def heads(x: torch.Tensor) -> torch.Tensor:
            return x.reshape(frames, HEADS, head_dim).transpose(0, 1)

        query = heads(attention.query(y)) * head_dim**-0.5
        key = torch.cat([prefix_key, heads(attention.key(y))], dim=1)
        value = torch.cat([prefix_value, heads(attention.value(y))], dim=1)
        mixed = (query @ key.transpose(1, 2)).softmax(dim=-1) @ value
        return attention.out(mixed.transpose(0, 1).reshape(frames, hidden))


def seed_parameters(module: nn.Module, seed: int, scale: float = 0.3) -> None:
    """Normal values in the order of the names: norms around 1 and 0, what is small by nature larger."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        center = 1.0 if "norm.weight" in name else 0.0
        # Means over time are near 0, and an attention of width 1 is flat with small weights.
        large = any(part in name for part in ("squeeze.", "excite.", "in_proj", "out_proj"))
        parameter.data = center + (1.0 if large else scale) * noise


def per_clip(module: nn.Module, y: torch.Tensor, w: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs and gradients of the sum of `out * w`, each clip alone at its real length, no masks."""
    module.zero_grad(set_to_none=True)
    result, loss = {}, torch.zeros((), dtype=y.dtype)
    clips = [y[i, :length].clone().requires_grad_() for i, length in enumerate(LENGTHS)]
    for i, clip in enumerate(clips):
        out = module(clip)
        loss = loss + (out * w[i, : LENGTHS[i]]).sum()
        result[f"out.{i}"] = out.detach()
    loss.backward()
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            result[f"grad.{name}"] = parameter.grad.clone()
    for i, clip in enumerate(clips):
        result[f"grad_y.{i}"] = clip.grad.clone()
    return result


def front(module: nn.Module, x: torch.Tensor, main: torch.Tensor, w: torch.Tensor) -> dict[str, torch.Tensor]:
    module.zero_grad(set_to_none=True)
    x = x.clone().requires_grad_()
    out = module(x, main)
    (out * w).sum().backward()
    result = {"out": out.detach(), "grad_x": x.grad.clone()}
    return result | {f"grad.{name}": p.grad.clone() for name, p in module.named_parameters()}


def checked(name: str, modules: list[nn.Module], run: Callable[[torch.dtype], dict[str, torch.Tensor]]) -> dict:
    """What `run` gives in fp32, with every gradient non-zero, and near fp64."""
    global kink
    kink = float("inf")
    result = run(torch.float32)
    assert kink > 1e-4, (name, kink)
    for module in modules:
        module.double()
    worst = 0.0
    for key, true in run(torch.float64).items():
        worst = max(worst, ((result[key] - true).abs().max() / max(1.0, true.abs().max())).item())
    for module in modules:
        module.float()
    assert worst < 5e-6, (name, worst)
    small = {key: t.abs().max().item() for key, t in result.items() if key.startswith("grad")}
    if name == "external-attention":
        # A constant along time, which the softmax over time takes away: zero but for rounding.
        assert small.pop("grad.norm.bias") < 1e-5
    weakest = min(small, key=small.get)
    assert small[weakest] > 3e-2, (name, weakest, small[weakest])
    print(f"{name:18} fp64 {worst:.1e}  kink {kink:.1e}  weakest {weakest} {small[weakest]:.3f}")
    return {f"{name}.{key}": tensor for key, tensor in result.items()}


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(50)
    y = torch.randn(2, FRAMES, HIDDEN, generator=generator)
    y = y + 0.3  # a mean, which layer norms take away
    for i, length in enumerate(LENGTHS):
        y[i, length:] = 5 * torch.randn(FRAMES - length, HIDDEN, generator=generator)
    w = torch.randn(2, FRAMES, HIDDEN, generator=generator)
    out = {"y": y, "w": w, "lengths": torch.tensor(LENGTHS, dtype=torch.float32)}

    attention = SelfAttention(HIDDEN)
    seed_parameters(attention, seed=60, scale=0.15)
    methods = {
        "bottleneck": (Bottleneck(HIDDEN, 16), 51),
        "conv": (ConvAdapter(HIDDEN, 16, excite=2), 55),
        "tiny-attention": (TinyAttention(HIDDEN), 78),
        "external-attention": (ExternalAttention(HIDDEN, 8), 53),
        "tiny-conformer": (TinyConformer(HIDDEN, 8), 77),
        "conv-2022": (ConvAdapter2022(HIDDEN), 58),
        "prefix": (Prefix(HIDDEN, attention), 57),
    }
    for name, (module, seed) in methods.items():
        module.eval()
        seed_parameters(module, seed)
        out |= {f"{name}.param.{key}": p.detach().clone() for key, p in module.named_parameters()}
        modules = [module, attention] if name == "prefix" else [module]
        out |= checked(name, modules, lambda dtype: per_clip(module, y.to(dtype), w.to(dtype)))
    out |= {f"prefix.attention.{key}": p.detach().clone() for key, p in attention.named_parameters()}

    name, module = "conv-2022-front", Conv2022Front()
    seed_parameters(module, seed=59)
    x = torch.randn(2, 6, 50, generator=generator)
    y0, w2 = torch.randn(2, 2, 10, 24, generator=generator)
    out |= {f"{name}.x": x, f"{name}.y0": y0, f"{name}.w": w2}
    out |= {f"{name}.param.{key}": p.detach().clone() for key, p in module.named_parameters()}
    out |= checked(name, [module], lambda dtype: front(module, x.to(dtype), y0.to(dtype), w2.to(dtype)))

    save_file({key: t.contiguous() for key, t in out.items()}, HERE / "reference.safetensors")
    for key, tensor in out.items():
        print(f"{key:52} {str(list(tensor.shape)):13} rms {tensor.square().mean().sqrt():.3f} max {tensor.abs().max():.2f}")


if __name__ == "__main__":
    main()
