"""A linear-chain conditional random field over labels (Lafferty, McCallum and Pereira 2001)."""

import numpy as np
import torch
from torch import Tensor

from edgeasr.bio import allowed_moves

__all__ = ["path_loss"]

_NEVER = -1e4


def path_loss(scores: Tensor, labels: Tensor, moves: Tensor) -> Tensor:
    """Return -log p(labels) summed over sentences, among all paths that BIO allows.

    scores float32 [b, n, k], labels int64 [b, n], moves float32 [k, k] from row to column.
    The sum over paths is formed with one matrix product of powers a word.
    """
    allowed = torch.from_numpy(allowed_moves(moves.shape[0]).astype(np.bool_))
    moves = moves.masked_fill(~allowed, _NEVER)
    powers = moves.exp()
    total = scores[:, 0].masked_fill(~allowed[0], _NEVER)
    for row in scores[:, 1:].unbind(dim=1):
        top = total.amax(dim=1, keepdim=True).detach()
        sums = (total - top).exp() @ powers
        total = sums.clamp(min=1e-30).log() + top + row
    of_words = scores.gather(2, labels[:, :, None]).sum()
    of_moves = moves[labels[:, :-1], labels[:, 1:]].sum()
    return total.logsumexp(dim=1).sum() - of_words - of_moves
