"""Ours and jiwer on the same 100,000 pairs of transcripts, in turns A B A B, one thread each.

Run from the root of the repository:
    cargo build --release -p sure-metrics --example time_scoring
    python crates/metrics/benches/against_jiwer.py [--rounds 5]

Needs jiwer 4.0.0. Texts are in memory on both sides before the clock starts. `wer` and `counts` stand against
`jiwer.process_words`, which always aligns, as `counts` does; `cer` against `jiwer.process_characters`.
"""

import argparse
import importlib.metadata
import pathlib
import statistics
import subprocess
import tempfile
import time

import jiwer


def ours(program, folder, what):
    seconds, rate = subprocess.run(
        [program, "time", folder, what], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(seconds), float(rate)


def theirs(references, hypotheses, what):
    process = jiwer.process_characters if what == "cer" else jiwer.process_words
    start = time.perf_counter()
    output = process(references, hypotheses)
    seconds = time.perf_counter() - start
    return seconds, output.cer if what == "cer" else output.wer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default="target/release/examples/time_scoring")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([settings.program, "write", folder], check=True)
        read = lambda name: pathlib.Path(folder, name).read_text(encoding="utf-8").splitlines()
        references, hypotheses = read("ref.txt"), read("hyp.txt")
        words = sum(len(reference.split()) for reference in references)
        print(f"{len(references)} utterances, {words} words, jiwer {importlib.metadata.version('jiwer')}")
        for what in ("wer", "counts", "cer"):
            times = []
            for _ in range(settings.rounds):
                (mine, rate), (other, expected) = ours(settings.program, folder, what), theirs(references, hypotheses, what)
                assert rate == expected, f"{what}: {rate}, jiwer {expected}"
                times.append((mine, other))
            mine, other = (statistics.median(side) for side in zip(*times))
            ratios = [other / mine for mine, other in times]
            print(
                f"{what:6} rate {rate:.4f}  ours {mine * 1e3:7.1f} ms  jiwer {other * 1e3:8.1f} ms  "
                f"{other / mine:.1f} times faster ({min(ratios):.1f} to {max(ratios):.1f})"
            )


if __name__ == "__main__":
    main()
