"""Both vocabularies of the recogniser, made once and kept beside the runs."""

import json
import shutil
from pathlib import Path

import sentencepiece
import torch
from torch import Tensor

from edgeasr.bpe import Bpe
from training.recogniser_text import prune_bpe, train_ctc_units
from training.whisper_weights import read_bpe

__all__ = ["Units"]

SPECIALS = ("<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>")
SPECIAL_IDS = (50257, 50362, 50256)
DECODER_UNITS = 20_000
CTC_UNITS = 512


class Units:
    """Both vocabularies, made once and kept beside the run."""

    def __init__(self, folder: Path) -> None:
        content = json.loads((folder / "units.json").read_text(encoding="utf-8"))
        self.bpe = Bpe(content["units"], [tuple(pair) for pair in content["merges"]])
        self.whisper_ids: list[int] = content["whisper_ids"]
        self.start = [self.bpe.ids[name] for name in SPECIALS[:2]]
        self.end = self.bpe.ids[SPECIALS[2]]
        self.pieces = sentencepiece.SentencePieceProcessor(str(folder / "ctc.model"))
        self.ctc_units = self.pieces.get_piece_size() + 1

    @classmethod
    def make(
        cls, folder: Path, weights: Path, texts: list[str], *, pieces: Path | None = None
    ) -> "Units":
        """Choose the units that `texts` need, unless that was done.

        `pieces` is an earlier sub-word model of the CTC branch, kept when its weights are.
        """
        if not (folder / "units.json").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            vocabulary, merges = read_bpe(weights)
            kept, used = prune_bpe(vocabulary, merges, texts, units=DECODER_UNITS)
            ids = [vocabulary[unit] for unit in kept]
            content = {"units": [*kept, *SPECIALS], "merges": used,
                       "whisper_ids": [*ids, *SPECIAL_IDS]}  # fmt: skip
            if pieces is not None:
                shutil.copy(pieces, folder / "ctc.model")
            else:
                train_ctc_units(texts, folder / "ctc.model", units=CTC_UNITS)
            (folder / "units.json").write_text(json.dumps(content), encoding="utf-8")
        return cls(folder)

    def decoder_batch(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return inputs and targets, int64 [batch, units]; targets are -100 where not scored."""
        rows = [[*self.start, *self.bpe.encode(text), self.end] for text in texts]
        size = max(map(len, rows)) - 1
        inputs = torch.full((len(rows), size), self.end)
        targets = torch.full((len(rows), size), -100)
        for number, row in enumerate(rows):
            inputs[number, : len(row) - 1] = torch.tensor(row[:-1])
            scored = slice(len(self.start) - 1, len(row) - 1)
            targets[number, scored] = torch.tensor(row[len(self.start) :])
        return inputs, targets

    def ctc_batch(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return the CTC labels end to end, and their counts."""
        rows = [[number + 1 for number in self.pieces.encode(text)] for text in texts]
        flat = [number for row in rows for number in row]
        return torch.tensor(flat, dtype=torch.long), torch.tensor([len(row) for row in rows])
