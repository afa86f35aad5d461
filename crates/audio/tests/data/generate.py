"""FLAC files with their samples as libsndfile decodes them, for crates/audio/tests/flac.rs.

Pinned: soundfile 0.14.0 (libsndfile 1.2.2), numpy 2, safetensors. Run: python generate.py
"""

from pathlib import Path

import numpy as np
import soundfile
from safetensors.numpy import save_file

HERE = Path(__file__).parent
SAMPLES, RATE = 1500, 22_050

random = np.random.default_rng(3)
time = np.arange(SAMPLES) / RATE
left = 0.7 * np.sin(2 * np.pi * 330 * time) + 0.01 * random.standard_normal(SAMPLES)
right = 0.5 * np.sin(2 * np.pi * 555 * time + 1) + 0.2 * left
stereo = np.stack([left, right], axis=1)

expected = {}
for name, signal, subtype in [
    ("mono-16", left, "PCM_16"),
    ("stereo-16", stereo, "PCM_16"),
    ("stereo-24", stereo, "PCM_24"),
]:
    path = HERE / f"{name}.flac"
    soundfile.write(path, signal, RATE, subtype=subtype)
    decoded, rate = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate == RATE
    expected[name] = decoded.mean(axis=1).astype(np.float32)
save_file(expected, str(HERE / "flac.safetensors"))
