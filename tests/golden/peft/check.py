"""Exports of `sure` loaded by peft and transformers: do they give the hidden states that `extract` wrote?

Run by hand, see README.md:
    python check.py clip a.wav
    python check.py adapter EXPORTED BASE STATES
    python check.py full EXPORTED STATES
Exits with 1 where a difference is above the tolerance or a tensor is missing, else 0.
Pinned: torch 2.13.0, transformers 5.23.0, peft 0.21.2.
"""

import argparse
import struct
import sys
from pathlib import Path

import torch
import transformers
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModel, Wav2Vec2FeatureExtractor

REFERENCE = Path(__file__).resolve().parent.parent / "speech" / "wav2vec2-base" / "reference.safetensors"
SAMPLE_RATE = 16_000


def clip() -> torch.Tensor:
    """Clip a of ../speech, `[samples]`; the same for every backbone there."""
    return load_file(REFERENCE)["wave_a"]


def write_wav(path: Path) -> None:
    """Clip a as 32-bit float mono, so that nothing is rounded."""
    data = clip().numpy().astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, SAMPLE_RATE, 4 * SAMPLE_RATE, 4, 32)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    print(f"{path}: {len(data) // 4} samples at {SAMPLE_RATE} Hz")


def load_base(folder: Path) -> torch.nn.Module:
    model, info = AutoModel.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32, output_loading_info=True, local_files_only=True
    )
    if info["missing_keys"] or info["mismatched_keys"]:
        sys.exit(f"{folder} lacks {sorted(info['missing_keys'])}, other shapes {sorted(info['mismatched_keys'])}")
    if info["unexpected_keys"]:
        print(f"not part of the encoder: {sorted(info['unexpected_keys'])}")
    return model.eval()


def load_adapter(folder: Path, base: torch.nn.Module) -> PeftModel:
    model = PeftModel.from_pretrained(base, folder).eval()
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    found = set(load_file(folder / "adapter_model.safetensors"))
    # peft only warns of these.
    if wanted - found:
        sys.exit(f"{folder} lacks {sorted(wanted - found)}")
    if found - wanted:
        sys.exit(f"{folder} has what its settings do not name: {sorted(found - wanted)}")
    return model


def last_hidden_state(model: torch.nn.Module, preprocessor: Path) -> torch.Tensor:
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(preprocessor, local_files_only=True)
    values = extractor(clip().numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
    with torch.inference_mode():
        return model(values).last_hidden_state[0]


def extracted(path: Path, stem: str) -> torch.Tensor:
    """The last layer of a clip in what `extract` wrote, `[frames, hidden]`."""
    states = load_file(path)
    layers = [int(name.rsplit(".", 1)[1]) for name in states if name.startswith(f"{stem}/layer.")]
    if not layers:
        sys.exit(f"{path} has no {stem}/layer.<i>, only {sorted(states)}")
    name = f"{stem}/layer.{max(layers)}"
    print(f"{path}: {name} {list(states[name].shape)}")
    return states[name]


def compare(theirs: torch.Tensor, ours: torch.Tensor, tolerance: float) -> int:
    if theirs.shape != ours.shape:
        print(f"shapes differ: {list(theirs.shape)} and {list(ours.shape)}")
        return 1
    largest = (theirs - ours.float()).abs().max().item()
    relative = largest / max(1.0, theirs.abs().max().item())
    print(f"largest difference {largest:.2e}, over max(1, max abs) {relative:.2e}, tolerance {tolerance:.0e}")
    return 0 if relative <= tolerance else 1  # a NaN fails


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("clip", help="write clip a for extract").add_argument("wav", type=Path)
    adapter = modes.add_parser("adapter", help="adapter_config.json and adapter_model.safetensors on a base")
    adapter.add_argument("exported", type=Path)
    adapter.add_argument("base", type=Path)
    full = modes.add_parser("full", help="a whole transformers checkpoint")
    full.add_argument("exported", type=Path)
    for mode in (adapter, full):
        mode.add_argument("states", type=Path, help="what extract wrote of the clip")
        mode.add_argument("--stem", default="a", help="the clip's name in it")
        mode.add_argument("--tolerance", type=float, default=1e-5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if args.mode == "clip":
        write_wav(args.wav)
        return 0
    if args.mode == "adapter":
        base = load_base(args.base)
        plain = last_hidden_state(base, args.base)
        theirs = last_hidden_state(load_adapter(args.exported, base), args.base)
        print(f"the adapter moves the base by up to {(theirs - plain).abs().max():.2e}")
    else:
        theirs = last_hidden_state(load_base(args.exported), args.exported)
    return compare(theirs, extracted(args.states, args.stem), args.tolerance)


if __name__ == "__main__":
    sys.exit(main())
