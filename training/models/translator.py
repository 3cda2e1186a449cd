"""GRU encoder-decoder with additive attention (Cho 2014; Sutskever 2014; Bahdanau 2014).

The decoder's lower GRU reads target pieces only and asks the attention; its upper GRU reads the
answer (as in Wu et al. 2016). Nothing feeds back from the attention into the lower layer, so that
training runs over all target positions at once instead of one by one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Encoded", "TranslatorConfig", "TranslatorNet"]


@dataclass(frozen=True, kw_only=True)
class TranslatorConfig:
    """Sizes of the network."""

    source_pieces: int
    target_pieces: int
    embedding: int = 256
    encoder: int = 256
    """Units per direction and layer"""
    decoder: int = 320
    attention: int = 160
    dropout: float = 0.2
    attend: bool = True
    """False replaces attention by the mean of the encoder's states: for the comparison only"""


@dataclass(frozen=True)
class Encoded:
    """What the decoder needs to know of a source sentence."""

    memory: Tensor
    """float32 [batch, source, 2 * encoder]"""
    keys: Tensor
    """float32 [batch, source, attention]: `memory` projected once"""
    state: Tensor
    """float32 [batch, 2, decoder]: first states of both decoder layers"""


class TranslatorNet(nn.Module):
    """Pieces in, scores of the next piece out. A batch has sources of one length: no mask."""

    def __init__(self, config: TranslatorConfig) -> None:
        super().__init__()
        self.config = config
        wide = 2 * config.encoder
        self.source_embedding = nn.Embedding(config.source_pieces, config.embedding)
        self.embedding = nn.Embedding(config.target_pieces, config.embedding)
        self.dropout = nn.Dropout(config.dropout)
        self.below = nn.GRU(config.embedding, config.encoder, batch_first=True, bidirectional=True)
        self.above = nn.GRU(wide, config.encoder, batch_first=True, bidirectional=True)
        self.first_state = nn.Linear(wide, 2 * config.decoder)
        self.key = nn.Linear(wide, config.attention)
        self.query = nn.Linear(config.decoder, config.attention, bias=False)
        self.energy = nn.Linear(config.attention, 1, bias=False)
        self.asking = nn.GRU(config.embedding, config.decoder, batch_first=True)
        self.telling = nn.GRU(config.decoder + wide, config.decoder, batch_first=True)
        self.project = nn.Linear(config.decoder + wide, config.embedding)
        self.bias = nn.Parameter(torch.zeros(config.target_pieces))
        for table in (self.source_embedding, self.embedding):
            nn.init.normal_(table.weight, std=config.embedding**-0.5)

    def encode(self, source: Tensor) -> Encoded:
        """Return the encoded sentences of int64 [batch, source]."""
        low, _ = self.below(self.dropout(self.source_embedding(source)))
        high, _ = self.above(self.dropout(low))
        memory = high + low
        state = torch.tanh(self.first_state(memory.mean(dim=1)))
        return Encoded(memory, self.key(memory), state.view(-1, 2, self.config.decoder))

    def attention(self, asked: Tensor, encoded: Encoded) -> Tensor:
        """Return weights float32 [batch, target, source] for lower states [batch, target, n]."""
        if not self.config.attend:
            shape = (asked.shape[0], asked.shape[1], encoded.memory.shape[1])
            return asked.new_full(shape, 1.0 / shape[2])
        sums = self.query(asked).unsqueeze(2) + encoded.keys.unsqueeze(1)
        return torch.softmax(self.energy(torch.tanh(sums)).squeeze(3), dim=2)

    def decode(
        self, target: Tensor, encoded: Encoded, state: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run over int64 [batch, target] from `state` float32 [batch, 2, decoder].

        Returns logits float32 [batch, target, pieces], the new state, and the attention weights
        float32 [batch, target, source].
        """
        features, state, weights = self.read(target, encoded, state)
        return self.scores(features), state, weights

    def read(
        self, target: Tensor, encoded: Encoded, state: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Do the same up to the features float32 [batch, target, embedding] of the next piece."""
        lower, upper = state[:, 0].contiguous(), state[:, 1].contiguous()
        asked, lower_end = self.asking(self.dropout(self.embedding(target)), lower.unsqueeze(0))
        asked = self.dropout(asked)
        weights = self.attention(asked, encoded)
        context = torch.matmul(weights.to(encoded.memory.dtype), encoded.memory)
        told, upper_end = self.telling(torch.cat([asked, context], 2), upper.unsqueeze(0))
        features = torch.tanh(self.project(torch.cat([self.dropout(told), context], 2)))
        state = torch.stack([lower_end[0], upper_end[0]], dim=1)
        return self.dropout(features) * 8.0, state, weights

    def step(
        self, token: Tensor, encoded: Encoded, state: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Do `decode` for one piece int64 [batch]: float32 [batch, pieces], state, [batch, source].

        Products of single rows, which onnxruntime keeps packed as it does not in a GRU of one step.
        """
        asked = _cell(self.asking, self.embedding(token), state[:, 0])
        weights = self.attention(asked.unsqueeze(1), encoded).squeeze(1)
        context = torch.matmul(weights.unsqueeze(1), encoded.memory).squeeze(1)
        told = _cell(self.telling, torch.cat([asked, context], 1), state[:, 1])
        features = torch.tanh(self.project(torch.cat([told, context], 1))) * 8.0
        return self.scores(features), torch.stack([asked, told], dim=1), weights

    def scores(self, features: Tensor, pieces: Tensor | None = None) -> Tensor:
        """Return logits [..., n] of `pieces` int64 [n], of all if None, for features [..., m]."""
        if pieces is None:
            return F.linear(features, self.embedding.weight, self.bias)
        return F.linear(features, self.embedding(pieces), self.bias[pieces])

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return logits [batch, target, pieces] of the piece after each of `target`."""
        encoded = self.encode(source)
        logits, _, _ = self.decode(target, encoded, encoded.state)
        return logits


def _cell(gru: nn.GRU, inputs: Tensor, state: Tensor) -> Tensor:
    """Return a GRU's next state float32 [batch, units] for float32 [batch, n]."""
    units = gru.hidden_size
    input_weight, state_weight, input_bias, state_bias = gru.all_weights[0]
    given = F.linear(inputs, input_weight, input_bias)
    kept = F.linear(state, state_weight, state_bias)
    gates = torch.sigmoid(given[:, : 2 * units] + kept[:, : 2 * units])
    reset, update = gates[:, :units], gates[:, units:]
    fresh = torch.tanh(given[:, 2 * units :] + reset * kept[:, 2 * units :])
    return fresh + update * (state - fresh)
