"""A linear-chain conditional random field over labels (Lafferty, McCallum and Pereira 2001)."""

import numpy as np
import torch
from torch import Tensor

from edgeasr.bio import allowed_moves

__all__ = ["path_loss", "taught_path_loss", "word_shares"]

_NEVER = -1e4


def path_loss(scores: Tensor, labels: Tensor, moves: Tensor) -> Tensor:
    """Return -log p(labels) summed over sentences, among all paths that BIO allows.

    scores float32 [b, n, k], labels int64 [b, n], moves float32 [k, k] from row to column.
    """
    total, moves = _all_paths(scores, moves)
    of_words = scores.gather(2, labels[:, :, None]).sum()
    of_moves = moves[labels[:, :-1], labels[:, 1:]].sum()
    return total - of_words - of_moves


def taught_path_loss(scores: Tensor, shares: Tensor, moves: Tensor) -> Tensor:
    """Return the same for labels of which a teacher gives each word's probabilities.

    It is the mean of `path_loss` over paths drawn from `shares` float32 [b, n, k], word by word:
    the distance to the teacher (Hinton et al. 2015) of whole paths, but for what does not depend on
    the student. Pairs of labels that BIO forbids count nothing.
    """
    total, _ = _all_paths(scores, moves)
    pairs = torch.einsum("bnj,bnk->jk", shares[:, :-1], shares[:, 1:])
    return total - (scores * shares).sum() - (moves * pairs * _allowed(moves)).sum()


def word_shares(scores: Tensor, moves: Tensor) -> Tensor:
    """Return each word's probabilities of its labels over all paths: as `scores`, which sum to 1.

    They are the gradient of the sum over paths (Eisner 2016).
    """
    with torch.enable_grad():
        scores = scores.detach().requires_grad_()
        total, _ = _all_paths(scores, moves.detach())
        (shares,) = torch.autograd.grad(total, scores)
    return shares


def _all_paths(scores: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log of the sum over allowed paths, of all sentences, and moves without others.

    The sum over paths is formed with one matrix product of powers a word.
    """
    allowed = _allowed(moves)
    moves = moves.masked_fill(~allowed, _NEVER)
    powers = moves.exp()
    total = scores[:, 0].masked_fill(~allowed[0], _NEVER)
    for row in scores[:, 1:].unbind(dim=1):
        top = total.amax(dim=1, keepdim=True).detach()
        sums = (total - top).exp() @ powers
        total = sums.clamp(min=1e-30).log() + top + row
    return total.logsumexp(dim=1).sum(), moves


def _allowed(moves: Tensor) -> Tensor:
    return torch.from_numpy(allowed_moves(moves.shape[0]).astype(np.bool_))
