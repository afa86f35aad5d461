"""The Python side of the paired benchmarks: transformers and peft, as a plain user would call them.

A long-lived process. It reads one JSON object a line from stdin and answers each with one line on stdout:

    {"op": "setup", "row": ROW, "backbone": DIR, "batch": 8, "seconds": 30, "threads": 2, "seed": 0}
        -> {"row", "shape", "parameters", "trainable", "threads", "versions", "peak_bytes"}
    {"op": "run", "n": 3}  -> {"seconds": [s, s, s], "peak_bytes": B, "value": v}
    {"op": "exit"}         -> {"bye": true}, and the process ends (as it does at the end of stdin)

A request that fails is answered with {"error": text} and the process stays. Every setup replaces the one before.
`seconds` of a run are the wall times of its n repetitions; `value` is the mean of the last output (forward) or the
last loss (lora-step). The first repetition after a setup is a cold one: ask for it and throw it away.
`peak_bytes` is VmHWM, the highest resident size in the life of the process, so one row a process gives that row's.

Rows (a family before the slash, what is done behind it):

    whisper/forward    WhisperEncoder, sdpa, inference mode, fp32, on random log-mel `[batch, 80, frames]`
    whisper/lora-step  one training step: peft LoRA (r 8, alpha 1) on q, k, v, out, fc1 and fc2 of every block,
                       everything else of the encoder frozen, masked-mean classifier head, cross-entropy, AdamW,
                       gradient norm clipped at 1.0, train mode, no dropout

    wav2vec2-base/forward, wav2vec2-base/lora-step
                       the same with Wav2Vec2Model of the folder's config.json and random weights, on `[batch, 64000]`
                       samples; the step is the careful user's, with `freeze_feature_encoder()`

transformers' Whisper takes 30 s whatever the utterance holds. So `seconds` gives the length of the real audio in the
head's mask, and the encoder gets 3000 frames, unless `"cut": true` asks for the peer that a careful user would
write: positions and the length check cut to the input. `"seconds": "real"` is not known here: give the number.
Optional in setup: `classes` (10), `projector` (256), `lr` (1e-3), `attention` ("sdpa" or "eager").
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # folders only: no look-up may enter a timing

import peft
import torch
import transformers
from safetensors.torch import load_file
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

FRAMES_30S = 3000
TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "intermediate_dense", "output_dense"]
SAMPLES = 64_000  # of a wav2vec2 clip: 4 s


def load_encoder(folder: str, attention: str = "sdpa") -> WhisperEncoder:
    """The encoder alone, in fp32 whatever the file holds; every tensor must be there."""
    config = WhisperConfig.from_pretrained(folder)
    config._attn_implementation = attention
    encoder = WhisperEncoder(config)
    prefix = "model.encoder."
    state = load_file(Path(folder) / "model.safetensors")
    state = {name[len(prefix) :]: t.float() for name, t in state.items() if name.startswith(prefix)}
    encoder.load_state_dict(state)
    encoder.full_positions = encoder.embed_positions.weight.detach().clone()
    return encoder.eval()


def set_length(encoder: WhisperEncoder, frames: int) -> None:
    """Let the encoder take `frames` mel frames (even) instead of 30 s: positions and its check are cut."""
    encoder.config.max_source_positions = frames // 2
    encoder.embed_positions = nn.Embedding.from_pretrained(encoder.full_positions[: frames // 2], freeze=True)


def add_lora(encoder: WhisperEncoder, rank: int = 8, alpha: int = 1) -> nn.Module:
    """peft's LoRA on all six projections of every block; all else is frozen."""
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=TARGETS)
    model = peft.get_peft_model(encoder, config)
    assert all("lora_" in name for name, p in model.named_parameters() if p.requires_grad)
    return model


class Classifier(nn.Module):
    """Projector, mean over the real frames, classifier; N(0, 0.02) weights and zero biases."""

    def __init__(self, hidden: int, projector: int, classes: int) -> None:
        super().__init__()
        self.projector = nn.Linear(hidden, projector)
        self.classifier = nn.Linear(projector, classes)
        for layer in (self.projector, self.classifier):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """`hidden` `[batch, time, hidden]`, `lengths` `[batch]` in frames -> `[batch, classes]`."""
        valid = torch.arange(hidden.shape[1]) < lengths[:, None]
        projected = self.projector(hidden).masked_fill(~valid[..., None], 0.0)
        return self.classifier(projected.sum(dim=1) / lengths[:, None])


