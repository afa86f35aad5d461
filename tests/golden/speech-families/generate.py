"""Tiny networks of the speech families with seeded random weights, their hidden states, CTC logits and transcripts by
transformers, and the number of parameters of the published configurations.

Run as `python tests/golden/speech-families/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0, numpy and safetensors of that time. See README.md.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModel, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor

HERE = Path(__file__).resolve().parent
SAMPLE_RATE = 16_000
# 45 and 24 frames; neither is a whole number of strides.
SAMPLES = {"a": 14_650, "b": 7_830}

CONVOLUTIONS = {"conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2]}
COMMON = CONVOLUTIONS | {
    "activation_dropout": 0.1,
    "apply_spec_augment": True,
    "attention_dropout": 0.1,
    "feat_extract_activation": "gelu",
    "feat_proj_dropout": 0.1,
    "final_dropout": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-05,
    "layerdrop": 0.1,
    "mask_feature_prob": 0.0,
    "mask_time_length": 10,
    "mask_time_prob": 0.05,
}
BASE = {"conv_bias": False, "do_stable_layer_norm": False, "feat_extract_norm": "group"}
LARGE = {"conv_bias": True, "do_stable_layer_norm": True, "feat_extract_norm": "layer"}
TINY = {
    "conv_dim": [16] * 7,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_conv_pos_embedding_groups": 4,
    "num_conv_pos_embeddings": 16,
    "num_hidden_layers": 3,
}
LETTERS = ["|", *"ETAOINSHR'"]
# As facebook's checkpoints have it, and as most fine-tuned ones: with the blank last, and two tokens that
# vocab.json does not have.
FACEBOOK = {"vocab": ["<pad>", "<s>", "</s>", "<unk>", *LETTERS], "added": [], "pad": "<pad>", "unk": "<unk>", "lower": False}
FINE_TUNED = {"vocab": [*"etaoinshr'", "|", "[UNK]", "[PAD]"], "added": ["<s>", "</s>"], "pad": "[PAD]", "unk": "[UNK]", "lower": False}
# A tokenizer that writes in lower case.
LOWER = FACEBOOK | {"lower": True}

# folder -> class, prefix, old spelling of weight norm, type on disk, config, (normalised, mask), vocabulary
MODELS = {
    "wavlm-base": (
        "WavLMModel", "", True, torch.float32,
        # 8 of 32 buckets for single distances, all others wider: 45 frames reach the last one.
        COMMON | BASE | TINY | {"model_type": "wavlm", "num_buckets": 32, "max_bucket_distance": 40},
        (False, True), None,
    ),
    "wavlm-large": (
        "WavLMForCTC", "wavlm.", False, torch.float32,
        COMMON | LARGE | TINY | {"model_type": "wavlm", "num_buckets": 320, "max_bucket_distance": 800},
        (True, True), FACEBOOK,
    ),
    "data2vec": (
        "Data2VecAudioForCTC", "data2vec_audio.", False, torch.float32,
        COMMON | {"conv_bias": False} | TINY
        | {"model_type": "data2vec-audio", "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 7},
        (True, True), FINE_TUNED,
    ),
    "hubert-xlarge": (
        "HubertForCTC", "hubert.", True, torch.float16,
        COMMON | LARGE | TINY
        | {"model_type": "hubert", "hidden_size": 40, "intermediate_size": 80, "num_hidden_layers": 6, "feat_proj_layer_norm": True},
        (True, True), LOWER,
    ),
    "wav2vec2-base-ctc": (
        "Wav2Vec2ForCTC", "wav2vec2.", False, torch.float32,
        COMMON | BASE | TINY | {"model_type": "wav2vec2"},
        (True, False), FACEBOOK,
    ),
}


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def preprocessor(normalise: bool, mask: bool) -> dict:
    return {
        "do_normalize": normalise,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0,
        "return_attention_mask": mask,
        "sampling_rate": SAMPLE_RATE,
    }


def waveform(name: str) -> torch.Tensor:
    """A chirp with noise on a constant, `[samples]`, float32 in -1..1; b is quieter."""
    start_hz, end_hz, loudness, mean, seed = {"a": (150.0, 3200.0, 0.5, 0.05, 61), "b": (4800.0, 260.0, 0.15, -0.03, 62)}[name]
    time = np.arange(SAMPLES[name]) / SAMPLE_RATE
    rate = (end_hz - start_hz) / (SAMPLES[name] / SAMPLE_RATE)
    chirp = np.sin(2 * np.pi * (start_hz * time + 0.5 * rate * time**2))
    noise = np.random.default_rng(seed).standard_normal(SAMPLES[name])
    wave = (mean + loudness * (chirp + 0.1 * noise)).astype(np.float32)
    assert np.abs(wave).max() < 1.0
    return torch.from_numpy(wave)


def seeded_state(model: nn.Module, seed: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Weights larger than the usual initialisation, so that an error in any of them shows."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if "layer_norm.weight" in name or name.endswith("gru_rel_pos_const"):
            state[name] = 1.0 + 0.2 * noise
        elif name.endswith("rel_attn_embed.weight"):
            state[name] = noise
        elif name.endswith("gru_rel_pos_linear.weight"):
            state[name] = 0.4 * noise
        elif name == "lm_head.weight":
            state[name] = 0.3 * noise
        elif name.endswith(".bias"):
            state[name] = 0.1 * noise
        elif name.endswith("masked_spec_embed"):
            state[name] = 0.5 * noise
        elif name.endswith("weight.original0"):
            state[name] = noise  # below, when the norm of v is known
        elif ".conv_layers." in name:
            state[name] = (2 / tensor[0].numel()) ** 0.5 * noise
        else:
            state[name] = 0.15 * noise
    for name in [name for name in state if name.endswith("weight.original0")]:
        norm = state[name.removesuffix("0") + "1"].square().sum(dim=(0, 1), keepdim=True).sqrt()
        # Not the norm of v, as after training; positive, as it is there.
        state[name] = norm * torch.exp(0.4 * state[name])
    return {name: tensor.to(dtype) for name, tensor in state.items()}


def write_model(folder: str, seed: int) -> None:
    cls, prefix, old, dtype, config, (normalise, mask), words = MODELS[folder]
    if words is not None:
        count = len(words["vocab"]) + len(words["added"])
        config = config | {"vocab_size": count, "pad_token_id": words["vocab"].index(words["pad"])}
    shutil.rmtree(HERE / folder, ignore_errors=True)
    write_json(HERE / folder / "config.json", dict(sorted((config | {"architectures": [cls]}).items())))
    write_json(HERE / folder / "preprocessor_config.json", preprocessor(normalise, mask))
    if words is not None:
        tokens = words["vocab"] + words["added"]
        write_json(HERE / folder / "vocab.json", {token: id for id, token in enumerate(words["vocab"])})
        if words["added"]:
            write_json(HERE / folder / "added_tokens.json", {token: tokens.index(token) for token in words["added"]})
        specials = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": words["pad"], "unk_token": words["unk"]}
        write_json(
            HERE / folder / "tokenizer_config.json",
            specials | {"do_lower_case": words["lower"], "tokenizer_class": "Wav2Vec2CTCTokenizer", "word_delimiter_token": "|"},
        )
    network = getattr(transformers, cls)(AutoConfig.from_pretrained(HERE / folder))
    state = seeded_state(network, seed, dtype)
    if words is not None:
        # Blanks and gaps between words are frequent, as they are in speech.
        for token in (words["pad"], "|"):
            state["lm_head.bias"][words["vocab"].index(token)] += 2.0
    assert all(name.startswith((prefix, "lm_head.")) for name in state), sorted(state)
    if old:
        state = {
            name.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): tensor
            for name, tensor in state.items()
        }
    save_file(
        {name: t.contiguous() for name, t in sorted(state.items())},
        HERE / folder / "model.safetensors",
        metadata={"format": "pt"},
    )


def load(auto, folder: str, dtype: torch.dtype) -> nn.Module:
    model, info = auto.from_pretrained(HERE / folder, dtype=dtype, attn_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    return model.eval()


def hidden_states(model: nn.Module, **inputs: torch.Tensor) -> list[torch.Tensor]:
    """Entry 0: the first block's input; entry i: block i's output; the last: the encoder's output, behind its final norm
    where it has one, which the captured states of transformers 5.23 are not."""
    out = model(**inputs, output_hidden_states=True)
    states = list(out.hidden_states)
    assert len(states) == model.config.num_hidden_layers + 1
    if getattr(model.config, "do_stable_layer_norm", False):
        assert torch.equal(model.encoder.layer_norm(states[-1]), out.last_hidden_state)
        states[-1] = out.last_hidden_state
    assert torch.equal(states[-1], out.last_hidden_state)
    return states


def references(folder: str, waves: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    cls, _, _, _, _, _, words = MODELS[folder]
    model, exact = (load(AutoModel, folder, dtype) for dtype in (torch.float32, torch.float64))
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(HERE / folder)
    whole = None if words is None else load(getattr(transformers, cls), folder, torch.float32)
    tokenizer = None if words is None else Wav2Vec2CTCTokenizer.from_pretrained(HERE / folder)
    out, texts = {}, {}

    def run(prefix: str, batch) -> None:
        inputs = dict(batch)
        doubled = {name: t.double() if t.is_floating_point() else t for name, t in inputs.items()}
        states = hidden_states(model, **inputs)
        for i, (state, true) in enumerate(zip(states, hidden_states(exact, **doubled))):
            error = ((state - true).abs().max() / max(1.0, true.abs().max())).item()
            assert error < 2e-5, (folder, prefix, i, error)
            out[f"{prefix}hidden.{i}"] = state
            print(f"{folder:18} {prefix}hidden.{i} {list(state.shape)} rms {state.square().mean().sqrt():.3f} max {state.abs().max():.2f} fp64 {error:.1e}")
        if whole is not None:
            out[f"{prefix}logits"] = whole(**inputs).logits

    for name, wave in waves.items():
        run(f"{name}.", extractor(wave.numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt"))
        if tokenizer is not None:
            texts[name] = tokenizer.batch_decode(out[f"{name}.logits"].argmax(-1))[0]
    # As transformers batches them: with a mask where the checkpoint's preprocessor returns one.
    batch = extractor([wave.numpy() for wave in waves.values()], padding=True, sampling_rate=SAMPLE_RATE, return_tensors="pt")
    assert ("attention_mask" in batch) == extractor.return_attention_mask
    run("batch.", batch)
    if model.config.model_type == "wavlm":
        # The bias must matter, or nothing here would see it.
        state = {name: t.clone() for name, t in model.state_dict().items()}
        model.encoder.layers[0].attention.rel_attn_embed.weight.zero_()
        without = hidden_states(model, **extractor(waves["a"].numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt"))
        changed = (without[1] - out["a.hidden.1"]).abs().max().item()
        assert changed > 0.1, changed
        model.load_state_dict(state)
    return out, texts


def buckets() -> dict[str, torch.Tensor]:
    """The bucket of every distance from -2000 to 2000, with the published numbers and with the tiny ones."""
    out = {}
    for count, longest in ((320, 800), (32, 40)):
        attention = transformers.models.wavlm.modeling_wavlm.WavLMAttention(8, 2, num_buckets=count, max_distance=longest)
        out[f"buckets.{count}.{longest}"] = attention._relative_positions_bucket(torch.arange(-2000, 2001)).float()
    return out


# The published sizes. What is not said has the value that transformers gives it.
REAL = CONVOLUTIONS | {"conv_dim": [512] * 7, "mask_time_prob": 0.05}
POSITIONS = {"num_conv_pos_embeddings": 128, "num_conv_pos_embedding_groups": 16}


def size(hidden: int, layers: int, heads: int, inner: int) -> dict:
    return {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": inner}


B, L, XL = size(768, 12, 12, 3072), size(1024, 24, 16, 4096), size(1280, 48, 16, 5120)
WAVLM = {"model_type": "wavlm", "num_buckets": 320, "max_bucket_distance": 800}
DATA2VEC = {"model_type": "data2vec-audio", "num_conv_pos_embeddings": 5, "conv_pos_kernel_size": 19, "num_conv_pos_embedding_groups": 16}
SPEECH = {
    "facebook/wav2vec2-base": REAL | BASE | POSITIONS | B | {"model_type": "wav2vec2"},
    "facebook/wav2vec2-large": REAL | BASE | POSITIONS | L | {"model_type": "wav2vec2"},
    "facebook/wav2vec2-large-lv60": REAL | LARGE | POSITIONS | L | {"model_type": "wav2vec2"},
    "facebook/wav2vec2-large-xlsr-53": REAL | LARGE | POSITIONS | L | {"model_type": "wav2vec2", "mask_time_prob": 0.075},
    "facebook/wav2vec2-xls-r-300m": REAL | LARGE | POSITIONS | L | {"model_type": "wav2vec2"},
    "facebook/wav2vec2-xls-r-1b": REAL | LARGE | POSITIONS | XL | {"model_type": "wav2vec2"},
    "facebook/wav2vec2-xls-r-2b": REAL | LARGE | POSITIONS | size(1920, 48, 16, 7680) | {"model_type": "wav2vec2"},
    "facebook/hubert-base-ls960": REAL | BASE | POSITIONS | B | {"model_type": "hubert"},
    "facebook/hubert-large-ll60k": REAL | LARGE | POSITIONS | L | {"model_type": "hubert"},
    "facebook/hubert-xlarge-ll60k": REAL | LARGE | POSITIONS | XL | {"model_type": "hubert"},
    "microsoft/wavlm-base": REAL | BASE | POSITIONS | B | WAVLM,
    "microsoft/wavlm-base-plus": REAL | BASE | POSITIONS | B | WAVLM,
    "microsoft/wavlm-large": REAL | LARGE | {"conv_bias": False} | POSITIONS | L | WAVLM,
    "facebook/data2vec-audio-base": REAL | {"conv_bias": False} | B | DATA2VEC,
    "facebook/data2vec-audio-large": REAL | {"conv_bias": False} | L | DATA2VEC,
}


def whisper(width: int, layers: int, heads: int, mels: int) -> dict:
    return {
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": width,
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": 4 * width,
        "encoder_layers": layers,
        # Its decoder has no part in ours, and here one layer of it is enough.
        "decoder_attention_heads": heads,
        "decoder_layers": 1,
        "max_source_positions": 1500,
        "num_mel_bins": mels,
    }


WHISPER = {
    "openai/whisper-tiny": whisper(384, 4, 6, 80),
    "openai/whisper-base": whisper(512, 6, 8, 80),
    "openai/whisper-small": whisper(768, 12, 12, 80),
    "openai/whisper-medium": whisper(1024, 24, 16, 80),
    "openai/whisper-large-v2": whisper(1280, 32, 20, 80),
    "openai/whisper-large-v3": whisper(1280, 32, 20, 128),
}


def counts() -> dict[str, dict]:
    """Each published configuration with the number of parameters of its encoder."""
    out = {}
    for name, config in (SPEECH | WHISPER).items():
        with torch.device("meta"):
            model = AutoModel.from_config(AutoConfig.for_model(**config))
        encoder = model.encoder if config["model_type"] == "whisper" else model
        out[name] = {"config": config, "count": sum(p.numel() for p in encoder.parameters())}
        print(f"{name:32} {out[name]['count']:>13,}")
    return out


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    waves = {name: waveform(name) for name in SAMPLES}
    with torch.inference_mode():
        save_file({f"wave_{name}": wave for name, wave in waves.items()} | buckets(), HERE / "shared.safetensors")
    texts = {}
    for seed, folder in enumerate(MODELS, start=71):
        write_model(folder, seed)
        with torch.no_grad():
            out, texts[folder] = references(folder, waves)
        save_file({name: t.contiguous() for name, t in out.items()}, HERE / folder / "reference.safetensors")
    write_json(HERE / "transcripts.json", {folder: found for folder, found in texts.items() if found})
    write_json(HERE / "counts.json", counts())


if __name__ == "__main__":
    main()
