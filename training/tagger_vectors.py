"""Word vectors that others trained, for words that our sentences lack.

The file is text as GloVe and word2vec tools write it, frequent words first: the word, then numbers.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from training.models.tagger import TaggerNet

__all__ = ["add_vectors", "read_vectors"]


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
    """Name the file's further words in `tables`; return int8 [ids, width] for the network.

    Numbers and other tokens that are no plain words are left out of the further ones.
    """
    own = tables["words"]
    found = read_vectors(path, set(own), most=most)
    tables["further_words"] = sorted(w for w in found.keys() - set(own) if w.isalpha())
    width = len(next(iter(found.values())))
    nothing = np.zeros(width, np.float32)
    rows = [found.get(word, nothing) for word in (*own, *tables["further_words"])]
    scaled = np.stack([nothing, nothing, *rows]) / np.std(rows)
    return np.clip(np.rint(scaled / TaggerNet.VECTOR_STEP), -127, 127).astype(np.int8)
