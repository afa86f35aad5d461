"""State dicts as PyTorch itself saves them, in both of its forms, and the same values as safetensors.

Run by hand: python generate.py
"""

import collections
import json
import pathlib

import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent


def tensors():
    """Every type of elements, views of all kinds, numbers of no and of zero elements."""
    torch.manual_seed(1)
    whole = torch.arange(12)
    base = torch.randn(4, 6)
    return {
        "f32": torch.randn(2, 3),
        "f16": torch.randn(5).half(),
        "bf16": torch.randn(3, 1, 2).bfloat16(),
        "f64": torch.randn(2).double(),
        "i64": whole - 5,
        "i32": whole.int()[:3].clone(),
        "i16": torch.tensor([-300, 300], dtype=torch.int16),
        "i8": torch.tensor([-1, 127], dtype=torch.int8),
        "u8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "transposed": base.t(),
        "part": base[1:3, ::2],
        "shared.a": base,
        "shared.b": base[2],
        "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
        "number": torch.tensor(2.5),
        "empty": torch.zeros(0, 7),
        "big": torch.randn(300, 5),
        "parameter": torch.nn.Parameter(torch.randn(3)),
    }


class Net(torch.nn.Module):
    """Both spellings of weight norm, a buffer of whole numbers, a name that is not ASCII."""

    def __init__(self):
        super().__init__()
        old = torch.nn.Conv1d(4, 4, 3, groups=2)
        self.old = torch.nn.utils.weight_norm(old, name="weight", dim=2)
        new = torch.nn.Conv1d(4, 4, 3, groups=2)
        self.new = torch.nn.utils.parametrizations.weight_norm(new, name="weight", dim=2)
        self.norm = torch.nn.BatchNorm1d(4)
        self.register_buffer("größe", torch.tensor([1.0]))


def save(name, value, expected):
    torch.save(value, HERE / f"{name}.zip.bin")
    torch.save(value, HERE / f"{name}.legacy.bin", _use_new_zipfile_serialization=False)
    expected = {key: tensor.detach().clone().contiguous() for key, tensor in expected.items()}
    safetensors.torch.save_file(expected, HERE / f"{name}.safetensors")


def main():
    torch.manual_seed(0)
    plain = tensors()
    save("tensors", plain, plain)

    net = Net()
    state = net.state_dict()
    assert hasattr(state, "_metadata")
    save("net", state, state)
    # The parameters themselves in the place of tensors, as some tools save them.
    save("parameters", collections.OrderedDict(net.named_parameters()), dict(net.named_parameters()))

    nested = {
        "model": state,
        "epoch": 3,
        "best": 0.25,
        "name": "checkpoint",
        "done": True,
        "nothing": None,
        "dtype": torch.float16,
        "betas": (0.9, 0.98),
        "list": [1, torch.ones(2), "x"],
        "big": 1 << 40,
        "negative": -7,
        "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(2)}}, "param_groups": []},
    }
    expected = {f"model.{key}": value for key, value in state.items()}
    slots = nested["optimizer"]["state"][0]
    expected |= {f"optimizer.state.0.{key}": value for key, value in slots.items()}
    save("nested", nested, expected)
    networks()


def networks():
    """The networks of ../speech as PyTorch would have saved them, one of them in two shards, in the old spelling."""
    for name in ("hubert-base", "wav2vec2-large"):
        state = safetensors.torch.load_file(HERE.parent / "speech" / name / "model.safetensors")
        spelling = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        old = {}
        for key, value in state.items():
            for new, past in spelling.items():
                key = key.replace(new, past)
            old[key] = value
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        if name == "hubert-base":
            torch.save(state, folder / "zip.bin")
            torch.save(old, folder / "legacy.bin", _use_new_zipfile_serialization=False)
            continue
        keys = sorted(old)
        half = len(keys) // 2
        shards = {"pytorch_model-00001-of-00002.bin": keys[:half], "pytorch_model-00002-of-00002.bin": keys[half:]}
        for file, members in shards.items():
            torch.save({key: old[key].clone() for key in members}, folder / file)
        places = {key: file for file, members in shards.items() for key in members}
        size = sum(value.numel() * value.element_size() for value in old.values())
        index = {"metadata": {"total_size": size}, "weight_map": places}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")


main()
