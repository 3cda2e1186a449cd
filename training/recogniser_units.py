"""The vocabularies of the recogniser, made once and kept beside the runs."""

import json
import shutil
from pathlib import Path

import sentencepiece
import torch
from torch import Tensor

from edgeasr.bpe import Bpe
from training.recogniser_text import prune_bpe, train_ctc_units
from training.whisper_weights import read_bpe

__all__ = ["PieceUnits", "Units"]

SPECIALS = ("<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>")
SPECIAL_IDS = (50257, 50362, 50256)
DECODER_UNITS = 20_000
CTC_UNITS = 512


class PieceUnits:
    """One vocabulary of sub-words for CTC and decoder; 0 is the blank and both ends of a text."""

    def __init__(self, folder: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(str(folder / "ctc.model"))
        self.ctc_units = self.pieces.get_piece_size() + 1
        self.start, self.end = [0], 0

    @classmethod
    def train(cls, folder: Path, texts: list[str]) -> "PieceUnits":
        """Learn the sub-words from `texts`, unless that was done."""
        if not (folder / "ctc.model").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            train_ctc_units(texts, folder / "ctc.model", units=CTC_UNITS)
        return cls(folder)

    def encode(self, text: str) -> list[int]:
        """Return the decoder's units of a text, without start and end."""
        return [number + 1 for number in self.pieces.encode(text)]

    def decode(self, units: list[int]) -> str:
        """Return the text of the decoder's units, start and end left out."""
        return self.spell(units)

    def spell(self, labels: list[int]) -> str:
        """Return the text of CTC labels, blanks left out."""
        text: str = self.pieces.decode([number - 1 for number in labels if number])
        return text

    def decoder_batch(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return inputs and targets, int64 [batch, units]; targets are -100 where not scored."""
        rows = [[*self.start, *self.encode(text), self.end] for text in texts]
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


class Units(PieceUnits):
    """Sub-words for CTC, Whisper's byte-pair units for the decoder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        content = json.loads((folder / "units.json").read_text(encoding="utf-8"))
        self.bpe = Bpe(content["units"], [tuple(pair) for pair in content["merges"]])
        self.whisper_ids: list[int] = content["whisper_ids"]
        self.start = [self.bpe.ids[name] for name in SPECIALS[:2]]
        self.end = self.bpe.ids[SPECIALS[2]]

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

    def encode(self, text: str) -> list[int]:
        """Return the decoder's units of a text, without start and end."""
        return self.bpe.encode(text)

    def decode(self, units: list[int]) -> str:
        """Return the text of the decoder's units, start and end left out."""
        return self.bpe.decode([number for number in units if number < self.start[0]])
