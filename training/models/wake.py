"""The trigger network: log-mel frames in, one logit per word every 40 ms out.

    frames [T, 80] -> pairs of bands averaged [T, 40] -> two causal convolutions of stride 2
    -> GRU layers -> logits [T / 4, words]

The state is what a stream must carry: the last inputs of each convolution and the GRUs' hidden
values. All zeros is the state of a fresh stream.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from edgeasr.features import FeatureSpec

__all__ = ["STEP_FRAMES", "WakeConfig", "WakeNet", "WakeState"]

STEP_FRAMES = 4
_KERNEL, _STRIDE = 5, 2
_KEPT = _KERNEL - _STRIDE  # inputs of a convolution that the next call needs


@dataclass(frozen=True)
class WakeConfig:
    """Sizes of the network."""

    words: tuple[str, ...]
    channels: tuple[int, int] = (64, 96)
    hidden: int = 96
    layers: int = 2
    dropout: float = 0.1
    cell: str = "gru"
    """gru or lstm (the latter for comparison only, not exported)"""


class WakeState(NamedTuple):
    """What a stream carries from call to call."""

    first: Tensor  # (B, 40, 3) last inputs of the first convolution
    second: Tensor  # (B, C1, 3) last inputs of the second
    hidden: Tensor  # (layers, B, hidden)


class WakeNet(nn.Module):
    """Convolutions, GRU, one sigmoid's logit a word."""

    def __init__(self, config: WakeConfig) -> None:
        super().__init__()
        self.config = config
        one, two = config.channels
        self.bands = FeatureSpec().mels // 2
        self.conv1 = nn.Conv1d(self.bands, one, _KERNEL, _STRIDE, bias=False)
        self.norm1 = nn.BatchNorm1d(one)
        self.conv2 = nn.Conv1d(one, two, _KERNEL, _STRIDE, bias=False)
        self.norm2 = nn.BatchNorm1d(two)
        self.gru = nn.GRU(two, config.hidden, config.layers, batch_first=True,
                          dropout=config.dropout if config.layers > 1 else 0.0)  # fmt: skip
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, len(config.words))
        nn.init.constant_(self.head.bias, -4.0)  # words are rare

    def fresh(self, batch: int) -> WakeState:
        """Return the state of `batch` streams that have heard nothing."""
        return WakeState(
            torch.zeros(batch, self.bands, _KEPT),
            torch.zeros(batch, self.config.channels[0], _KEPT),
            torch.zeros(self.config.layers, batch, self.config.hidden),
        )

    def step(self, frames: Tensor, state: WakeState) -> tuple[Tensor, WakeState]:
        """Return logits (B, T / 4, words) and the state after frames (B, T, 80), T % 4 == 0."""
        pairs = frames.reshape(*frames.shape[:2], self.bands, 2).mean(dim=3)
        x = ((pairs + 4.0) / 4.0).transpose(1, 2)  # (B, 40, T)
        x1 = torch.cat([state.first, x], dim=2)
        y = torch.relu(self.norm1(self.conv1(x1)))  # (B, C1, T / 2)
        x2 = torch.cat([state.second, y], dim=2)
        y = torch.relu(self.norm2(self.conv2(x2))).transpose(1, 2)  # (B, T / 4, C2)
        y, hidden = self.gru(self.dropout(y), state.hidden)
        after = WakeState(x1[:, :, -_KEPT:], x2[:, :, -_KEPT:], hidden)
        return self.head(self.dropout(y)), after

    def forward(self, frames: Tensor) -> Tensor:
        """Return logits (B, T / 4, words) of whole recordings (B, T, 80) from a fresh state."""
        return self.step(frames, self.fresh(len(frames)))[0]
