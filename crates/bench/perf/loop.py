"""A plain Python training loop on one folder of audio, for orientation: what transformers and peft reach.

    python loop.py --task ser --data FOLDER --method lora --backbone DIR --lr 3e-3

FOLDER holds manifest.jsonl (`audio`, the task's label and split keys; rows without the label are left out). Prints
one JSON object. Whisper's encoder at the length of the batch's longest utterance (positions and the length check
cut, see peer.py), no mask inside the attention since transformers has none, and a masked mean in the head. AdamW
without weight decay, linear warm-up over a tenth of the steps, then linear decay; gradient norm clipped at 1.0; no
dropout; batches from a seeded shuffle of each epoch. The step with the best accuracy on valid (the first such) is
scored on test. `seconds_train` holds the training steps alone: no evaluation, no reading, no log-mel.

linear: head only; lora: peft, rank 8, alpha 1, six projections a block, and the head; finetune: everything but the
two convolutions and the positions, and the head. `--head-lr` gives the head a rate of its own.
"""

import argparse
import json
import time
from pathlib import Path

import soundfile
import torch
from peer import Classifier, add_lora, load_encoder, set_length
from torch import nn
from transformers import WhisperFeatureExtractor, get_linear_schedule_with_warmup

TASKS = {"ks": ("keyword", "split"), "ser": ("emotion", "split"), "sr": ("speaker", "sid_split")}
HOP = 160


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", choices=["linear", "lora", "finetune"], required=True)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--head-lr", type=float, help="as --lr when left out")
    parser.add_argument("--eval-every", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


class Split:
    """Log-mels `[n, mels, frames]` cut to the split's longest, their real lengths in frames, and labels."""

    def __init__(self, folder: Path, rows: list[dict], key: str, classes: list[str], backbone: str) -> None:
        extractor = WhisperFeatureExtractor.from_pretrained(backbone)
        waves = []
        for row in rows:
            wave, rate = soundfile.read(folder / row["audio"], dtype="float32")
            assert rate == extractor.sampling_rate and wave.ndim == 1, row["audio"]
            waves.append(wave)
        self.frames = torch.tensor([-(-len(wave) // HOP) for wave in waves])
        longest = self.even(self.frames.max())
        mels = []
        for wave in waves:
            mel = extractor(wave, sampling_rate=extractor.sampling_rate, return_tensors="pt").input_features
            mels.append(mel[0, :, :longest].clone())
        self.mels = torch.stack(mels)
        self.labels = torch.tensor([classes.index(row[key]) for row in rows])

    @staticmethod
    def even(frames: torch.Tensor) -> int:
        """transformers checks for twice the number of positions."""
        return int(frames) + int(frames) % 2

    def batch(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log-mels cut to the batch's longest, lengths in the encoder's frames, labels."""
        frames = self.frames[index]
        return self.mels[index, :, : self.even(frames.max())], (frames + 1) // 2, self.labels[index]


class Model(nn.Module):
    """Encoder with the method in it, and the head."""

    def __init__(self, method: str, backbone: str, classes: int) -> None:
        super().__init__()
        self.encoder = load_encoder(backbone)
        self.encoder.requires_grad_(method == "finetune")
        for frozen in (self.encoder.conv1, self.encoder.conv2, self.encoder.embed_positions):
            frozen.requires_grad_(False)
        self.body = add_lora(self.encoder) if method == "lora" else self.encoder
        self.head = Classifier(self.encoder.config.d_model, 256, classes)

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        set_length(self.encoder, mel.shape[-1])
        return self.head(self.body(mel).last_hidden_state, lengths)

    def trained(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def accuracy(model: Model, split: Split) -> float:
    model.eval()
    hits = 0
    with torch.inference_mode():
        for index in split.frames.argsort().split(64):
            mel, lengths, labels = split.batch(index)
            hits += (model(mel, lengths).argmax(dim=1) == labels).sum().item()
    return hits / len(split.labels)


def batches(count: int, size: int, seed: int):
    """Endless batches of indices, a fresh seeded shuffle each epoch; a short rest is dropped."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        for index in torch.randperm(count, generator=generator).split(size):
            if len(index) == min(size, count):
                yield index


def train(model: Model, splits: dict[str, Split], args: argparse.Namespace) -> dict:
    trained = model.trained()
    head = [p for name, p in trained.items() if name.startswith("head.")]
    rest = [p for name, p in trained.items() if not name.startswith("head.")]
    groups = [{"params": head, "lr": args.head_lr or args.lr}] + ([{"params": rest}] if rest else [])
    optimizer = torch.optim.AdamW(groups, lr=args.lr, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, round(0.1 * args.steps), args.steps)
    stream = batches(len(splits["train"].labels), args.batch, args.seed)
    best, best_step, kept, seconds, losses, curve = -1.0, 0, {}, 0.0, [], []
    for step in range(1, args.steps + 1):
        start = time.perf_counter()
        model.train()
        mel, lengths, labels = splits["train"].batch(next(stream))
        loss = nn.functional.cross_entropy(model(mel, lengths), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(list(trained.values()), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        seconds += time.perf_counter() - start
        if step % args.eval_every == 0 or step == args.steps:
            curve.append(accuracy(model, splits["valid"]))
            if curve[-1] > best:
                best, best_step = curve[-1], step
                kept = {name: p.detach().clone() for name, p in trained.items()}
    last = accuracy(model, splits["test"])
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(kept[name])
    return {
        "test": accuracy(model, splits["test"]),
        "valid": best,
        "best_step": best_step,
        "test_last_step": last,
        "valid_curve": curve,
        "loss_last_10": sum(losses[-10:]) / len(losses[-10:]),
        "seconds_train": seconds,
    }


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    label, split_key = TASKS[args.task]
    rows = [json.loads(line) for line in (args.data / "manifest.jsonl").read_text().splitlines() if line.strip()]
    rows = [row for row in rows if label in row and split_key in row]
    classes = sorted({row[label] for row in rows})
    splits = {
        name: Split(args.data, [r for r in rows if r[split_key] == name], label, classes, args.backbone)
        for name in ("train", "valid", "test")
    }
    model = Model(args.method, args.backbone, len(classes))
    result = train(model, splits, args)
    given = {"task": args.task, "method": args.method, "lr": args.lr, "head_lr": args.head_lr or args.lr, "seed": args.seed}
    sizes = {name: len(split.labels) for name, split in splits.items()}
    trainable = sum(p.numel() for p in model.trained().values())
    print(json.dumps({**given, "steps": args.steps, "trainable": trainable, "utterances": sizes, **result}))


if __name__ == "__main__":
    main()
