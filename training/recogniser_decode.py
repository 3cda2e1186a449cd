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
from training.recogniser_units import PieceUnits
from training.scoring import word_errors

__all__ = ["DevSet", "greedy_attention", "greedy_ctc"]

_BATCH = 16
_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)


def greedy_attention(model: Any, batch: Batch, units: PieceUnits, chunk: int | None) -> list[str]:  # noqa: ANN401 - torch module
    """Return the decoder's best next unit, again and again, of each clip."""
    last, _ = model.encoder(batch.mel, batch.lengths, chunk)
    decoder = model.decoder
    memory, heard = decoder.memory(last), decoder.heard(last, batch.lengths)
    most = min(model.dims.text_units, 8 + int(batch.lengths.max()) // 6)
    next_units = torch.tensor([units.start] * len(batch.texts))
    done = torch.zeros(len(batch.texts), dtype=torch.bool)
    rows: list[list[int]] = [[] for _ in batch.texts]
    past: Any = []
    for _ in range(most - len(units.start)):
        states, past = decoder.advance(next_units, past, memory, heard)
        best = decoder.logits(states[:, -1]).argmax(-1)
        done |= best == units.end
        if done.all():
            break
        for row, unit, ended in zip(rows, best.tolist(), done.tolist(), strict=True):
            row.extend([] if ended else [unit])
        next_units = best[:, None]
    return [units.decode(row) for row in rows]


def greedy_ctc(model: Any, batch: Batch, units: PieceUnits, chunk: int | None) -> list[str]:  # noqa: ANN401 - torch module
    """Return the best unit of each step, repeats and blanks taken out."""
    logits: Tensor = model.ctc(*model.encoder(batch.mel, batch.lengths, chunk))
    lengths = -(-batch.lengths // model.CTC_FRAMES)
    rows = [row[:length] for row, length in zip(logits.argmax(-1), lengths, strict=True)]
    return [units.spell(torch.unique_consecutive(row).tolist()) for row in rows]


class DevSet:
    """Held-out clips, and how many of their words are wrong."""

    def __init__(
        self,
        store: ClipStore,
        clean: list[Clip],
        other: list[Clip],
        units: PieceUnits,
        *,
        chunk: int | None = 32,
    ) -> None:
        """Take the chunk of a stream in 20 ms frames; None for a network that never looks ahead."""
        self._units = units
        self._chunk = chunk
        self.batches = {"clean": self._batches(store, clean), "other": self._batches(store, other)}

    def _batches(self, store: ClipStore, clips: list[Clip]) -> list[Batch]:
        log_mel, batches = LogMel(), []
        ordered = sorted(clips, key=lambda clip: clip.samples)
        for start in range(0, len(ordered), _BATCH):
            some = ordered[start : start + _BATCH]
            mels = [normalise(log_mel(np.concatenate([store.read(c), _TAIL])))[0] for c in some]
            batches.append(collate(mels, [clip.text for clip in some]))
        return batches

    def evaluate(self, model: Any) -> dict[str, float]:  # noqa: ANN401 - torch module
        """Return word error rates: whole clip by attention, in chunks (of 640 ms) by both."""
        figures: dict[str, float] = {}
        chunked = f"_{20 * self._chunk}" if self._chunk else ""
        modes = {"": (greedy_attention, None), chunked: (greedy_attention, self._chunk),
                 f"_ctc{chunked}": (greedy_ctc, self._chunk)}  # fmt: skip
        with fast_autocast(wanted=True):
            for name, batches in self.batches.items():
                truth = [text for batch in batches for text in batch.texts]
                for mode, (decode, chunk) in modes.items():
                    if mode == "_640" and name == "other":
                        continue
                    said = []
                    for batch in batches:
                        said += decode(model, batch, self._units, chunk)
                    figures[name + mode] = 100 * word_errors(truth, said).rate
        score = figures["clean"] + figures["other"]
        score += 0.3 * (figures[f"clean_ctc{chunked}"] + figures[f"other_ctc{chunked}"])
        return {**figures, "score": score}
