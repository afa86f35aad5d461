"""Tiny wav2vec2 and HuBERT with seeded random weights, and their hidden states by transformers.

Run as `python tests/golden/speech/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0, numpy and safetensors of that time. See README.md.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig, AutoModel, Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

HERE = Path(__file__).resolve().parent
SAMPLE_RATE = 16_000
BLOCKS = 3
# 64 and 38 frames; neither is a whole number of strides.
SAMPLES = {"a": 20_800, "b": 12_280}
# SpecAugment spans of clip a, [start, end) in frames.
SPANS = [(5, 15), (40, 50)]

# What all four checkpoints of the hub have in common.
COMMON = {
    "activation_dropout": 0.0,
    "apply_spec_augment": True,
    "attention_dropout": 0.1,
    "bos_token_id": 1,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "ctc_loss_reduction": "sum",
    "ctc_zero_infinity": False,
    "eos_token_id": 2,
    "feat_extract_activation": "gelu",
    "feat_extract_dropout": 0.0,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_dropout": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-05,
    "mask_feature_length": 10,
    "mask_feature_prob": 0.0,
    "mask_time_length": 10,
    "num_feat_extract_layers": 7,
    "pad_token_id": 0,
}
BASE = {"conv_bias": False, "do_stable_layer_norm": False, "feat_extract_norm": "group"}
LARGE = {"conv_bias": True, "do_stable_layer_norm": True, "feat_extract_norm": "layer"}
MASK_CHANNEL = {
    "mask_channel_length": 10,
    "mask_channel_min_space": 1,
    "mask_channel_other": 0.0,
    "mask_channel_prob": 0.0,
    "mask_channel_selection": "static",
    "mask_time_min_space": 1,
    "mask_time_other": 0.0,
    "mask_time_selection": "static",
}
QUANTIZER = {
    "contrastive_logits_temperature": 0.1,
    "diversity_loss_weight": 0.1,
    "feat_quantizer_dropout": 0.0,
    "num_codevector_groups": 2,
    "num_negatives": 100,
}
TINY = {
    "_name_or_path": "tiny-random-speech",
    "conv_dim": [16] * 7,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_conv_pos_embedding_groups": 4,
    "num_conv_pos_embeddings": 16,
    "num_hidden_layers": BLOCKS,
    "torch_dtype": "float32",
    "vocab_size": 12,
}
TINY_QUANTIZER = {"codevector_dim": 8, "num_codevectors_per_group": 4, "proj_codevector_dim": 8}

# folder -> (class that is saved, prefix of the backbone, old spelling of weight norm, config, mask returned)
MODELS = {
    "wav2vec2-base": (
        "Wav2Vec2ForPreTraining",
        "wav2vec2.",
        True,
        COMMON | BASE | MASK_CHANNEL | QUANTIZER | TINY | TINY_QUANTIZER
        | {"feat_proj_dropout": 0.1, "final_dropout": 0.0, "layerdrop": 0.1, "mask_time_prob": 0.05, "model_type": "wav2vec2"},
        False,
    ),
    "wav2vec2-large": (
        "Wav2Vec2ForCTC",
        "wav2vec2.",
        False,
        COMMON | LARGE | MASK_CHANNEL | QUANTIZER | TINY | TINY_QUANTIZER
        | {"feat_proj_dropout": 0.1, "final_dropout": 0.0, "layerdrop": 0.1, "mask_time_prob": 0.075, "model_type": "wav2vec2"},
        True,
    ),
    "hubert-base": (
        "HubertModel",
        "",
        True,
        COMMON | BASE | TINY
        | {"activation_dropout": 0.1, "feat_proj_dropout": 0.1, "final_dropout": 0.1, "layerdrop": 0.1, "mask_time_prob": 0.05, "model_type": "hubert"},
        False,
    ),
    "hubert-large": (
        "HubertForCTC",
        "hubert.",
        False,
        COMMON | LARGE | TINY
        | {"feat_proj_dropout": 0.0, "feat_proj_layer_norm": True, "final_dropout": 0.1, "layerdrop": 0.1, "mask_time_prob": 0.05, "model_type": "hubert"},
        True,
    ),
}
SEEDS = {"wav2vec2-base": 31, "wav2vec2-large": 32, "hubert-base": 33, "hubert-large": 34}

# The real sizes; counts.json has their number of parameters.
REAL = {"conv_dim": [512] * 7, "num_conv_pos_embedding_groups": 16, "num_conv_pos_embeddings": 128, "vocab_size": 32}
REAL_QUANTIZER = {"num_codevectors_per_group": 320}
PRETRAINING = {"architectures": ["Wav2Vec2ForPreTraining"], "model_type": "wav2vec2", "final_dropout": 0.0, "feat_proj_dropout": 0.1}
REAL_CONFIGS = {
    "wav2vec2-base": (
        COMMON | BASE | MASK_CHANNEL | QUANTIZER | REAL | REAL_QUANTIZER | PRETRAINING
        | {
            "codevector_dim": 256,
            "freeze_feat_extract_train": True,
            "hidden_size": 768,
            "intermediate_size": 3072,
            "layerdrop": 0.0,
            "mask_time_prob": 0.05,
            "no_mask_channel_overlap": False,
            "no_mask_time_overlap": False,
            "num_attention_heads": 12,
            "num_hidden_layers": 12,
            "proj_codevector_dim": 256,
        },
        False,
        94_371_712,
    ),
    "wav2vec2-large-xlsr-53": (
        COMMON | LARGE | MASK_CHANNEL | QUANTIZER | REAL | REAL_QUANTIZER | PRETRAINING
        | {
            "codevector_dim": 768,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "layerdrop": 0.1,
            "mask_time_prob": 0.075,
            "num_attention_heads": 16,
            "num_hidden_layers": 24,
            "proj_codevector_dim": 768,
        },
        True,
        315_438_720,
    ),
}


def preprocessor(return_attention_mask: bool) -> dict:
    """The hub's preprocessor_config.json of these models."""
    return {
        "do_normalize": True,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0,
        "return_attention_mask": return_attention_mask,
        "sampling_rate": SAMPLE_RATE,
    }


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(sorted(value.items())), indent=2) + "\n")


