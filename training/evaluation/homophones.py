"""`python -m training.evaluate homophones`: words that only their neighbours tell apart.

Each sentence is spoken by voices that training never heard, and decoded with and without the
language model; the word must come out as it is meant, "pear" and not "pair".
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.features import LogMel
from edgeasr.recogniser import Recogniser
from training.recogniser_synthetic import TEST_VOICES
from training.synthesis import Job, synthesise_many, voices

__all__ = ["Sentence", "main", "sentences"]

_TEXTS = Path(__file__).parents[1] / "texts" / "homophones.tsv"


@dataclass(frozen=True)
class Sentence:
    """A sentence, the word it turns on, and the word that sounds the same."""

    text: str
    word: str
    other: str


def sentences() -> list[Sentence]:
    """Return the test's sentences."""
    with _TEXTS.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [Sentence(row["sentence"], row["said"], row["heard"]) for row in rows]


def main(argv: list[str]) -> int:
    """Print how many words come out right, and those that do not."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate homophones")
    parser.add_argument("--data", type=Path, help="not needed: the sentences are in training/texts")
    parser.add_argument("--bundle", type=Path, default=MODELS_FOLDER / "recogniser-en")
    options = parser.parse_args(argv)
    speakers = [voice for voice in voices() if voice.key in TEST_VOICES]
    if not speakers:
        raise SystemExit(f"install one of the voices {', '.join(sorted(TEST_VOICES))}")
    recogniser = Recogniser(Bundle(options.bundle, kind="recogniser"))
    jobs = [Job(voice, one.text) for voice in speakers for one in sentences()]
    meant = {one.text: one for one in sentences()}
    fusion = recogniser.fusion
    right = {"with": 0, "without": 0}
    spoken = 0
    for job, pcm in synthesise_many(jobs):
        spoken += 1
        stream = recogniser.stream()
        stream.push(LogMel()(pcm))
        for name, used in (("with", fusion), ("without", None)):
            recogniser.fusion = used
            words = stream.finish().text.split()
            right[name] += meant[job.text].word in words
            if name == "with" and meant[job.text].other in words:
                print(f"{job.voice.key}: {meant[job.text].word} -> {' '.join(words)}")
    pairs = len({frozenset((one.word, one.other)) for one in sentences()})
    print(f"{pairs} pairs, {len(meant)} sentences, {spoken} clips: right word in {right['with']} "
          f"with the language model, {right['without']} without")  # fmt: skip
    return 0