class Row:
    """One benchmark row after its setup; calling it does one repetition and returns a number."""

    def __init__(self, ask: dict) -> None:
        kind = ask["row"].rsplit("/", 1)[-1]
        if kind not in ("forward", "lora-step"):
            raise ValueError(f"no row {ask['row']!r}; there are FAMILY/forward and FAMILY/lora-step")
        torch.set_num_threads(int(ask.get("threads", 1)))
        torch.manual_seed(int(ask.get("seed", 0)))
        batch, frames = int(ask["batch"]), round(100 * float(ask.get("seconds", 30)))
        self.wav2vec2 = ask["row"].startswith("wav2vec2")
        if self.wav2vec2:
            config = Wav2Vec2Config.from_pretrained(ask["backbone"])
            config._attn_implementation = ask.get("attention", "sdpa")
            self.encoder = Wav2Vec2Model(config).eval()
            self.mel = torch.randn(batch, SAMPLES)
            frames = int(self.encoder._get_feat_extract_output_lengths(torch.tensor(SAMPLES)))
            self.lengths = torch.full((batch,), frames)
        else:
            self.encoder = load_encoder(ask["backbone"], ask.get("attention", "sdpa"))
            if ask.get("cut", False):
                frames += frames % 2
                set_length(self.encoder, frames)
            padded = 2 * self.encoder.config.max_source_positions
            self.mel = torch.rand(batch, self.encoder.num_mel_bins, padded) * 2 - 1
            self.lengths = torch.full((batch,), (frames + 1) // 2)
        self.repeat = self.forward if kind == "forward" else self.lora_step
        if kind == "forward":
            self.encoder.requires_grad_(False)
            self.model, self.trained = self.encoder, []
            return
        if self.wav2vec2:
            # Without it, transformers asks for gradients at the output of a front end that nobody trains.
            self.encoder.freeze_feature_encoder()
        self.model = add_lora(self.encoder).train()
        classes = int(ask.get("classes", 10))
        self.head = Classifier(self.encoder.config.hidden_size, int(ask.get("projector", 256)), classes)
        self.labels = torch.randint(classes, (batch,))
        self.trained = [p for p in (*self.model.parameters(), *self.head.parameters()) if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=float(ask.get("lr", 1e-3)), weight_decay=0.0)

    def forward(self) -> float:
        with torch.inference_mode():
            return self.model(self.mel).last_hidden_state.mean().item()

    def lora_step(self) -> float:
        logits = self.head(self.model(self.mel).last_hidden_state, self.lengths)
        loss = nn.functional.cross_entropy(logits, self.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        return loss.item()

    def describe(self) -> dict:
        return {
            "shape": list(self.mel.shape),
            "parameters": sum(p.numel() for p in self.encoder.parameters() if not p.requires_grad),
            "trainable": sum(p.numel() for p in self.trained),
            "threads": torch.get_num_threads(),
            "versions": {m.__name__: m.__version__ for m in (torch, transformers, peft)},
        }


def peak_bytes() -> int:
    """VmHWM of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def answer(ask: dict, row: Row | None) -> tuple[dict, Row | None]:
    if ask["op"] == "setup":
        row = None  # the old row's memory goes before the new one's comes
        row = Row(ask)
        return {"row": ask["row"], **row.describe(), "peak_bytes": peak_bytes()}, row
    if ask["op"] == "run":
        if row is None:
            raise ValueError("run before setup")
        seconds, value = [], 0.0
        for _ in range(int(ask.get("n", 1))):
            start = time.perf_counter()
            value = row.repeat()
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "peak_bytes": peak_bytes(), "value": value}, row
    raise ValueError(f"no op {ask['op']!r}; there are setup, run and exit")


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the protocol
    torch.set_num_interop_threads(1)
    row = None
    for line in filter(str.strip, sys.stdin):
        try:
            ask = json.loads(line)
            if ask["op"] == "exit":
                break
            reply, row = answer(ask, row)
        except Exception as error:  # whatever went wrong, the other side waits for a line
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)
    print(json.dumps({"bye": True}), file=answers, flush=True)


if __name__ == "__main__":
    main()
