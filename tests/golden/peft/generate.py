"""LoRA by peft on the tiny wav2vec2 and HuBERT of ../speech: adapters, hidden states, merged weights.

Run as `python tests/golden/peft/generate.py`; it writes next to itself and reads ../speech.
Pinned: torch 2.13.0, transformers 5.23.0, peft 0.21.2. See README.md.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).resolve().parent
SPEECH = HERE.parent / "speech"
sys.path.insert(0, str(SPEECH))
import generate as speech  # noqa: E402  (the folder above must be on the path first)

ALL = ["q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense"]
# folder -> (backbone of ../speech, seed, std of A and B, settings, merged weights that are kept)
ADAPTERS = {
    "wav2vec2-base": (
        "wav2vec2-base",
        71,
        0.3,
        {"r": 4, "lora_alpha": 2, "target_modules": ALL},
        ["encoder.layers.0.attention.q_proj.weight", "encoder.layers.1.feed_forward.intermediate_dense.weight"],
    ),
    "hubert-large": (
        "hubert-large",
        72,
        0.3,
        {"r": 4, "lora_alpha": 2, "target_modules": ALL},
        ["encoder.layers.0.attention.out_proj.weight", "encoder.layers.2.feed_forward.output_dense.weight"],
    ),
    "wav2vec2-base-subset": (
        "wav2vec2-base",
        73,
        0.2,
        {"r": 2, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1, 2]},
        ["encoder.layers.1.attention.q_proj.weight", "encoder.layers.2.attention.v_proj.weight"],
    ),
}


def base_model(backbone: str) -> nn.Module:
    model = speech.load_model(backbone)
    # peft writes the path of the base into its settings.
    model.name_or_path = model.config._name_or_path = "tiny-random-speech"
    return model


def seed_adapter(model: PeftModel, seed: int, scale: float) -> int:
    """Non-zero A and B, in the order of their names; returns how many there are."""
    generator = torch.Generator().manual_seed(seed)
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(".lora_A." in name or ".lora_B." in name for name in found)
    for _, parameter in sorted(found.items()):
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return len(found)


def save_adapter(model: PeftModel, folder: Path) -> None:
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()  # peft's model-card template, nothing in it
    # peft writes sets in hash order, which differs from run to run.
    card = folder / "adapter_config.json"
    settings = json.loads(card.read_text())
    settings["target_modules"].sort()
    (settings["modules_to_save"] or []).sort()
    card.write_text(json.dumps(settings, indent=2) + "\n")


def references(folder: str) -> dict[str, torch.Tensor]:
    backbone, seed, scale, settings, kept = ADAPTERS[folder]
    inputs = load_file(SPEECH / backbone / "reference.safetensors")
    extractor = speech.load_extractor(backbone)
    values = {
        clip: extractor(inputs[f"wave_{clip}"].numpy(), sampling_rate=speech.SAMPLE_RATE, return_tensors="pt").input_values
        for clip in speech.SAMPLES
    }

    def last(model: nn.Module, clip: str) -> torch.Tensor:
        dtype = next(model.parameters()).dtype
        return model(values[clip].to(dtype)).last_hidden_state[0]

    config = LoraConfig(lora_dropout=0.0, use_rslora=False, base_model_name_or_path="tiny-random-speech", **settings)
    model = get_peft_model(base_model(backbone), config).eval()
    tensors = seed_adapter(model, seed, scale)
    blocks = len(settings.get("layers_to_transform", range(speech.BLOCKS)))
    assert tensors == 2 * blocks * len(settings["target_modules"])
    save_adapter(model, HERE / folder / "adapter")

    loaded = PeftModel.from_pretrained(base_model(backbone), HERE / folder / "adapter").eval()
    out = {}
    for clip in speech.SAMPLES:
        out[f"{clip}.last"] = last(model, clip)
        assert torch.equal(last(loaded, clip), out[f"{clip}.last"])
        with model.disable_adapter():
            assert torch.equal(last(model, clip), inputs[f"{clip}.hidden.{speech.BLOCKS}"])
        moved = (out[f"{clip}.last"] - inputs[f"{clip}.hidden.{speech.BLOCKS}"]).abs().max()
        exact = last(loaded.double(), clip)
        loaded.float()
        error = (out[f"{clip}.last"] - exact).abs().max()
        assert moved > 0.5 and error < 1e-5
        print(f"{folder:22} {clip}.last {list(out[f'{clip}.last'].shape)} moved by {moved:.2f}, fp64 {error:.1e}")

    before = base_model(backbone).state_dict()
    merged = model.merge_and_unload()
    out["a.merged"] = last(merged, "a")
    state = merged.state_dict()
    for name in kept:
        out[f"merged.{name}"] = state[name].clone()
        assert (out[f"merged.{name}"] - before[name]).abs().max() > 0.1
    difference = (out["a.merged"] - out["a.last"]).abs().max()
    assert difference < 2e-5
    print(f"{folder:22} a.merged against a.last {difference:.1e}")
    return out


def classifier() -> dict[str, torch.Tensor]:
    """Wav2Vec2ForSequenceClassification with a trained head: logits of both clips, the head saved with the adapter."""
    inputs = load_file(SPEECH / "wav2vec2-base" / "reference.safetensors")
    extractor = speech.load_extractor("wav2vec2-base")

    def base() -> nn.Module:
        torch.manual_seed(74)
        model = transformers.Wav2Vec2ForSequenceClassification.from_pretrained(
            SPEECH / "wav2vec2-base", num_labels=3, classifier_proj_size=256
        )
        model.name_or_path = model.config._name_or_path = "tiny-random-speech"
        return model.eval()

    config = LoraConfig(
        r=4,
        lora_alpha=2,
        lora_dropout=0.0,
        target_modules=ALL,
        modules_to_save=["classifier", "projector"],
        base_model_name_or_path="tiny-random-speech",
    )
    model = get_peft_model(base(), config).eval()
    generator = torch.Generator().manual_seed(75)
    for _, parameter in sorted((name, p) for name, p in model.named_parameters() if p.requires_grad):
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    folder = HERE / "wav2vec2-base-classifier"
    save_adapter(model, folder / "adapter")
    loaded = PeftModel.from_pretrained(base(), folder / "adapter").eval()
    out = {}
    for clip in speech.SAMPLES:
        wave = inputs[f"wave_{clip}"].numpy()
        values = extractor(wave, sampling_rate=speech.SAMPLE_RATE, return_tensors="pt").input_values
        out[f"{clip}.logits"] = model(values).logits[0]
        assert torch.equal(loaded(values).logits[0], out[f"{clip}.logits"])
        print(f"wav2vec2-base-classifier {clip}.logits {out[f'{clip}.logits'].tolist()}")
    return out


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for folder in ADAPTERS:
        with torch.inference_mode():
            out = references(folder)
        save_file({name: t.contiguous() for name, t in out.items()}, HERE / folder / "reference.safetensors")
    with torch.inference_mode():
        out = classifier()
    save_file(out, HERE / "wav2vec2-base-classifier" / "reference.safetensors")


if __name__ == "__main__":
    main()
