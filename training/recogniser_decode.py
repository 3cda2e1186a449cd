"""Plain greedy decoding in torch, to judge checkpoints; the runtime's own search is better."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgeasr.audio import SAMPLE_RATE
from edgeasr.encoder import normalise
from edgeasr.features import LogMel
from training.loop import fast_autocast
from training.recogniser_batches import Batch, collate
from training.recogniser_data import Clip, ClipStore
from training.recogniser_units import Units
from training.scoring import word_errors

__all__ = ["DevSet", "greedy_attention", "greedy_ctc"]

_BATCH = 16
_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)


def greedy_attention(model: Any, batch: Batch, units: Units, chunk: int | None) -> list[str]:  # noqa: ANN401 - torch module
    """Return the decoder's best next unit, again and again, of each clip."""
    last, _ = model.encoder(batch.mel, batch.lengths, chunk)
    so_far = torch.tensor([units.start] * len(batch.texts))
    done = torch.zeros(len(batch.texts), dtype=torch.bool)
    most = min(model.dims.text_units, 8 + int(batch.lengths.max()) // 6)
    while not done.all() and so_far.shape[1] < most:
        states = model.decoder.states(so_far, last, batch.lengths)
        best = model.decoder.logits(states[:, -1]).argmax(-1)
        best = torch.where(done, torch.tensor(units.end), best)
        done |= best == units.end
        so_far = torch.cat([so_far, best[:, None]], dim=1)
    rows = so_far[:, len(units.start) :].tolist()
    return [units.bpe.decode([n for n in row if n < units.start[0]]) for row in rows]


def greedy_ctc(model: Any, batch: Batch, units: Units, chunk: int | None) -> list[str]:  # noqa: ANN401 - torch module
    """Return the best unit of each step, repeats and blanks taken out."""
    logits: Tensor = model.ctc(*model.encoder(batch.mel, batch.lengths, chunk))
    texts = []
    for row, length in zip(logits.argmax(-1), batch.lengths // 2, strict=True):
        best = torch.unique_consecutive(row[:length]).tolist()
        texts.append(units.pieces.decode([number - 1 for number in best if number]))
    return texts


class DevSet:
    """Held-out clips, and how many of their words are wrong."""

    def __init__(
        self, store: ClipStore, clean: list[Clip], other: list[Clip], units: Units
    ) -> None:
        self._units = units
        self._sets = {"clean": self._batches(store, clean), "other": self._batches(store, other)}

    def _batches(self, store: ClipStore, clips: list[Clip]) -> list[Batch]:
        log_mel, batches = LogMel(), []
        ordered = sorted(clips, key=lambda clip: clip.samples)
        for start in range(0, len(ordered), _BATCH):
            some = ordered[start : start + _BATCH]
            mels = [normalise(log_mel(np.concatenate([store.read(c), _TAIL])))[0] for c in some]
            batches.append(collate(mels, [clip.text for clip in some]))
        return batches

    def evaluate(self, model: Any) -> dict[str, float]:  # noqa: ANN401 - torch module
        """Return word error rates: whole clip by attention, in 640 ms chunks by both."""
        figures: dict[str, float] = {}
        with fast_autocast(wanted=True):
            for name, batches in self._sets.items():
                truth = [text for batch in batches for text in batch.texts]
                for mode, decode, chunk in (("", greedy_attention, None),
                                            ("_640", greedy_attention, 32),
                                            ("_ctc_640", greedy_ctc, 32)):  # fmt: skip
                    if mode == "_640" and name == "other":
                        continue
                    said = []
                    for batch in batches:
                        said += decode(model, batch, self._units, chunk)
                    figures[name + mode] = 100 * word_errors(truth, said).rate
        score = figures["clean"] + figures["other"]
        score += 0.3 * (figures["clean_ctc_640"] + figures["other_ctc_640"])
        return {**figures, "score": score}
