"""Export a trained tagger: `python -m training.tagger_export --data ROOT --run RUN --out FOLDER`.

Large matrices are stored as int8; what is stored is what is scored.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgeasr.bundle import Bundle, seal_bundle
from edgeasr.tagger import NONE, Encoder, Tagger, encoder_of, read_schemes
from training.eight_bits import store_int8
from training.export import check_parity, export_onnx
from training.loop import load_weights
from training.models.tagger import TaggerNet, TaggerSize
from training.shrink import gather_then_widen
from training.tagger_data import Corpus, load_corpus
from training.tagger_score import moves_of, print_scores
from training.tagger_vectors import keep_frequent

__all__ = ["export", "load_net", "main"]

_EXAMPLE = "set the bedroom lights to twenty percent at half past seven"
_INT8_ATOL = 0.5  # logits: what rounding the weights may change at most
_THRESHOLDS = tuple(round(0.3 + 0.05 * i, 2) for i in range(14))


def load_net(run: Path, *, last: bool = False) -> tuple[TaggerNet, dict[str, Any]]:
    """Return the best network of a run, or its last averaged weights, and its tables."""
    size = TaggerSize(**json.loads((run / "size.json").read_text("utf-8")))
    net = TaggerNet(size)
    weights = load_weights(run / "last.pt")["average"] if last else None
    net.load_state_dict(weights or load_weights(run / "best.pt")["model"])
    tables: dict[str, Any] = json.loads((run / "tables.json").read_text("utf-8"))
    return net.eval(), tables


def _trim(net: TaggerNet, tables: dict[str, Any], path: Path, most: int) -> None:
    rows = keep_frequent(tables, net.vectors.numpy(), path, most=most)
    net.vectors = torch.from_numpy(rows)


def export(net: TaggerNet, tables: dict[str, Any], folder: Path) -> None:
    """Write the network and tables into `folder`. Raises AssertionError when ONNX differs."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = encoder_of(tables)
    path = folder / "tagger.onnx"
    ids, letters = (torch.from_numpy(one)[None] for one in encoder.encode(_EXAMPLE.split()))
    words = {0: "batch", 1: "words"}
    export_onnx(
        net, {"words": ids, "letters": letters}, path, outputs=["intents", "labels"],
        dynamic={"words": words, "letters": words, "intents": {0: "batch"}, "labels": words},
        metadata={"kind": "tagger", "words": str(len(tables["words"]))},
    )  # fmt: skip
    _check(net, encoder, path, atol=1e-4)
    store_int8(path)
    gather_then_widen(path)
    _check(net, encoder, path, atol=_INT8_ATOL)
    text = json.dumps(tables, ensure_ascii=False, separators=(",", ":"))
    (folder / "tables.json").write_text(text, "utf-8")
    schemes = {scheme.name: scheme for scheme in read_schemes(tables["schemes"])}
    moves = {name: one.astype(np.float16) for name, one in moves_of(net, schemes).items()}
    np.savez(folder / "moves.npz", **moves)


def _check(net: TaggerNet, encoder: Encoder, path: Path, *, atol: float) -> None:
    for sentence in (_EXAMPLE, "stop", "i would like to hear something by the beatles " * 3):
        ids, letters = (torch.from_numpy(one)[None] for one in encoder.encode(sentence.split()))
        check_parity(net, {"words": ids, "letters": letters}, path, atol=atol)


def threshold_of(tagger: Tagger, corpus: Corpus) -> tuple[float, float, float, float]:
    """Return the confidence that best parts commands from other text on the dev sets.

    With it, in percent: commands accepted with the right intent and with a wrong one, other text
    accepted. A wrong action costs as much as a right one gains.
    """
    def confidences(name: str) -> list[tuple[float, bool]]:
        found = []
        for one in corpus.dev[name][:700]:
            tagging = tagger.tag(" ".join(one.words))
            confidence = 0.0 if tagging.intent == NONE else tagging.confidence
            found.append((confidence, tagging.intent == one.intent))
        return found

    commands, others = confidences("nlu") + confidences("snips"), confidences("plain")
    best = (-100.0, 0.0, 0.0, 0.0, 0.0)
    for threshold in _THRESHOLDS:
        right = 100 * float(np.mean([c >= threshold and good for c, good in commands]))
        wrong = 100 * float(np.mean([c >= threshold and not good for c, good in commands]))
        other = 100 * float(np.mean([c >= threshold for c, _ in others]))
        best = max(best, (right - wrong - other, threshold, right, wrong, other))
    return best[1:]


def _seal(folder: Path, *, min_confidence: float) -> None:
    files = ["tagger.onnx", "tables.json", "moves.npz"]
    seal_bundle(folder, kind="tagger", files=files, settings={"min_confidence": min_confidence})


def main(argv: Sequence[str] | None = None) -> int:
    """Export, choose the threshold on dev, seal, and score the bundle on the test sets."""
    parser = argparse.ArgumentParser(prog="python -m training.tagger_export", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/tagger"))
    parser.add_argument("--out", type=Path, default=Path("edgeasr/models/tagger-en"))
    parser.add_argument("--last", action="store_true", help="of an unfinished run: its last save")
    parser.add_argument("--vectors", type=Path, help="those of the training, to keep fewer")
    parser.add_argument("--most-words", type=int, default=90_000, help="of that file")
    parser.add_argument("--test", action="store_true", help="score the test sets as well")
    given = parser.parse_args(argv)
    corpus = load_corpus(given.data)
    net, tables = load_net(given.run, last=given.last)
    if given.vectors is not None:
        _trim(net, tables, given.vectors, given.most_words)
    export(net, tables, given.out)
    _seal(given.out, min_confidence=0.5)
    tagger = Tagger(Bundle(given.out, kind="tagger"))
    threshold, right, wrong, other = threshold_of(tagger, corpus)
    _seal(given.out, min_confidence=threshold)
    print(f"threshold {threshold}: dev commands {right:.1f} % right, {wrong:.1f} % wrong, "
          f"{other:.1f} % of other text")  # fmt: skip
    print_scores(tagger, corpus, test=given.test)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
