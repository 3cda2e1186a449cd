"""What a trigger loses with each recurrent cell at equal parameters: six real wake words.

40 ms frames through one recurrent layer, or through causal convolutions alone, a score a word and
frame, the largest counts, as in a stream; so only forms that look back are compared. Speakers of
the test are not in training.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from training.analysis.cells_tasks import CONVOLUTIONS, CellNet
from training.analysis.speech_cells import Batch, Study, run_study
from training.analysis.speech_clips import Clip, batches
from training.models.cells import CELLS

__all__ = ["main"]

_CORPORA = ("wake/picovoice", "speech/an4", "speech/fsdd", "speech/speech_commands_300")
_ACCEPTED = 0.01


class Words(Study):
    """Which wake word, if any; the figure is missed words at one false accept in 100 clips."""

    name, title, folder, corpora, directions = "wake", "words missed, %", "", _CORPORA, (1,)
    cells = (*CELLS, CONVOLUTIONS)
    about = (
        "Missed: percent of wake words of unseen speakers, mean over the words, where one in a "
        "hundred clips of other speech is accepted."
    )

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.words = sorted({one.label for one in clips if one.label})
        self.classes = len(self.words)

    def usable(self, clip: Clip) -> bool:  # noqa: ARG002 - other speech has no label
        """Take every clip."""
        return True

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy of each word's largest score."""
        truth = torch.tensor([[one.label == word for word in self.words] for one in batch.clips])
        best = _largest(logits, batch.lengths)
        return nn.functional.binary_cross_entropy_with_logits(best, truth.float())

    def figures(self, net: CellNet, clips: Sequence[Clip]) -> dict[str, float]:
        """Return `missed`, percent."""
        scores: list[np.ndarray] = []
        labels: list[str] = []
        for part, frames, lengths in batches(clips, 64):
            scores += list(_largest(net(frames), lengths).numpy())
            labels += [one.label for one in part]
        table, owner = np.stack(scores), np.array(labels)
        missed = []
        for column, word in enumerate(self.words):
            if word not in labels:
                continue  # a small sample may hold no clip of it back
            threshold = np.quantile(table[owner != word, column], 1 - _ACCEPTED)
            missed.append(float((table[owner == word, column] <= threshold).mean()))
        return {"missed": 100 * float(np.mean(missed))}


def _largest(logits: Tensor, lengths: Tensor) -> Tensor:
    """Return the largest score within each clip: float32 [b, words]."""
    behind = torch.arange(logits.shape[1])[None] >= lengths[:, None]
    return logits.masked_fill(behind[:, :, None], -1e4).amax(dim=1)


def main(argv: list[str]) -> int:
    """Train every cell; write `wake-cells.md` and a plot."""
    return run_study(argv, Words, __doc__ or "")
