"""`python -m training recogniser_lm`: the recogniser's trigrams, counted on text.

Interpolated Witten-Bell estimates (Witten and Bell 1991) over the decoder's units, written as
back-off weights for `edgeasr.ngram`. Sentences that the synthetic test speaks are left out.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.recogniser_synthetic import is_test
from training.recogniser_text import read_lines
from training.recogniser_units import Units

__all__ = ["count_trigrams", "main", "write_trigrams"]

REPEATS = {"commands.en.txt": 3}  # orders are what is said
LEAST = 2  # rarer bigrams and trigrams are dropped

Grams = Counter[tuple[int, ...]]


def main(argv: list[str]) -> int:
    """Count and write `trigrams.npz`."""
    parser = argparse.ArgumentParser(prog="python -m training recogniser_lm", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--units", type=Path, default=Path("runs/recogniser-units"))
    parser.add_argument("--out", type=Path, default=Path("runs/recogniser-units/trigrams.npz"))
    options = parser.parse_args(argv)
    units = Units(options.units)
    sentences = (units.bpe.encode(text) for text in _texts(options.data / "text" / "lm"))
    grams = count_trigrams(sentences, end=units.end)
    write_trigrams(grams, options.out, units=len(units.bpe.units))
    print(f"{[len(some) for some in grams]} n-grams, {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.txt")):
        for text in read_lines(path):
            if not is_test(text):
                for _ in range(REPEATS.get(path.name, 1)):
                    yield text


def count_trigrams(
    sentences: Iterable[list[int]], *, end: int, least: int = LEAST
) -> tuple[Grams, Grams, Grams]:
    """Return how often each unit, pair and triple occurs; `end` ends and precedes a sentence.

    Pairs and triples seen fewer than `least` times are left out.
    """
    counts: tuple[Grams, Grams, Grams] = (Counter(), Counter(), Counter())
    for ids in sentences:
        row = (end, end, *ids, end)
        for at in range(2, len(row)):
            for size, grams in enumerate(counts):
                grams[row[at - size : at + 1]] += 1
    for grams in counts[1:]:
        for gram in [gram for gram, times in grams.items() if times < least]:
            del grams[gram]
    return counts


def write_trigrams(grams: tuple[Grams, Grams, Grams], path: Path, *, units: int) -> None:
    """Write log probabilities and back-off weights of counted n-grams."""
    chances: dict[tuple[int, ...], float] = {}
    backoffs: dict[tuple[int, ...], float] = {}
    for size, some in enumerate(grams):
        totals: Counter[tuple[int, ...]] = Counter()
        kinds: Counter[tuple[int, ...]] = Counter()
        for gram, times in some.items():
            totals[gram[:-1]] += times
            kinds[gram[:-1]] += 1
        for context, total in totals.items():
            backoffs[context] = kinds[context] / (total + kinds[context])
        for gram, times in some.items():
            context = gram[:-1]
            shorter = chances.get(gram[1:], 1 / units) if size else 1 / units
            chances[gram] = (times + kinds[context] * shorter) / (totals[context] + kinds[context])
    unseen = backoffs[()] / units
    triples = sorted(grams[2])
    pairs = sorted({*grams[1], *(triple[:-1] for triple in triples)})
    for pair in pairs:  # two marks begin a sentence, but nothing predicts the second
        chances.setdefault(pair, backoffs[pair[:1]] * chances[pair[1:]])
    np.savez_compressed(
        path,
        unigrams=_logs([chances.get((unit,), unseen) for unit in range(units)]),
        unigram_backoffs=_logs([backoffs.get((unit,), 1.0) for unit in range(units)]),
        bigram_keys=_keys(pairs, units),
        bigrams=_logs([chances[pair] for pair in pairs]),
        bigram_backoffs=_logs([backoffs.get(pair, 1.0) for pair in pairs]),
        trigram_keys=_keys(triples, units),
        trigrams=_logs([chances[triple] for triple in triples]),
    )


def _logs(chances: list[float]) -> NDArray[np.float16]:
    logs: NDArray[np.float16] = np.log(np.array(chances)).astype(np.float16)
    return logs


def _keys(grams: list[tuple[int, ...]], units: int) -> NDArray[np.uint64]:
    keys = np.zeros(len(grams), np.uint64)
    for column in np.array(grams, np.uint64).T:
        keys = keys * np.uint64(units) + column
    return keys
