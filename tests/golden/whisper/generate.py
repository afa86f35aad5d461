"""Tiny Whisper encoder with seeded random weights, and its hidden states by transformers.

Run as `python tests/golden/whisper/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0, numpy and safetensors of that time. See README.md.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

HERE = Path(__file__).resolve().parent
SAMPLE_RATE = 16_000
HOP = 160
# 130 whole mel frames; 77 frames of which the last is partial (76.75).
SAMPLES = {"a": 20_800, "b": 12_280}

# The keys of openai/whisper-tiny.en, with small sizes.
CONFIG = {
    "_name_or_path": "tiny-random-whisper",
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "architectures": ["WhisperForConditionalGeneration"],
    "attention_dropout": 0.0,
    "begin_suppress_tokens": [220, 50256],
    "bos_token_id": 50257,
    "d_model": 32,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 64,
    "decoder_layerdrop": 0.0,
    "decoder_layers": 1,
    "decoder_start_token_id": 50257,
    "dropout": 0.0,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "encoder_layerdrop": 0.0,
    "encoder_layers": 3,
    "eos_token_id": 50256,
    "forced_decoder_ids": [[1, 50362]],
    "init_std": 0.02,
    "is_encoder_decoder": True,
    "max_length": 448,
    "max_source_positions": 1500,
    "max_target_positions": 448,
    "model_type": "whisper",
    "num_hidden_layers": 3,
    "num_mel_bins": 80,
    "pad_token_id": 50256,
    "scale_embedding": False,
    "suppress_tokens": [1, 2, 7, 8, 9, 10, 14, 25],
    "torch_dtype": "float32",
    "transformers_version": "4.27.0.dev0",
    "use_cache": True,
    "vocab_size": 51864,
}

PREPROCESSOR = {
    "chunk_length": 30,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "hop_length": HOP,
    "n_fft": 400,
    "n_samples": 480_000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "processor_class": "WhisperProcessor",
    "return_attention_mask": False,
    "sampling_rate": SAMPLE_RATE,
}


def waveform(name: str) -> np.ndarray:
    """A chirp with noise and a fade, `[samples]`, float32 in -1..1."""
    start_hz, end_hz, seed = {"a": (120.0, 3500.0, 11), "b": (5200.0, 300.0, 12)}[name]
    samples = SAMPLES[name]
    time = np.arange(samples) / SAMPLE_RATE
    rate = (end_hz - start_hz) / (samples / SAMPLE_RATE)
    chirp = np.sin(2 * np.pi * (start_hz * time + 0.5 * rate * time**2))
    noise = np.random.default_rng(seed).standard_normal(samples)
    fade = 0.2 + 0.8 * np.sin(np.pi * (np.arange(samples) + 0.5) / samples)
    return (fade * (0.4 * chirp + 0.02 * noise)).astype(np.float32)


def seeded_state(encoder: nn.Module, seed: int = 7) -> dict[str, torch.Tensor]:
    """Weights larger than the usual initialisation, so that an error in any of them shows."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(encoder.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if name == "embed_positions.weight":
            # Sinusoids plus noise: positions must be read from the file, not computed.
            state[name] = tensor + 0.02 * noise
        elif "layer_norm.weight" in name:
            state[name] = 1.0 + 0.2 * noise
        elif name.endswith(".bias"):
            state[name] = 0.1 * noise
        elif name == "conv1.weight":
            state[name] = 0.08 * noise
        elif name == "conv2.weight":
            state[name] = 0.12 * noise
        else:
            state[name] = 0.15 * noise
    return state


def load_encoder() -> nn.Module:
    """The tiny encoder from the files of this folder, in eval mode."""
    config = WhisperConfig(**json.loads((HERE / "config.json").read_text()))
    config._attn_implementation = "sdpa"
    encoder = WhisperModel(config).encoder.eval()
    state = load_file(HERE / "model.safetensors")
    encoder.load_state_dict({name.removeprefix("model.encoder."): t for name, t in state.items()})
    return encoder


def encode(encoder: nn.Module, mel: torch.Tensor) -> list[torch.Tensor]:
    """Hidden states of `mel` `[1, 80, frames]` at any length, each `[1, time, hidden]`.

    The steps of WhisperEncoder.forward with its own modules, without the check that the input is 30 s
    long, and with the positions cut to the input. Entry 0 is the first block's input, entry i block
    i's output, and the last one the output of the final layer norm.
    """
    hidden = nn.functional.gelu(encoder.conv1(mel))
    hidden = nn.functional.gelu(encoder.conv2(hidden)).permute(0, 2, 1)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    states = [hidden]
    for layer in encoder.layers:
        hidden = layer(hidden, None)
        states.append(hidden)
    states[-1] = encoder.layer_norm(hidden)
    return states


def main() -> None:
    torch.set_num_threads(1)
    (HERE / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (HERE / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR, indent=2) + "\n")
    config = WhisperConfig(**CONFIG)
    state = seeded_state(WhisperModel(config).encoder)
    save_file(
        {f"model.encoder.{name}": t.contiguous() for name, t in state.items()},
        HERE / "model.safetensors",
        metadata={"format": "pt"},
    )

    encoder = load_encoder()
    extractor = WhisperFeatureExtractor(**PREPROCESSOR)
    out = {}
    with torch.inference_mode():
        for name, samples in SAMPLES.items():
            wave = waveform(name)
            out[f"wave_{name}"] = torch.from_numpy(wave)
            features = extractor(wave, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features
            frames = -(-samples // HOP)
            mel = features[:, :, :frames].contiguous()
            out[f"{name}.mel"] = mel[0]
            for i, hidden in enumerate(encode(encoder, mel)):
                out[f"{name}.real.hidden.{i}"] = hidden[0]
            if name == "a":
                padded = encoder(features, output_hidden_states=True).hidden_states
                ours = encode(encoder, features)
                # The hand-called layers are transformers' forward, where both can run.
                assert len(padded) == len(ours)
                assert all(torch.equal(x, y) for x, y in zip(padded, ours))
                for i, hidden in enumerate(padded):
                    out[f"a.30s.hidden.{i}"] = hidden[0, :80]
                out["a.30s.last_tail"] = padded[-1][0, -4:]
    save_file({name: t.contiguous() for name, t in out.items()}, HERE / "reference.safetensors")
    for name, tensor in out.items():
        print(f"{name:20} {str(list(tensor.shape)):12} rms {tensor.square().mean().sqrt():.4f} max {tensor.abs().max():.3f}")


if __name__ == "__main__":
    main()
