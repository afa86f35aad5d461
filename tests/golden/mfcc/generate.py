"""Kaldi's mel-frequency cepstral coefficients of a synthetic clip, from transformers' spectra and scipy's DCT.

Run as `python tests/golden/mfcc/generate.py`; it writes mfcc.safetensors next to itself.
Pinned: transformers 5.23.0, scipy, numpy. See README.md.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.fft import dct
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

HERE = Path(__file__).resolve().parent
RATE, LENGTH, HOP = 16_000, 400, 320


def differences(rows: np.ndarray) -> np.ndarray:
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    slopes = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0)
    return slopes @ np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) / 10.0


def mfcc(samples: np.ndarray) -> np.ndarray:
    filters = mel_filter_bank(
        num_frequency_bins=257,
        num_mel_filters=23,
        min_frequency=20.0,
        max_frequency=RATE / 2,
        sampling_rate=RATE,
        norm=None,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    logs = spectrogram(
        samples.astype(np.float64),
        window_function(LENGTH, "povey", periodic=False),
        frame_length=LENGTH,
        hop_length=HOP,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=filters,
        log_mel="log",
        mel_floor=1.192092955078125e-07,
        remove_dc_offset=True,
        dtype=np.float64,
    ).T
    cepstra = dct(logs, type=2, norm="ortho", axis=1)[:, :13]
    cepstra = cepstra * (1.0 + 11.0 * np.sin(np.pi * np.arange(13) / 22.0))
    first = differences(cepstra)
    return np.concatenate([cepstra, first, differences(first)], axis=1)


def main() -> None:
    rng = np.random.default_rng(5)
    time = np.arange(9_000) / RATE
    clip = 0.3 * np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.02 * rng.standard_normal(time.size)
    clip[6_000:7_500] = 0.0
    clip = clip.astype(np.float32)
    # The same with silence in front and behind: what lies outside the samples.
    around = np.concatenate([np.zeros(500, np.float32), clip, np.zeros(900, np.float32)])
    tensors = {"samples": clip, "inside": mfcc(clip), "around": mfcc(around)}
    save_file({name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}, HERE / "mfcc.safetensors")
    print({name: value.shape for name, value in tensors.items()})


if __name__ == "__main__":
    main()
