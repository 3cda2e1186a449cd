"""Multi-head attention (Vaswani et al. 2017) and the blocks that the recogniser stacks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.models.reshape import keep_two_axes

__all__ = [
    "Attention", "CrossAttention", "DecoderBlock", "EncoderBlock", "Pairs", "SelfAttention",
    "as_bias", "chunk_mask",
]  # fmt: skip


def chunk_mask(lengths: Tensor, frames: int, chunk: int | None) -> Tensor:
    """Return bool [batch, 1, frames, frames], True where attention is allowed.

    Each 20 ms frame sees the past and its own chunk of `chunk` frames; None means all frames.
    """
    at = torch.arange(frames, device=lengths.device)
    real = at < lengths[:, None]  # (B, T)
    allowed = real[:, None, :].expand(-1, frames, -1)
    if chunk is not None:
        allowed = allowed & (at[None, :] // chunk <= at[:, None] // chunk)
    return allowed[:, None]


def as_bias(allowed: Tensor) -> Tensor:
    """Return 0 where attention is allowed, a large negative number elsewhere."""
    return torch.zeros(allowed.shape).masked_fill(~allowed, -1e4)


Pairs = list[tuple[Tensor, Tensor]]
"""Key and value heads, (B, heads, T, W / heads), of each layer"""


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017); what both kinds share."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.depth = heads, width // heads
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, W) -> (B, heads, T, W / heads)."""
        return keep_two_axes(x, self.heads, -1).transpose(1, 2)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """Heads in, (B, T, W) out; `bias` is added to the scores, see `as_bias`.

        Written out for the export and for bfloat16, where torch's fused form is 2.5 times slower
        on a CPU; in float32 it takes 0.6 of the time.
        """
        if query.dtype == torch.float32 and not torch.onnx.is_in_onnx_export():
            heads = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
            fused: Tensor = self.out(keep_two_axes(heads.transpose(1, 2), -1))
            return fused
        scores = (query * self.depth**-0.5) @ key.transpose(-1, -2)
        weights = (scores + bias.to(scores.dtype)).softmax(dim=-1).to(value.dtype)
        mixed: Tensor = self.out(keep_two_axes((weights @ value).transpose(1, 2), -1))
        return mixed


class SelfAttention(Attention):
    """Queries, keys and values from one fused projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.query_key_value = nn.Linear(width, 3 * width)

    def own(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, key and value heads."""
        query, key, value = self.query_key_value(x).chunk(3, dim=-1)
        return self.split(query), self.split(key), self.split(value)


class CrossAttention(Attention):
    """Queries from the text, keys and values from the audio."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def asked(self, x: Tensor) -> Tensor:
        """Return query heads."""
        return self.split(self.query(x))

    def memory(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return key and value heads of the encoder's output."""
        key, value = self.key_value(audio).chunk(2, dim=-1)
        return self.split(key), self.split(value)


class EncoderBlock(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = SelfAttention(width, heads)
        self.attn_ln = nn.LayerNorm(width)
        wide = 4 * width
        self.mlp = nn.Sequential(nn.Linear(width, wide), nn.GELU(), nn.Linear(wide, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Advance the whole signal, (B, T, W)."""
        x = x + self.attn.attend(*self.attn.own(self.attn_ln(x)), bias)
        return self.feed(x)

    def feed(self, x: Tensor) -> Tensor:
        """Apply the feed-forward half."""
        fed: Tensor = self.mlp(self.mlp_ln(x))
        return x + fed


class DecoderBlock(EncoderBlock):
    """The same with cross-attention between the halves."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.cross_attn = CrossAttention(width, heads)
        self.cross_attn_ln = nn.LayerNorm(width)

    def listen(self, x: Tensor, memory: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """Apply the cross-attention."""
        query = self.cross_attn.asked(self.cross_attn_ln(x))
        return x + self.cross_attn.attend(query, *memory, bias)
