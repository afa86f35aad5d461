"""LoRA by peft on the tiny Whisper of ../whisper: logits, loss, gradients, merged weights.

Run as `python tests/golden/lora/generate.py`; it writes next to itself and reads ../whisper.
Pinned: torch 2.13.0, transformers 5.23.0, peft 0.21.2. See README.md.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import WhisperConfig, WhisperForAudioClassification

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "whisper"))
import generate as whisper  # noqa: E402  (the folder above must be on the path first)

RANK, ALPHA, PROJECTOR, CLASSES = 4, 2, 16, 5
LABELS = torch.tensor([1, 3])
PARTS = {
    "self_attn.q_proj": "query",
    "self_attn.k_proj": "key",
    "self_attn.v_proj": "value",
    "self_attn.out_proj": "out",
    "fc1": "up",
    "fc2": "down",
}


def our_name(name: str) -> str | None:
    """The name in reference.safetensors of one of peft's parameters, or None if it does not train."""
    name = name.removeprefix("base_model.model.")
    for head in ("projector", "classifier"):
        if name.startswith(f"{head}.modules_to_save."):
            return f"{head}.{name.rsplit('.', 1)[1]}"
    if ".lora_A." not in name and ".lora_B." not in name:
        return None
    block, part = name.removeprefix("encoder.layers.").split(".lora_")[0].split(".", 1)
    return f"layers.{block}.{PARTS[part]}.{'lora_a' if '.lora_A.' in name else 'lora_b'}"


def base_model() -> WhisperForAudioClassification:
    """Encoder of ../whisper under the benchmark's classifier head (same form as transformers')."""
    config = WhisperConfig(
        **whisper.CONFIG, classifier_proj_size=PROJECTOR, num_labels=CLASSES, use_weighted_layer_sum=False
    )
    config._attn_implementation = "sdpa"
    model = WhisperForAudioClassification(config).eval()
    model.encoder.load_state_dict(whisper.load_encoder().state_dict())
    return model


def seed_trainable(model: PeftModel) -> dict[str, torch.nn.Parameter]:
    """Non-zero values for everything that trains; returns it by our names, sorted."""
    generator = torch.Generator().manual_seed(21)
    found = {our_name(name): p for name, p in model.named_parameters() if p.requires_grad}
    assert None not in found, "something trains that is neither LoRA nor head"
    for name, parameter in sorted(found.items()):
        scale = 0.05 if name.endswith(".bias") else 0.3 if "lora" in name else 0.25
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return dict(sorted(found.items()))


def logits_of(model: torch.nn.Module, mels: list[torch.Tensor]) -> torch.Tensor:
    """`[batch, classes]`: each utterance alone at its real length, mean over time in the head."""
    rows = []
    for mel in mels:
        hidden = whisper.encode(model.encoder, mel[None])[-1]
        rows.append(model.classifier(model.projector(hidden).mean(dim=1)))
    return torch.cat(rows)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    features = load_file(HERE.parent / "whisper" / "reference.safetensors")
    mels = [features["a.mel"], features["b.mel"]]

    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"],
        modules_to_save=["projector", "classifier"],
        base_model_name_or_path="tiny-random-whisper",
    )
    model = get_peft_model(base_model(), config).eval()
    trainable = seed_trainable(model)
    inner = model.base_model.model

    out = {"labels": LABELS.to(torch.float32)}
    out |= {name: parameter.detach().clone() for name, parameter in trainable.items()}
    with torch.inference_mode():
        with model.disable_adapter():
            # The head of the adapter, on the untouched encoder.
            hidden = [whisper.encode(inner.encoder, mel[None])[-1] for mel in mels]
        head = [inner.classifier(inner.projector(h).mean(dim=1)) for h in hidden]
        out["logits_without_lora"] = torch.cat(head)
    logits = logits_of(inner, mels)
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    loss.backward()
    out |= {"logits": logits.detach(), "loss": loss.detach()}
    out |= {f"grad.{name}": parameter.grad.clone() for name, parameter in trainable.items()}

    # The encoder has no vocabulary: without this, peft asks the network whether it changed.
    model.save_pretrained(HERE / "peft-adapter", save_embedding_layers=False)
    (HERE / "peft-adapter" / "README.md").unlink()  # peft's model-card template, nothing in it
    # peft writes sets in hash order, which differs from run to run.
    card = HERE / "peft-adapter" / "adapter_config.json"
    settings = json.loads(card.read_text())
    settings["target_modules"].sort()
    card.write_text(json.dumps(settings, indent=2) + "\n")
    loaded = PeftModel.from_pretrained(base_model(), HERE / "peft-adapter").eval()
    with torch.inference_mode():
        assert torch.equal(logits_of(loaded.base_model.model, mels), out["logits"])

    merged = model.merge_and_unload()
    layers = merged.encoder.layers
    with torch.inference_mode():
        out["merged.layers.0.query.weight"] = layers[0].self_attn.q_proj.weight.clone()
        out["merged.layers.1.up.weight"] = layers[1].fc1.weight.clone()
        out["logits_merged"] = logits_of(merged, mels)

    save_file({name: t.contiguous() for name, t in out.items()}, HERE / "reference.safetensors")
    settings = {"rank": RANK, "alpha": ALPHA, "scale": ALPHA / RANK, "projector": PROJECTOR, "classes": CLASSES}
    (HERE / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
    for name in ("logits", "logits_without_lora", "logits_merged", "loss"):
        print(name, out[name].tolist())
    print("grad norms", {n: round(t.norm().item(), 4) for n, t in out.items() if n.startswith("grad.layers.0") or "bias" in n})


if __name__ == "__main__":
    main()
