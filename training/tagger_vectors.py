"""Word vectors that others trained, for words that our sentences lack.

The file is text as GloVe and word2vec tools write it, frequent words first: the word, then numbers.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["STEP", "add_vectors", "keep_frequent", "pack_rows", "read_vectors"]

STEP = 0.4
"""Distance of two of the 16 levels, in standard deviations of a column: -3.2 to 2.8"""


def read_vectors(path: Path, wanted: Collection[str], *, most: int) -> dict[str, Any]:
    """Return float32 [width] by word: of the `most` frequent words and of the wanted ones."""
    found: dict[str, Any] = {}
    with path.open(encoding="utf-8") as lines:
        for rank, line in enumerate(lines):
            word, _, numbers = line.rstrip().partition(" ")
            if rank < most or word in wanted:
                found[word] = np.array(numbers.split(" "), np.float32)
    if len({len(vector) for vector in found.values()}) != 1:
        raise ValueError(f"{path} holds no word vectors of one width, a word a line")
    return found


def add_vectors(tables: dict[str, Any], path: Path, *, most: int) -> Any:  # noqa: ANN401
    """Name the file's further words in `tables`; return uint8 [ids, width / 2] for the network.

    Numbers and other tokens that are no plain words are left out of the further ones. Columns are
    brought to mean 0 and deviation 1, so that words without a vector have the mean one.
    """
    own = tables["words"]
    found = read_vectors(path, set(own), most=most)
    further = sorted((word for word in found.keys() - set(own) if word.isalpha()), key=str.encode)
    tables["further_words"] = " ".join(further)
    known = np.stack(list(found.values()))
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    rows = [found.get(word, mean) for word in (*own, *further)]
    return pack_rows((np.stack([mean, mean, *rows]) - mean) / deviation)


def keep_frequent(tables: dict[str, Any], rows: Any, path: Path, *, most: int) -> Any:  # noqa: ANN401
    """Leave out the further words that are not among the file's `most` frequent ones.

    `rows` uint8 [ids, width / 2] are those of `add_vectors`; return the ones that stay.
    """
    frequent = read_vectors(path, (), most=most)
    further = tables["further_words"].split()
    kept = np.array([word in frequent for word in further])
    tables["further_words"] = " ".join(np.array(further)[kept])
    return rows[np.concatenate([np.ones(len(rows) - len(further), bool), kept])]


def pack_rows(values: Any) -> Any:  # noqa: ANN401 - arrays
    """Return 4-bit levels, two a byte: float [rows, width] -> uint8 [rows, width / 2].

    The low halves hold the first half of a row, so that unpacking joins two parts.
    """
    levels = np.clip(np.rint(values / STEP) + 8, 0, 15).astype(np.uint8)
    low, high = np.split(levels, 2, axis=1)
    return low | high << 4
