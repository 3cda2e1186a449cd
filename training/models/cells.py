"""Recurrent layers from their equations, for study; the shipped networks use torch's own.

x is the input, h the output (and state), c the cell, W and U matrices, b biases, σ the logistic
function, * the product of elements. Every layer maps float32 [b, n, inputs] to [b, n, hidden].
Parameters are named and ordered as in torch.nn, so that weights can be exchanged where torch has
the same cell.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Bidirectional",
    "PeepholeLSTM",
    "Recurrent",
    "SimpleRNN",
    "UpdateGateGRU",
    "hidden_for",
]


class Recurrent(nn.Module):
    """One layer, one direction. A subclass gives the number of gates and one step."""

    GATES: ClassVar[int]

    def __init__(self, inputs: int, hidden: int) -> None:
        """Draw all parameters uniformly within 1 / sqrt(hidden), as torch does."""
        super().__init__()
        self.inputs, self.hidden = inputs, hidden
        gates = self.GATES * hidden
        self.weight_ih = nn.Parameter(torch.empty(gates, inputs))
        self.weight_hh = nn.Parameter(torch.empty(gates, hidden))
        self.bias_ih = nn.Parameter(torch.empty(gates))
        self.bias_hh = nn.Parameter(torch.empty(gates))
        self.reset()

    def reset(self) -> None:
        """Draw the parameters anew."""
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(self.hidden**-0.5), self.hidden**-0.5)

    def fresh(self, like: Tensor) -> tuple[Tensor, ...]:
        """Return the state before the first input: zeros."""
        return (like.new_zeros(like.shape[0], self.hidden),)

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the state after one input, of which W x + b is given: [b, gates * hidden]."""
        raise NotImplementedError

    def from_hidden(self, h: Tensor) -> Tensor:
        """Return U h + b for all gates."""
        return nn.functional.linear(h, self.weight_hh, self.bias_hh)

    def forward(
        self, x: Tensor, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs [b, n, hidden] and the state after the last; h is first in it."""
        state = self.fresh(x) if state is None else state
        from_input = nn.functional.linear(x, self.weight_ih, self.bias_ih)
        outputs = []
        for one in from_input.unbind(dim=1):
            state = self.step(one, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


class SimpleRNN(Recurrent):
    """h' = tanh(W x + U h + b). Elman, "Finding structure in time", 1990."""

    GATES = 1

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Advance by one input."""
        return (torch.tanh(from_input + self.from_hidden(state[0])),)


class GRU(Recurrent):
    """Gated recurrent unit: reset gate r, update gate z.

        r = σ(Wr x + Ur h + br)        n  = tanh(Wn x + bn + r * (Un h + bu))
        z = σ(Wz x + Uz h + bz)        h' = (1 - z) * n + z * h

    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; with r after the
    matrix product, as in Chung et al. 2014's implementation, cuDNN and torch.
    """

    GATES = 3

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Advance by one input."""
        (h,) = state
        xr, xz, xn = from_input.chunk(3, dim=1)
        hr, hz, hn = self.from_hidden(h).chunk(3, dim=1)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        return ((1 - z) * n + z * h,)


class UpdateGateGRU(Recurrent):
    """GRU with the update gate alone: z = σ(Wz x + Uz h + bz), n = tanh(Wn x + Un h + bn).

    h' = (1 - z) * n + z * h. Ravanelli et al., "Light gated recurrent units for speech
    recognition", 2018, remove the reset gate (there with ReLU and batch normalisation).
    """

    GATES = 2

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Advance by one input."""
        (h,) = state
        gate, candidate = (from_input + self.from_hidden(h)).chunk(2, dim=1)
        z = torch.sigmoid(gate)
        return ((1 - z) * torch.tanh(candidate) + z * h,)


class LSTM(Recurrent):
    """Long short-term memory: gates i (input), f (forget), o (output).

        i, f, o = σ(W x + U h + b)     g = tanh(Wg x + Ug h + bg)
        c' = f * c + i * g             h' = o * tanh(c')

    Hochreiter and Schmidhuber, "Long short-term memory", 1997; forget gate by Gers, Schmidhuber
    and Cummins, "Learning to forget", 2000.
    """

    GATES = 4

    def fresh(self, like: Tensor) -> tuple[Tensor, ...]:
        """Return h and c: zeros."""
        zeros = like.new_zeros(like.shape[0], self.hidden)
        return zeros, zeros

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Advance by one input."""
        h, c = state
        i, f, g, o = (from_input + self.from_hidden(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class PeepholeLSTM(LSTM):
    """LSTM whose gates see the cell: + pi * c and + pf * c in i and f, + po * c' in o.

    Gers, Schraudolph and Schmidhuber, "Learning precise timing with LSTM recurrent networks", 2002.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.peep = nn.Parameter(torch.empty(3, hidden).uniform_(-(hidden**-0.5), hidden**-0.5))

    def step(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Advance by one input."""
        h, c = state
        i, f, g, o = (from_input + self.from_hidden(h)).chunk(4, dim=1)
        keep = torch.sigmoid(f + self.peep[1] * c)
        c = keep * c + torch.sigmoid(i + self.peep[0] * c) * torch.tanh(g)
        return torch.sigmoid(o + self.peep[2] * c) * torch.tanh(c), c


class Bidirectional(nn.Module):
    """One layer from the left and one from the right, outputs side by side: [b, n, 2 * hidden].

    Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    """

    def __init__(self, make: Callable[[int, int], Recurrent], inputs: int, hidden: int) -> None:
        super().__init__()
        self.left, self.right = make(inputs, hidden), make(inputs, hidden)
        self.hidden = 2 * hidden

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs and both final states, the left one's first."""
        ahead, left = self.left(x)
        back, right = self.right(x.flip(1))
        return torch.cat([ahead, back.flip(1)], dim=2), (*left, *right)


CELLS: dict[str, type[Recurrent]] = {
    "rnn": SimpleRNN,
    "gru": GRU,
    "gru-update": UpdateGateGRU,
    "lstm": LSTM,
    "lstm-peephole": PeepholeLSTM,
}
"""The cells by the name that tables use"""


def hidden_for(name: str, inputs: int, parameters: int, *, directions: int = 1) -> int:
    """Return the hidden size at which a layer comes closest to `parameters`."""

    def count(hidden: int) -> int:
        peepholes = 3 * hidden if name == "lstm-peephole" else 0
        one = CELLS[name].GATES * hidden * (inputs + hidden + 2) + peepholes
        return directions * one

    return min(range(1, 2_000), key=lambda hidden: abs(count(hidden) - parameters))
