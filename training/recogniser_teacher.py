"""What an encoder in chunks and in noise learns from one that hears the clip whole and clean.

Distillation (Hinton et al. 2015) of states instead of words, as full-context recognisers teach
streaming ones (Yu et al. 2021): each frame has a target of its own, and no text is needed.
"""

import copy

import torch
from torch import Tensor, nn

from training.recogniser_batches import Batch

__all__ = ["Teacher"]


class Teacher:
    """A frozen copy of an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        self._encoder = copy.deepcopy(encoder).eval().requires_grad_(requires_grad=False)

    def distance(self, batch: Batch, *states: Tensor) -> Tensor:
        """Return the squared distance of `states` to the teacher's, relative to their variance.

        `states` are the encoder's outputs, float [B, T, W] each, of the disturbed clips; the mean
        is taken over real frames. Raises ValueError when the batch has no undisturbed clips.
        """
        if batch.clean is None:
            raise ValueError("the batch holds no undisturbed clips: make `Batches` with clean=True")
        with torch.no_grad():
            aims = self._encoder(batch.clean, batch.lengths, None)
        real = torch.arange(states[0].shape[1]) < batch.lengths[:, None]
        each = [
            (own[real].float() - aim[real]).square().mean() / aim[real].var()
            for own, aim in zip(states, aims, strict=True)
        ]
        return torch.stack(each).mean()
