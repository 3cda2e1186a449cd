"""The trained recogniser as five small networks with explicit state, and their parity checks."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional as F

from edgeasr.bundle import seal_bundle
from edgeasr.features import FeatureSpec
from training.eight_bits import store_int8
from training.export import check_parity, export_onnx
from training.models.attention import Attention
from training.models.recogniser import Recogniser
from training.shrink import pack_embedding, store_half

__all__ = ["NETWORKS", "export_bundle", "export_networks"]

NETWORKS = ("subsample", "encoder", "ctc", "memory", "decoder")
STATE_FRAMES = 64
"""The newest frames whose keys and values the encoder returns: a chunk has no more, and of a whole
utterance nobody reads any."""
Steps = dict[str, tuple[nn.Module, dict[str, Tensor], list[str], dict[str, dict[int, str]]]]


class Subsample(nn.Module):
    """Both convolutions on mel frames with the neighbours they need, nothing padded."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.conv1, self.conv2 = model.encoder.conv1, model.encoder.conv2

    def forward(self, mel: Tensor, keep: Tensor) -> Tensor:
        """[1, 2n + 3, mels] and [1, 1, 2n + 1] (0 outside of the audio) -> [1, n, width]."""
        x = F.conv1d(mel.transpose(1, 2), self.conv1.weight, self.conv1.bias)
        x = F.gelu(x) * keep
        return F.gelu(F.conv1d(x, self.conv2.weight, self.conv2.bias, stride=2)).transpose(1, 2)


class EncoderStep(nn.Module):
    """The attention layers on a chunk, with the keys and values of the past as state."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, x: Tensor, past_keys: Tensor, past_values: Tensor) -> tuple[Tensor, ...]:
        """Chunk [1, n, W], past [layers, 1, heads, p, W / heads] -> last, middle, keys, values."""
        keys, values = [], []
        middle = x
        for number, block in enumerate(self.encoder.layers(), 1):
            query, key, value = block.attn.own(block.attn_ln(x))
            key, new_key = _after(past_keys[number - 1], key)
            value, new_value = _after(past_values[number - 1], value)
            keys.append(new_key)
            values.append(new_value)
            x = x + _attend_by_head(block.attn, query, key, value)
            x = block.feed(x)
            if number == self.encoder.dims.ctc_layer:
                middle = x
        return self.encoder.ln(x), middle, torch.stack(keys), torch.stack(values)


def _after(past: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Return `own` joined to the past, and its newest frames.

    What is joined are the parts, so that onnxruntime cuts them first and frees the rest early.
    """
    older, newest = own[:, :, :-STATE_FRAMES], own[:, :, -STATE_FRAMES:]
    return torch.cat([past, older, newest], dim=2), newest


