"""The encoder of BERT (Devlin et al. 2019) in the size of MiniLM-L6 (Wang et al. 2020).

Sentences of a batch have one length, so there is no mask.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from training.models.attention import SelfAttention

__all__ = ["Bert", "BertSize"]

_EPSILON = 1e-12


@dataclass(frozen=True, kw_only=True)
class BertSize:
    """Sizes of the encoder; the defaults are those of MiniLM-L6."""

    pieces: int = 30_522
    positions: int = 512
    width: int = 384
    heads: int = 12
    wide: int = 1_536
    """Units between the two matrices of the feed-forward half"""
    layers: int = 6
    dropout: float = 0.1


class Bert(nn.Module):
    """Word pieces in, a vector of each in its context out."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.size = size
        self.pieces = nn.Embedding(size.pieces, size.width)
        self.positions = nn.Embedding(size.positions, size.width)
        self.norm = nn.LayerNorm(size.width, eps=_EPSILON)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the last layer's states: int64 [b, n] -> float32 [b, n, width]."""
        places = self.positions.weight[: pieces.shape[1]]
        states: Tensor = self.dropout(self.norm(self.pieces(pieces) + places))
        for layer in self.layers:
            states = layer(states)
        return states


class _Layer(nn.Module):
    """Self-attention and feed-forward, each normalised after its sum (Vaswani et al. 2017)."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.attention = SelfAttention(size.width, size.heads)
        self.attention_norm = nn.LayerNorm(size.width, eps=_EPSILON)
        self.feed = nn.Sequential(
            nn.Linear(size.width, size.wide), nn.GELU(), nn.Linear(size.wide, size.width)
        )
        self.feed_norm = nn.LayerNorm(size.width, eps=_EPSILON)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """float32 [b, n, width] -> [b, n, width]."""
        everything = x.new_zeros(1, 1, x.shape[1], x.shape[1])
        seen = self.attention.attend(*self.attention.own(x), everything)
        x = self.attention_norm(x + self.dropout(seen))
        normal: Tensor = self.feed_norm(x + self.dropout(self.feed(x)))
        return normal
