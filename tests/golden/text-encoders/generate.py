"""Tiny BERT and DistilBERT encoders with seeded random weights, their hidden states by transformers, and the tokens that
`BertTokenizer` makes of a thousand strings.

Run as `python tests/golden/text-encoders/generate.py`; it writes next to itself.
Pinned: torch 2.13.0, transformers 5.23.0, numpy and safetensors of that time. See README.md.
"""

import json
import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer, DistilBertConfig, DistilBertModel

HERE = Path(__file__).resolve().parent
TEXTS = [
    "turn the lights on in the kitchen",
    "Play, 'Été' — by Queen!",
    "no",
    "I'd like a large double-shot latte with 2 sugars, please; and make it quick...",
]
WORDS = (
    "the a an i you he she it we they is are was be to of in on at for with and or not no yes turn play set make like"
    " light lights kitchen music song queen large small double shot latte sugar please quick warm cold red blue d s t ll"
    " 2 10 é été naïve 中 文 ß ø"
).split()
PIECES = "##s ##ing ##ed ##er ##ly ##un ##able ##a ##e ##i ##o ##u ##n ##r ##t ##1 ##0 ##é".split()


def vocabulary():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    marks = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
    letters = [chr(code) for code in range(97, 123)]
    pieces = ["##" + letter for letter in letters]
    ordered = special + marks + letters + [str(digit) for digit in range(10)] + pieces + WORDS + PIECES
    return list(dict.fromkeys(ordered))


def strings(count):
    """Words, punctuation, accents, ideographs, control characters, emoji and joined characters, in a seeded order."""
    rng = random.Random(20260901)
    ranges = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x5D0, 0x5EA), (0x621, 0x64A)]
    ranges += [(0x900, 0x939), (0xE01, 0xE2E), (0x3041, 0x3096), (0x4E00, 0x4E40), (0xAC00, 0xAC20), (0x300, 0x32F)]
    ranges += [(0x2000, 0x206F), (0x1F600, 0x1F640), (0x20000, 0x20010), (0x0, 0x1F), (0xFE00, 0xFE0F)]
    plain = WORDS + ["Unaffable", "UNABLE", "lights'", "don't", "[MASK]", "[CLS]", "[unused1]", "x" * 120]
    found = []
    while len(found) < count:
        parts = []
        for _ in range(rng.randint(0, 9)):
            if rng.random() < 0.6:
                parts.append(rng.choice(plain))
            else:
                low, high = rng.choice(ranges)
                parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 4))))
        found.append(rng.choice([" ", " ", "  ", "", "\t", "\u00a0"]).join(parts))
    return found


def tokenizer(folder, **flags):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    config = {"do_lower_case": True, "tokenizer_class": "BertTokenizer", **flags}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return BertTokenizer.from_pretrained(str(folder))


def spread(model, seed):
    """Weights large enough that every part of the network moves the result."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            norm = "LayerNorm.weight" in name or "layer_norm.weight" in name
            parameter.copy_(1 + 0.1 * noise if norm else 0.15 * noise)


def states(encoder, words):
    """Every hidden state of each text alone, and of all in one padded batch."""
    tensors = {}
    for index, text in enumerate(TEXTS):
        ids = words(text, return_tensors="pt")
        hidden = encoder(ids["input_ids"], attention_mask=ids["attention_mask"], output_hidden_states=True).hidden_states
        tensors[f"{index}.ids"] = ids["input_ids"][0].to(torch.float32)
        for layer, state in enumerate(hidden):
            tensors[f"{index}.hidden.{layer}"] = state[0].contiguous()
    batch = words(TEXTS, return_tensors="pt", padding=True)
    hidden = encoder(batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True).hidden_states
    tensors["batch.last"] = (hidden[-1] * batch["attention_mask"].unsqueeze(-1)).contiguous()
    return tensors


def main():
    torch.manual_seed(0)
    sizes = {"vocab_size": len(vocabulary()), "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    bert = BertConfig(**sizes, num_hidden_layers=3, max_position_embeddings=48)
    makers = {
        "bert": (BertModel(bert), ""),
        # A whole model with its head, and layer norms spelt as those converted from TensorFlow.
        "bert-mlm-gamma": (BertForMaskedLM(bert), "bert"),
        "distilbert": (
            DistilBertModel(
                DistilBertConfig(
                    vocab_size=sizes["vocab_size"], dim=32, hidden_dim=64, n_heads=4, n_layers=3, max_position_embeddings=48
                )
            ),
            "",
        ),
    }
    for seed, (name, (model, inner)) in enumerate(makers.items()):
        folder = HERE / name
        words = tokenizer(folder)
        spread(model, seed)
        model.eval()
        encoder = getattr(model, inner) if inner else model
        with torch.no_grad():
            save_file(states(encoder, words), folder / "reference.safetensors")
        model.config.save_pretrained(folder)
        kept = {}
        for key, value in model.state_dict().items():
            if key.startswith("cls.predictions.decoder."):
                continue  # Tied to other tensors.
            if "gamma" in name:
                key = key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            kept[key] = value.contiguous()
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    texts = strings(1000)
    cases = {"texts": texts}
    for name, flags in [("uncased", {}), ("cased", {"do_lower_case": False, "strip_accents": False})]:
        words = tokenizer(HERE / "tokens" / name, **flags)
        # The smallest network that the tokenizer can lie beside.
        one = {**sizes, "hidden_size": 4, "intermediate_size": 4, "num_attention_heads": 1, "num_hidden_layers": 1}
        BertConfig(**one, max_position_embeddings=512).save_pretrained(HERE / "tokens" / name)
        cases[name] = [words(text)["input_ids"] for text in texts]
    (HERE / "tokens" / "cases.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
