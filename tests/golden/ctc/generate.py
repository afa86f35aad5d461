"""CTC loss, its gradient and greedy decoding of transformers and torch on a padded batch.

Run as `python tests/golden/ctc/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0. See README.md.
"""

import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional
from transformers import Wav2Vec2CTCTokenizer

HERE = Path(__file__).resolve().parent
TEXTS = ["hello all", "oh well", "a", "he has all she wheels", "shell"]
TIME = 24
# The fourth text has more characters than its clip has frames, and the fifth needs a blank between its two l.
FRAMES = torch.tensor([24, 17, 3, 9, 5])


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(7)
    characters = sorted({character for text in TEXTS for character in text})
    tokens = ["|" if character == " " else character for character in characters] + ["[UNK]", "[PAD]"]
    with tempfile.TemporaryDirectory() as folder:
        vocab = Path(folder) / "vocab.json"
        vocab.write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
        tokenizer = Wav2Vec2CTCTokenizer(
            str(vocab), unk_token="[UNK]", pad_token="[PAD]", word_delimiter_token="|", bos_token=None, eos_token=None
        )
    targets = [tokenizer(text).input_ids for text in TEXTS]
    blank = tokens.index("[PAD]")
    logits = 2.0 * torch.randn(len(TEXTS), TIME, len(tokens), generator=generator)
    # Two clips say their text with repeats and blanks, so that decoding has words to find.
    for row, path in [(0, "hheel[PAD]llo||al[PAD]l"), (1, "o[PAD]h||we[PAD]l[PAD]l")]:
        frames, rest = [], path
        while rest:
            token = next(token for token in ["[PAD]", rest[0]] if rest.startswith(token))
            frames.append(tokens.index(token))
            rest = rest[len(token) :]
        for frame, token in enumerate(frames[: FRAMES[row]]):
            logits[row, frame, token] += 12.0
        logits[row, len(frames) : FRAMES[row], blank] += 12.0
    logits.requires_grad_()
    # As Wav2Vec2ForCTC computes it.
    log_probs = functional.log_softmax(logits, dim=-1, dtype=torch.float32).transpose(0, 1)
    with torch.backends.cudnn.flags(enabled=False):
        loss = functional.ctc_loss(
            log_probs,
            torch.tensor([token for target in targets for token in target]),
            FRAMES,
            torch.tensor([len(target) for target in targets]),
            blank=blank,
            reduction="mean",
            zero_infinity=True,
        )
    loss.backward()
    answers = [tokenizer.decode(logits[row, : FRAMES[row]].argmax(-1)) for row in range(len(TEXTS))]
    save_file(
        {"logits": logits.detach(), "loss": loss.detach(), "grad.logits": logits.grad.contiguous()},
        HERE / "reference.safetensors",
    )
    case = {
        "tokens": tokens,
        "texts": TEXTS,
        "targets": targets,
        "frames": FRAMES.tolist(),
        "answers": answers,
    }
    (HERE / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    print(loss.item(), answers)


if __name__ == "__main__":
    main()
