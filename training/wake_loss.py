"""The trigger's loss: somewhere around its end the word must be heard, everywhere else never.

Max-pooling after Sun et al. (2016): for a word, the highest smoothed score from 80 ms before to
400 ms after its end counts; elsewhere the mean over steps and the highest score of the row do.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from training.models.wake import STEP_FRAMES
from training.wake_batches import Event

__all__ = ["smooth", "wake_loss"]

_EARLY, _LATE = 8, 40  # frames around the end in which a hit counts
_BLIND_BEFORE, _BLIND_AFTER = 24, 80  # frames around the end in which nothing is asked
_MEAN_WEIGHT = 10.0


def smooth(scores: Tensor) -> Tensor:
    """Return the mean of each step and the one before, (B, S, words) -> same."""
    before = torch.cat([torch.zeros_like(scores[:, :1]), scores[:, :-1]], dim=1)
    return (scores + before) / 2


def wake_loss(
    logits: Tensor, events: list[list[Event]], *, negative_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of logits (B, S, words), a mean over rows, and its parts."""
    rows, steps, words = logits.shape
    scores = smooth(torch.sigmoid(logits))
    allowed = torch.zeros(rows, steps, words, dtype=torch.bool)
    hits = []
    for row, said in enumerate(events):
        for event in said:
            first = max(0, (event.end - _BLIND_BEFORE) // STEP_FRAMES)
            allowed[row, first : (event.end + _BLIND_AFTER) // STEP_FRAMES, event.word] = True
            early = max(0, (event.end - _EARLY) // STEP_FRAMES)
            window = scores[row, early : (event.end + _LATE) // STEP_FRAMES, event.word]
            hits.append(window.max())
    quiet = logits.masked_fill(allowed, -30.0)
    worst = softplus(quiet.amax(dim=1)).sum() / rows
    mean = softplus(quiet).mean() * words * _MEAN_WEIGHT
    missed = logits.new_zeros(())
    if hits:
        missed = -torch.log(torch.stack(hits).clamp(1e-6, 1.0)).sum() / rows
    parts = {"missed": missed, "worst": worst, "mean": mean}
    figures = {name: float(part.detach()) for name, part in parts.items()}
    return missed + negative_weight * (worst + mean), figures
