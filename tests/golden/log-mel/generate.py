"""Log-mel matrices of WhisperFeatureExtractor, for crates/audio/tests/golden.rs.

Pinned: transformers 5.23.0, torch 2.13.0, numpy 2, safetensors. Run: python generate.py
"""

import math
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from transformers import WhisperFeatureExtractor

RATE = 16_000
HEAD, TAIL = 140, 3


def chirp(samples: int, seed: int) -> np.ndarray:
    """A rising tone in noise: energy in every band, and differently in every frame."""
    time = np.arange(samples) / RATE
    tone = 0.4 * np.sin(2 * math.pi * (120 * time + 0.5 * 5000 * time**2))
    noise = 0.02 * np.random.default_rng(seed).standard_normal(samples)
    return (tone + noise).astype(np.float32)


def pattern(samples: int) -> np.ndarray:
    """Thirty-one seconds would be a large file; the Rust test computes the same integers."""
    index = np.arange(samples, dtype=np.int64)
    return (((index * index * 7 + index * 13) % 2001 - 1000) / 2048).astype(np.float32)


clips = {
    "long": pattern(31 * RATE),
    "ragged": chirp(20_837, seed=1),
    "short": chirp(160, seed=2),
}

tensors = {f"{name}.samples": clip for name, clip in clips.items() if name != "long"}
for mels in (80, 128):
    extractor = WhisperFeatureExtractor(feature_size=mels)
    for name, clip in clips.items():
        features = extractor(clip, sampling_rate=RATE, return_tensors="np")["input_features"][0]
        assert features.shape == (mels, 3000)
        head = 5 if name == "long" else HEAD
        tensors[f"{name}.{mels}.head"] = np.ascontiguousarray(features[:, :head])
        tensors[f"{name}.{mels}.tail"] = np.ascontiguousarray(features[:, -TAIL:])

save_file(tensors, str(Path(__file__).with_name("log-mel.safetensors")))
