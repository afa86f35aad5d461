"""Log-mel matrices of HiFi-GAN's meldataset.py, restated on torch.stft and librosa, for crates/audio/tests/golden.rs.

Pinned: torch 2.13.0, librosa 0.11.0, numpy 2, safetensors. Run: python generate.py
"""

import math
from pathlib import Path

import librosa
import numpy as np
import torch
from safetensors.numpy import save_file

RATE, N_FFT, HOP, MELS = 22_050, 1024, 256, 80


def chirp(samples: int, seed: int) -> np.ndarray:
    """A rising tone in noise: energy in every band, and differently in every frame."""
    time = np.arange(samples) / RATE
    tone = 0.4 * np.sin(2 * math.pi * (120 * time + 0.5 * 9000 * time**2))
    noise = 0.02 * np.random.default_rng(seed).standard_normal(samples)
    return (tone + noise).astype(np.float32)


def mel_spectrogram(clip: np.ndarray, fmax: float | None) -> np.ndarray:
    """`mel_spectrogram` of meldataset.py, with the arguments of config_v1.json."""
    filters = torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=MELS, fmin=0, fmax=fmax))
    margin = (N_FFT - HOP) // 2
    padded = torch.nn.functional.pad(torch.from_numpy(clip)[None, None], (margin, margin), mode="reflect")[0]
    spectrum = torch.stft(
        padded,
        N_FFT,
        hop_length=HOP,
        win_length=N_FFT,
        window=torch.hann_window(N_FFT),
        center=False,
        normalized=False,
        onesided=True,
        return_complex=True,
    )
    magnitude = torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-9)
    return torch.log(torch.clamp(filters @ magnitude, min=1e-5))[0].numpy()


gap = chirp(8000, seed=3)
gap[2500:6000] = 0
clips = {"ragged": chirp(20_837, seed=1), "short": chirp(385, seed=2), "gap": gap}

tensors = {}
for name, clip in clips.items():
    tensors[f"{name}.samples"] = clip
    for band, fmax in {"8000": 8000.0, "nyquist": None}.items():
        mel = mel_spectrogram(clip, fmax)
        assert mel.shape == (MELS, len(clip) // HOP)
        tensors[f"{name}.{band}"] = np.ascontiguousarray(mel)

save_file(tensors, str(Path(__file__).with_name("hifigan-mel.safetensors")))
