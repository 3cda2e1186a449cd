"""Joint intent and slot network: letters and words, two bidirectional LSTM layers, two heads.

The letter convolution follows Ma and Hovy (2016), the joint training Liu and Lane (2016), and the
intent's probabilities as input of the slot head Qin et al. (2019, stack propagation).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["TaggerNet", "TaggerSize"]


@dataclass(frozen=True, kw_only=True)
class TaggerSize:
    """Sizes of the network."""

    words: int
    letters: int
    intents: int
    labels: int
    word_width: int = 96
    letter_width: int = 24
    letter_channels: int = 64
    hidden: int = 112
    layers: int = 2
    bidirectional: bool = True
    dropout: float = 0.4
    word_dropout: float = 0.08


class TaggerNet(nn.Module):
    """Sentences of one length in, logits of intents and of every word's labels out."""

    def __init__(self, size: TaggerSize) -> None:
        super().__init__()
        self.size = size
        self.words = nn.Embedding(size.words, size.word_width, padding_idx=0)
        self.letters = nn.Embedding(size.letters, size.letter_width, padding_idx=0)
        nn.init.normal_(self.words.weight, std=0.1)
        nn.init.normal_(self.letters.weight, std=0.3)
        self.convolution = nn.Conv1d(size.letter_width, size.letter_channels, 3, padding=1)
        self.recurrent = nn.LSTM(
            size.word_width + size.letter_channels, size.hidden, size.layers, batch_first=True,
            bidirectional=size.bidirectional, dropout=size.dropout,
        )  # fmt: skip
        width = size.hidden * (2 if size.bidirectional else 1)
        self.intent_head = nn.Linear(2 * width, size.intents)
        self.label_head = nn.Sequential(
            nn.Linear(width + size.intents, width), nn.ReLU(), nn.Dropout(size.dropout),
            nn.Linear(width, size.labels),
        )  # fmt: skip
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, words: Tensor, letters: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits: int64 [b, n], [b, n, letters] -> float32 [b, intents], [b, n, labels]."""
        if self.training:
            dropped = torch.rand(words.shape) < self.size.word_dropout
            words = words.masked_fill(dropped, 1)
        spelled = self.letters(letters.flatten(0, 1)).transpose(1, 2)
        shapes = torch.relu(self.convolution(spelled)).amax(dim=2)
        shapes = shapes.view(letters.shape[0], letters.shape[1], shapes.shape[1])
        inputs = torch.cat([self.words(words), shapes], dim=2)
        states = self.recurrent(self.dropout(inputs))[0]
        states = self.dropout(states)
        pooled = torch.cat([states.amax(dim=1), states.mean(dim=1)], dim=1)
        intents = self.intent_head(pooled)
        chances = intents.softmax(dim=1).detach()
        known = chances[:, None].expand(states.shape[0], states.shape[1], chances.shape[1])
        return intents, self.label_head(torch.cat([states, known], dim=2))
