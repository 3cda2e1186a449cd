"""What a recogniser loses with each recurrent cell at equal parameters: CTC on short commands.

Letters of digits, spelled words and single commands (FSDD, AN4, Speech Commands), from 40 ms frames
through one recurrent layer; greedy decoding; speakers of the test are not in training.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor, nn

from training.analysis.cells_tasks import CellNet
from training.analysis.speech_cells import Batch, Study, run_study
from training.analysis.speech_clips import Clip, batches
from training.scoring import edit_distance

__all__ = ["main"]

_CORPORA = ("fsdd", "an4", "speech_commands_300", "speech_commands_bed_cat_happy")


class Letters(Study):
    """CTC over letters (Graves et al. 2006); figures are word and letter error rates, percent."""

    name, title, folder, corpora, directions = "asr", "words wrong, %", "speech", _CORPORA, (1, 2)
    about = "Words and letters: percent wrong, greedy, of unseen speakers."

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.letters = "_" + "".join(sorted({letter for one in clips for letter in one.text}))
        self.classes = len(self.letters)

    def usable(self, clip: Clip) -> bool:
        """Return whether CTC can place the letters: a frame each, one more between equal ones."""
        doubles = sum(a == b for a, b in zip(clip.text, clip.text[1:], strict=False))
        return 0 < len(clip.text) + doubles <= len(clip.frames)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean over clips of -log p(letters)."""
        texts = [[self.letters.index(c) for c in one.text] for one in batch.clips]
        sizes = torch.tensor([len(one) for one in texts])
        flat = torch.tensor([unit for one in texts for unit in one])
        log_probs = logits.log_softmax(dim=2).transpose(0, 1)
        losses = nn.functional.ctc_loss(
            log_probs, flat, batch.lengths, sizes, reduction="none", zero_infinity=True
        )
        return losses.sum() / sizes.sum()

    def figures(self, net: CellNet, clips: Sequence[Clip]) -> dict[str, float]:
        """Return `words` and `letters`, percent wrong."""
        wrong, count = np.zeros(2), np.zeros(2)
        for part, frames, lengths in batches(clips, 64):
            for one, best, length in zip(part, net(frames).argmax(dim=2), lengths, strict=True):
                units = [unit for unit, _ in groupby(best[: int(length)].tolist())]
                heard = "".join(self.letters[unit] for unit in units if unit)
                wrong += (edit_distance(one.text.split(), heard.split()),
                          edit_distance(one.text, heard))  # fmt: skip
                count += len(one.text.split()), len(one.text)
        words, letters = (100 * wrong / count).tolist()
        return {"words": words, "letters": letters}


def main(argv: list[str]) -> int:
    """Train every cell one way and both ways; write `asr-cells.md` and a plot."""
    return run_study(argv, Letters, __doc__ or "")
