"""A trained translator as a bundle: two networks, sub-words, tuned length penalty, confidence.

Matrices are stored as int8 with one scale per row, a quarter of the size on disk. The encoder's are
made float again when it is loaded (constant folding); the decoder multiplies in int8.
"""

import hashlib
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sacrebleu
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeasr.bundle import Bundle, seal_bundle
from edgeasr.translator import Translator, confidence_features
from training.eight_bits import multiply_in_int8, round_int8, store_int8
from training.export import check_parity, export_onnx
from training.models.translator import Encoded, TranslatorNet
from training.shrink import gather_then_widen
from training.translator_batches import Direction
from training.translator_data import Pair

__all__ = ["export_bundle", "export_networks"]

ALPHAS = (0.6, 0.8, 1.0)
LONGEST_SOURCE = 45
GOOD_CHRF = 45.0
"""A dev translation at least so near to its reference counts as usable for the confidence"""
_MIN_VALUES = 10_000


class _Encoder(nn.Module):
    def __init__(self, net: TranslatorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        encoded = self.net.encode(source)
        return encoded.memory, encoded.keys, encoded.state


class _Decoder(nn.Module):
    def __init__(self, net: TranslatorNet) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, token: Tensor, state: Tensor, memory: Tensor, keys: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        logits, state, weights = self.net.step(token, Encoded(memory, keys, state), state)
        return torch.log_softmax(logits, dim=1), state, weights


def export_bundle(
    net: TranslatorNet,
    direction: Direction,
    pieces: Path,
    folder: Path,
    dev: Sequence[Pair],
    *,
    whole: bool = False,
) -> None:
    """Write the bundle into `folder`; alpha and confidence are fitted on `dev`.

    `whole` keeps float32 weights and fits nothing: what int8 costs is measured against it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = (f"{direction.source}.source.model", f"{direction.target}.target.model")
    for name, kept in zip(names, ("source.model", "target.model"), strict=True):
        shutil.copyfile(pieces / name, folder / kept)
    tokens = hashlib.sha256((folder / "source.model").read_bytes())
    tokens.update((folder / "target.model").read_bytes())
    export_networks(net.eval(), folder, {"tokens": tokens.hexdigest()[:16]}, whole=whole)
    settings: dict[str, Any] = {
        "source_language": direction.source, "target_language": direction.target,
        "longest_source": LONGEST_SOURCE, "alpha": 0.8, "doubt_below": 0.5,
        "confidence": [0.0] * 5, "tokens": tokens.hexdigest()[:16],
    }  # fmt: skip
    _seal(folder, settings)
    if whole:
        return
    sentences = random.Random(1).sample(list(dev), min(200, len(dev)))
    settings["alpha"] = _best_alpha(folder, direction, sentences)
    settings["confidence"] = _fit_confidence(folder, direction, sentences)
    _seal(folder, settings)


def _seal(folder: Path, settings: dict[str, Any]) -> None:
    files = ["encoder.onnx", "decoder.onnx", "source.model", "target.model"]
    seal_bundle(folder, kind="translator", files=files, settings=settings)


def export_networks(
    net: TranslatorNet, folder: Path, metadata: dict[str, str], *, whole: bool = False
) -> float:
    """Round the net's matrices, write both networks, return the largest difference from torch.

    The difference is the one before the decoder's products turn to int8. `whole` keeps float32
    throughout: for comparison.
    """
    source = torch.arange(4, 13).unsqueeze(0)
    encoder, decoder = _Encoder(net), _Decoder(net)
    if not whole:
        round_matrices(net)
    with torch.no_grad():
        memory, keys, state = encoder(source)
    export_onnx(
        encoder, {"source": source}, folder / "encoder.onnx", outputs=["memory", "keys", "state"],
        dynamic={"source": {1: "pieces"}, "memory": {1: "pieces"}, "keys": {1: "pieces"}},
        metadata=metadata,
    )  # fmt: skip
    step = {
        "token": torch.tensor([5, 9, 2]), "state": state.repeat(3, 1, 1),
        "memory": memory, "keys": keys,
    }  # fmt: skip
    beams, pieces = {0: "beams"}, {1: "pieces"}
    export_onnx(
        decoder, step, folder / "decoder.onnx",
        outputs=["log_probabilities", "next_state", "attention"],
        dynamic={
            "token": beams, "state": beams, "memory": pieces, "keys": pieces,
            "log_probabilities": beams, "next_state": beams,
            "attention": {0: "beams", 1: "pieces"},
        },
        metadata=metadata,
    )  # fmt: skip
    for path in (folder / "encoder.onnx", folder / "decoder.onnx") if not whole else ():
        store_int8(path, smallest=_MIN_VALUES)
        gather_then_widen(path)
    shorter = {**step, "memory": memory[:, :6], "keys": keys[:, :6]}
    difference = max(
        check_parity(encoder, {"source": source[:, :5]}, folder / "encoder.onnx", atol=1e-3),
        check_parity(decoder, shorter, folder / "decoder.onnx", atol=1e-3),
    )
    if not whole:
        multiply_in_int8(folder / "decoder.onnx")
    return difference


def round_matrices(net: nn.Module) -> None:
    """Round the matrices of `net` in place to what int8 storage keeps of them."""
    with torch.no_grad():
        for value in net.parameters():
            if value.dim() == 2 and value.numel() >= _MIN_VALUES:
                whole, scale = round_int8(value.numpy())
                value.copy_(torch.from_numpy(whole * scale))


def _sides(direction: Direction, pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Return sources, each second one as recognised, with their references."""
    rows = [direction.sides(pair) for pair in pairs]
    return [(direction.spoken(s) if i % 2 else s, t) for i, (s, t) in enumerate(rows)]


def _best_alpha(folder: Path, direction: Direction, dev: Sequence[Pair]) -> float:
    translator = Translator(Bundle(folder, kind="translator"))
    rows = _sides(direction, dev)
    bleu = {}
    for alpha in ALPHAS:
        found = [translator.translate(source, alpha=alpha).text for source, _ in rows]
        bleu[alpha] = sacrebleu.corpus_bleu(found, [[target for _, target in rows]]).score
        print(f"alpha {alpha}: dev BLEU {bleu[alpha]:.2f}")
    return max(ALPHAS, key=lambda alpha: bleu[alpha])


def _fit_confidence(folder: Path, direction: Direction, dev: Sequence[Pair]) -> list[float]:
    """Return logistic weights for "is near its reference" on dev and on nonsense."""
    translator = Translator(Bundle(folder, kind="translator"))
    draw = random.Random(2)
    rows = _sides(direction, dev)
    features, labels = [], []
    for source, target in [*rows, *((nonsense, "") for nonsense in _nonsense(rows, draw))]:
        result = translator.translate(source)
        hypothesis = translator.score(source, result.text)
        features.append(confidence_features(hypothesis, len(result.source_tokens)))
        near = target and sacrebleu.sentence_chrf(result.text, [target]).score >= GOOD_CHRF
        labels.append(1.0 if near else 0.0)
    return _logistic(np.array(features), np.array(labels))


def _nonsense(rows: list[tuple[str, str]], draw: random.Random) -> list[str]:
    """Return sentences out of the model's depth: the target language, letters, shuffled words."""
    found = []
    for source, target in draw.sample(rows, min(60, len(rows))):
        words = source.split()
        pool = " ".join(s for s, _ in draw.sample(rows, 8)).split()
        found.append(" ".join(draw.sample(pool, min(len(pool), 7))))
        found.append("".join(draw.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(30)))
        found.append(target.lower() if len(words) > 3 else source[::-1])
    return [text for text in found if any(mark.isalnum() for mark in text)]


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[float]:
    """Return weights of a logistic regression by Newton's method, slightly ridged."""
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - chance) - 0.1 * weights
        bend = (x * (chance * (1 - chance))[:, None]).T @ x + 0.1 * np.eye(x.shape[1])
        weights += np.linalg.solve(bend, slope)
    return [round(float(weight), 5) for weight in weights]
