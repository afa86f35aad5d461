"""The Python side of the `extract` rows: hidden states of many recordings with transformers, as a careful user writes it.

Recordings are sorted by length and go through the encoder in batches of the same bound on padded seconds as ours; they
are decoded by soundfile and prepared by the model's own feature extractor, in a thread that is one batch ahead, in
inference mode and 32-bit precision; the last hidden states of all real frames go to one safetensors file. Whisper gets
what its feature extractor gives it: 30 s a recording.

The protocol is that of peer.py: {"op": "setup", "row", "backbone", "audio": LIST, "batch_seconds", "threads"}, then
{"op": "run", "n": 1} -> {"seconds": [...], "peak_bytes"}, and {"op": "exit"}. The clock runs from the list of files to
the closed output; models and extractors are loaded before.
"""

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # folders only: no look-up may enter a timing

import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model, WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

MOST_CLIPS = 64
RATE = 16_000


def load_whisper(folder: str) -> WhisperEncoder:
    """The encoder alone, in fp32 whatever the file holds; every tensor must be there."""
    encoder = WhisperEncoder(WhisperConfig.from_pretrained(folder))
    prefix = "model.encoder."
    state = load_file(Path(folder) / "model.safetensors")
    encoder.load_state_dict({n[len(prefix) :]: t.float() for n, t in state.items() if n.startswith(prefix)})
    return encoder


class Extraction:
    def __init__(self, ask: dict) -> None:
        torch.set_num_threads(int(ask["threads"]))
        torch.manual_seed(0)
        self.paths = Path(ask["audio"]).read_text().splitlines()
        self.most = float(ask["batch_seconds"])
        self.whisper = "whisper" in ask["row"]
        self.whole = ask["row"].endswith("-30s")  # all 1500 frames, as transformers returns them
        if self.whisper:
            self.model = load_whisper(ask["backbone"])
            self.extractor = WhisperFeatureExtractor.from_pretrained(ask["backbone"])
        else:
            self.model = Wav2Vec2Model(Wav2Vec2Config.from_pretrained(ask["backbone"]))
            self.extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False)
        self.model.eval().requires_grad_(False)

    def batches(self) -> list[list[str]]:
        """The longest first; a batch holds `most` padded seconds."""
        lengths = {path: soundfile.info(path).duration for path in self.paths}
        batches: list[list[str]] = []
        longest = 0.0
        for path in sorted(self.paths, key=lambda path: -lengths[path]):
            if batches and len(batches[-1]) < MOST_CLIPS and (len(batches[-1]) + 1) * longest <= self.most:
                batches[-1].append(path)
            else:
                longest = 30.0 if self.whisper else lengths[path]
                batches.append([path])
        return batches

    def prepare(self, paths: list[str]) -> tuple[torch.Tensor, list[int]]:
        audio = [soundfile.read(path, dtype="float32") for path in paths]
        assert all(rate == RATE for _, rate in audio), "the recordings of this row are to be at 16 kHz"
        audio = [samples if samples.ndim == 1 else samples.mean(axis=1) for samples, _ in audio]
        if self.whisper:
            features = self.extractor(audio, sampling_rate=RATE, return_tensors="pt").input_features
            return features, [-(-len(samples) // 320) for samples in audio]
        values = self.extractor(audio, sampling_rate=RATE, padding=True, return_tensors="pt").input_values
        lengths = torch.tensor([len(samples) for samples in audio])
        return values, self.model._get_feat_extract_output_lengths(lengths).tolist()

    @torch.inference_mode()
    def __call__(self) -> None:
        tensors = {}
        batches = self.batches()
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.prepare, batches[0])
            for number, paths in enumerate(batches):
                values, frames = coming.result()
                if number + 1 < len(batches):
                    coming = ahead.submit(self.prepare, batches[number + 1])
                hidden = self.model(values).last_hidden_state
                for row, (path, count) in enumerate(zip(paths, frames)):
                    states = hidden[row] if self.whole else hidden[row, :count]
                    tensors[path + "/last"] = states.clone()
        with tempfile.TemporaryDirectory() as folder:
            save_file(tensors, Path(folder) / "states.safetensors")


def peak_bytes() -> int:
    """VmHWM of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the protocol
    torch.set_num_interop_threads(1)
    work = None
    for line in filter(str.strip, sys.stdin):
        try:
            ask = json.loads(line)
            if ask["op"] == "exit":
                break
            if ask["op"] == "setup":
                work = Extraction(ask)
                reply = {"clips": len(work.paths)}
            else:
                seconds = []
                for _ in range(int(ask.get("n", 1))):
                    start = time.perf_counter()
                    work()
                    seconds.append(time.perf_counter() - start)
                reply = {"seconds": seconds, "peak_bytes": peak_bytes()}
        except Exception as error:  # whatever went wrong, the other side waits for a line
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
