"""Causal convolutions alone, to compare with recurrent cells."""

import torch
from torch import Tensor, nn

__all__ = ["CausalConvolutions"]

_DILATIONS = (1, 2, 4, 8)
_KERNEL = 5


class CausalConvolutions(nn.Module):
    """Dilated convolutions that never look ahead, each added to its input; 61 steps are seen.

    Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent
    networks for sequence modeling", 2018. Maps float32 [b, n, inputs] to [b, n, hidden].
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.enter = nn.Linear(inputs, hidden)
        self.layers = nn.ModuleList(
            nn.Conv1d(hidden, hidden, _KERNEL, dilation=dilation) for dilation in _DILATIONS
        )

    @classmethod
    def of_size(cls, inputs: int, parameters: int) -> "CausalConvolutions":
        """Return the widest with at most so many parameters. Raises ValueError below one unit."""
        per_square = _KERNEL * len(_DILATIONS)
        for hidden in range(2_000, 0, -1):
            count = per_square * hidden**2 + (inputs + 1 + len(_DILATIONS)) * hidden
            if count <= parameters:
                return cls(inputs, hidden)
        raise ValueError(f"{parameters} parameters are too few for {inputs} inputs")

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs, and no state."""
        h = self.enter(x).transpose(1, 2)
        for layer, dilation in zip(self.layers, _DILATIONS, strict=True):
            past = nn.functional.pad(h, ((_KERNEL - 1) * dilation, 0))
            h = h + torch.relu(layer(past))
        return h.transpose(1, 2), ()