def waveform(name: str) -> np.ndarray:
    """A chirp with noise and a fade on a constant, `[samples]`, float32 in -1..1; b is much quieter."""
    start_hz, end_hz, loudness, mean, seed = {
        "a": (120.0, 3500.0, 0.6, 0.07, 41),
        "b": (5200.0, 300.0, 0.09, -0.04, 42),
    }[name]
    samples = SAMPLES[name]
    time = np.arange(samples) / SAMPLE_RATE
    rate = (end_hz - start_hz) / (samples / SAMPLE_RATE)
    chirp = np.sin(2 * np.pi * (start_hz * time + 0.5 * rate * time**2))
    noise = np.random.default_rng(seed).standard_normal(samples)
    fade = 0.2 + 0.8 * np.sin(np.pi * (np.arange(samples) + 0.5) / samples)
    wave = (mean + loudness * fade * (chirp + 0.1 * noise)).astype(np.float32)
    assert np.abs(wave).max() < 1.0
    return wave


def seeded_state(model: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """Weights larger than the usual initialisation, so that an error in any of them shows."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if "layer_norm.weight" in name:
            state[name] = 1.0 + 0.2 * noise
        elif name.endswith("layer_norm.bias") or name.endswith(".bias"):
            state[name] = 0.1 * noise
        elif name.endswith("masked_spec_embed"):
            state[name] = 0.5 * noise
        elif name.endswith("weight.original1"):
            state[name] = 0.15 * noise
        elif name.endswith("weight.original0"):
            state[name] = noise  # below, when the norm of v is known
        elif ".conv_layers." in name:
            state[name] = (2 / tensor[0].numel()) ** 0.5 * noise
        else:
            state[name] = 0.15 * noise
    for name in [name for name in state if name.endswith("weight.original0")]:
        v = state[name.removesuffix("0") + "1"]
        norm = v.square().sum(dim=(0, 1), keepdim=True).sqrt()
        assert norm.shape == state[name].shape
        # Not the norm of v, as after training; positive, as it is there.
        state[name] = norm * torch.exp(0.4 * state[name])
    return state


def old_spelling(name: str) -> str:
    """Weight norm as torch's first implementation named it, which the older files of the hub have."""
    return name.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v")


def write_model(folder: str) -> None:
    """config.json, preprocessor_config.json and model.safetensors of one tiny model."""
    cls, prefix, old, config, mask = MODELS[folder]
    write_json(HERE / folder / "config.json", config | {"architectures": [cls]})
    write_json(HERE / folder / "preprocessor_config.json", preprocessor(mask))
    network = getattr(transformers, cls)(AutoConfig.from_pretrained(HERE / folder))
    state = seeded_state(network, SEEDS[folder])
    assert any(name == f"{prefix}masked_spec_embed" for name in state)
    if old:
        state = {old_spelling(name): tensor for name, tensor in state.items()}
    save_file(
        {name: t.contiguous() for name, t in sorted(state.items())},
        HERE / folder / "model.safetensors",
        metadata={"format": "pt"},
    )


def load_model(folder: str, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The backbone alone (Wav2Vec2Model, HubertModel) from the files of a folder, in eval mode."""
    model, info = AutoModel.from_pretrained(
        HERE / folder, attn_implementation="sdpa", dtype=dtype, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    _, prefix, _, _, _ = MODELS[folder]
    file = load_file(HERE / folder / "model.safetensors")
    for name, tensor in model.state_dict().items():
        name = prefix + name
        assert torch.equal(file[name if name in file else old_spelling(name)].to(dtype), tensor), name
    return model.eval()


def load_extractor(folder: str) -> Wav2Vec2FeatureExtractor:
    return Wav2Vec2FeatureExtractor.from_pretrained(HERE / folder)


def hidden_states(model: nn.Module, **inputs: torch.Tensor) -> list[torch.Tensor]:
    """Entry 0: the first block's input; entry i: block i's output; the last: the encoder's output.

    transformers 5.23 captures the output of each block. Where the encoder ends in a norm (stable
    layer norm) the last captured state is before it, unlike in older versions; this follows the
    definition, with last_hidden_state.
    """
    out = model(**inputs, output_hidden_states=True)
    states = list(out.hidden_states)
    assert len(states) == BLOCKS + 1
    if model.config.do_stable_layer_norm:
        assert not torch.equal(states[-1], out.last_hidden_state)
        assert torch.equal(model.encoder.layer_norm(states[-1]), out.last_hidden_state)
        states[-1] = out.last_hidden_state
    assert torch.equal(states[-1], out.last_hidden_state)
    return states


def references(folder: str) -> dict[str, torch.Tensor]:
    model = load_model(folder)
    exact = load_model(folder, torch.float64)
    extractor = load_extractor(folder)
    waves = {name: waveform(name) for name in SAMPLES}
    out = {f"wave_{name}": torch.from_numpy(wave) for name, wave in waves.items()}

    def run(prefix: str, **inputs: torch.Tensor) -> list[torch.Tensor]:
        states = hidden_states(model, **inputs)
        doubled = {name: t.double() if t.is_floating_point() else t for name, t in inputs.items()}
        for i, (state, true) in enumerate(zip(states, hidden_states(exact, **doubled))):
            error = ((state - true).abs().max() / max(1.0, true.abs().max())).item()
            assert error < 2e-5, (folder, prefix, i, error)
            key = f"{prefix}hidden.{i}"
            out[key] = state if prefix == "batch." else state[0]
            print(f"{folder:15} {key:18} {str(list(out[key].shape)):13} rms {state.square().mean().sqrt():.3f} max {state.abs().max():.2f} fp64 {error:.1e}")
        return states

    for name, wave in waves.items():
        single = extractor(wave, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        values = single.input_values
        assert values.dtype == torch.float32
        # A mask of ones, where the extractor returns one, changes nothing.
        states = run(f"{name}.", input_values=values)
        if "attention_mask" in single:
            masked = hidden_states(model, input_values=values, attention_mask=single.attention_mask)
            assert all(torch.allclose(x, y, atol=1e-5) for x, y in zip(states, masked))
        if name == "a":
            features = model.feature_extractor(values).transpose(1, 2)
            out["a.features"] = features[0]
            time_mask = torch.zeros(1, features.shape[1], dtype=torch.bool)
            for start, end in SPANS:
                time_mask[0, start:end] = True
            out["a.time_mask"] = time_mask[0].float()
            changed = run("a.masked.", input_values=values, mask_time_indices=time_mask)
            assert (changed[0] - states[0])[time_mask].abs().max() > 0.1
            # Far from the spans (8 frames reach the positions' convolution) nothing has changed yet.
            assert torch.equal(changed[0][:, 60:], states[0][:, 60:])

    # As transformers batches them. Without an attention mask the padding takes part in everything.
    batch = extractor(list(waves.values()), padding=True, sampling_rate=SAMPLE_RATE, return_tensors="pt")
    assert ("attention_mask" in batch) == extractor.return_attention_mask
    out["batch.input_values"] = batch.input_values
    padding = batch.input_values[1, SAMPLES["b"] :]
    print(f"{folder:15} padding after the normalisation: {padding.min():.4f} .. {padding.max():.4f}")
    states = run("batch.", **batch)
    for row, name in enumerate(SAMPLES):
        alone = out[f"{name}.hidden.{BLOCKS}"]
        print(f"{folder:15} {name} in the batch against alone: {(states[-1][row, : len(alone)] - alone).abs().max():.1e}")
    return out


def count(config: dict) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Wav2Vec2Model(Wav2Vec2Config(**config)).parameters())


def main() -> None:
    torch.set_num_threads(1)
    # Its report of the heads that the backbone does not take.
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for folder in MODELS:
        write_model(folder)
        with torch.inference_mode():
            out = references(folder)
        save_file({name: t.contiguous() for name, t in out.items()}, HERE / folder / "reference.safetensors")

    counts = {}
    for name, (config, mask, expected) in REAL_CONFIGS.items():
        write_json(HERE / "configs" / name / "config.json", config)
        write_json(HERE / "configs" / name / "preprocessor_config.json", preprocessor(mask))
        counts[name] = count(json.loads((HERE / "configs" / name / "config.json").read_text()))
        assert counts[name] == expected, (name, counts[name], expected)
    write_json(HERE / "counts.json", counts)
    print(counts)


if __name__ == "__main__":
    main()