def _attend_by_head(attention: Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Heads in, (1, n, W) out. The scores of one head at a time lie in memory."""
    query = query * attention.depth**-0.5
    heads = [
        (query[:, n] @ key[:, n].transpose(-1, -2)).softmax(dim=-1) @ value[:, n]
        for n in range(attention.heads)
    ]
    mixed: Tensor = attention.out(torch.cat(heads, dim=-1))
    return mixed


class CtcStep(nn.Module):
    """The CTC branch on a chunk, with the GRU's state."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.ctc = model.ctc

    def forward(self, last: Tensor, middle: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[1, n, W] twice and [1, 1, C] -> log probabilities [1, n / 2, units], state."""
        x = self.ctc.merged(last, middle)
        states, state = self.ctc.gru(x, state)
        return self.ctc.out(self.ctc.ln(x + states)).log_softmax(-1), state


class Memory(nn.Module):
    """The decoder's keys and values of the encoder's output."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, last: Tensor) -> tuple[Tensor, ...]:
        """[1, T, W] -> keys of each layer, then values, [1, heads, T, W / heads] each."""
        pairs = [block.cross_attn.memory(last) for block in self.decoder.layers()]
        return (*(key for key, _ in pairs), *(value for _, value in pairs))


class DecoderStep(nn.Module):
    """One step of every beam."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.decoder = model.decoder
        # A copy, which the export shows as a matrix of its own; both become one again on disk.
        self.out = nn.Parameter(model.decoder.token_embedding.weight.detach().T.clone())

    def forward(self, units: Tensor, past: Tensor, *memory: Tensor) -> tuple[Tensor, Tensor]:
        """Units [B, n], past [B, 2 x layers x heads, p, d] -> log P [B, n, units], past.

        `memory` is what `Memory` returns, layer by layer so that none of it is copied; the past
        has the same order.
        """
        layers = self.decoder.layers()
        size, before = units.shape[1], past.shape[2]
        at = torch.arange(size) + before
        x = self.decoder.token_embedding(units) + self.decoder.positional_embedding[at]
        seen = torch.arange(before + size) <= at[:, None]
        bias = torch.where(seen, 0.0, -1e4)
        cached = past.chunk(2 * len(layers), dim=1)
        keys, values = [], []
        for number, block in enumerate(layers):
            query, key, value = block.attn.own(block.attn_ln(x))
            keys.append(torch.cat([cached[number], key], dim=2))
            values.append(torch.cat([cached[number + len(layers)], value], dim=2))
            x = x + block.attn.attend(query, keys[-1], values[-1], bias)
            heard = memory[number], memory[number + len(layers)]
            x = block.feed(block.listen(x, heard, torch.zeros(1)))
        logits = self.decoder.ln(x) @ self.out
        return logits.log_softmax(-1), torch.cat([*keys, *values], dim=1)


def export_bundle(
    model: Recogniser, units_folder: Path, folder: Path, settings: dict[str, Any]
) -> dict[str, float]:
    """Write the bundle; return each network's largest difference from torch before int8.

    Raises ValueError for chunks longer than the encoder's state.
    """
    seen = settings["chunk_frames"] + settings.get("ahead_frames", 0)
    if seen > STATE_FRAMES:
        raise ValueError(f"chunks see {seen} frames, STATE_FRAMES are fewer")
    differences = export_networks(model, folder)
    content = json.loads((units_folder / "units.json").read_text(encoding="utf-8"))
    tokens = {"units": content["units"], "merges": content["merges"]}
    (folder / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")
    copied = ["ctc.model", "trigrams.npz"]
    for name in copied:
        shutil.copy(units_folder / name, folder / name)
    files = [*(f"{name}.onnx" for name in differences), "tokens.json", *copied]
    seal_bundle(folder, kind="recogniser", files=files, settings=settings,
                features=FeatureSpec().digest())  # fmt: skip
    return differences


def export_networks(
    model: Recogniser, folder: Path, names: Iterable[str] = NETWORKS
) -> dict[str, float]:
    """Write networks as NAME.onnx; return each one's largest difference from torch before int8."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"features": FeatureSpec().digest()}
    differences: dict[str, float] = {}
    for name, step in _steps(model).items():
        if name not in names:
            continue
        module, example, outputs, dynamic = step
        path = folder / f"{name}.onnx"
        export_onnx(module, example, path, outputs=outputs, dynamic=dynamic, metadata=metadata)
        differences[name] = check_parity(module, example, path, atol=2e-3)
        if name == "decoder":
            pack_embedding(path, embedding="decoder.token_embedding.weight", output="out")
        if name != "subsample":
            _quantise(path)
        if name in ("subsample", "ctc"):
            store_int8(path)
        store_half(path)
    return differences


def _quantise(path: Path) -> None:
    """Replace the weights of matrix products by int8, scaled by column; the GRU stays float."""
    quantize_dynamic(
        path, path, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip


def _steps(model: Recogniser) -> Steps:
    dims = model.dims
    depth = dims.width // dims.heads
    past = torch.randn(dims.layers, 1, dims.heads, 7, depth) * 0.1
    beams = torch.randn(2, 2 * dims.layers * dims.heads, 3, depth) * 0.1
    wide = torch.randn(1, 8, dims.width)
    cache = {3: "past"}
    memory = [f"{kind}_{n}" for kind in ("keys", "values") for n in range(dims.layers)]
    heard = {f"memory_{name}": torch.randn(1, dims.heads, 7, depth) * 0.1 for name in memory}
    return {
        "subsample": (
            Subsample(model),
            {"mel": torch.randn(1, 19, dims.mels), "keep": torch.ones(1, 1, 17)},
            ["x"], {"mel": {1: "mel_frames"}, "keep": {2: "kept"}, "x": {1: "frames"}},
        ),
        "encoder": (
            EncoderStep(model), {"x": wide, "past_keys": past, "past_values": past * 0.5},
            ["last", "middle", "keys", "values"],
            {"x": {1: "frames"}, "past_keys": cache, "past_values": cache,
             "last": {1: "frames"}, "middle": {1: "frames"}, "keys": {3: "frames"},
             "values": {3: "frames"}},
        ),
        "ctc": (
            CtcStep(model),
            {"last": wide, "middle": wide * 0.5, "state": torch.randn(1, 1, dims.ctc_width)},
            ["log_probs", "next_state"],
            {"last": {1: "frames"}, "middle": {1: "frames"}, "log_probs": {1: "steps"}},
        ),
        "memory": (
            Memory(model), {"last": wide}, memory,
            {"last": {1: "frames"}, **{name: {2: "frames"} for name in memory}},
        ),
        "decoder": (
            DecoderStep(model),
            {"units": torch.tensor([[1, 2], [3, 4]]), "past": beams, **heard},
            ["log_probs", "now"],
            {"units": {0: "beams", 1: "size"}, "past": {0: "beams", 2: "past"},
             **{name: {2: "frames"} for name in heard},
             "log_probs": {0: "beams", 1: "size"}, "now": {0: "beams", 2: "all"}},
        ),
    }  # fmt: skip
