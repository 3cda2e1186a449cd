"""Joint intent and slot network: letters and words, two bidirectional LSTM layers, two heads.

The letter convolution and the label transitions follow Ma and Hovy (2016), the joint training Liu
and Lane (2016), and the intent's probabilities as input of the slot head Qin et al. (2019, stack
propagation).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.tagger_vectors import STEP

__all__ = ["TaggerNet", "TaggerSize"]


@dataclass(frozen=True, kw_only=True)
class TaggerSize:
    """Sizes of the network."""

    words: int
    """Words with a vector of their own, with padding and unknown; ids above only have given ones"""
    letters: int
    intents: int
    labels: int
    vectors: int = 0
    """Words with a given vector, as many as there are ids; 0 for none"""
    vector_width: int = 0
    word_width: int = 96
    letter_width: int = 24
    letter_channels: int = 64
    hidden: int = 128
    layers: int = 2
    bidirectional: bool = True
    dropout: float = 0.4
    word_dropout: float = 0.08


class TaggerNet(nn.Module):
    """Sentences of one length in, logits of intents and of every word's labels out."""

    vectors: Tensor
    """uint8 [vectors, vector_width / 2], fixed; two levels of 4 bits a byte (tagger_vectors.py)"""

    def __init__(self, size: TaggerSize) -> None:
        super().__init__()
        self.size = size
        self.words = nn.Embedding(size.words, size.word_width, padding_idx=0)
        self.letters = nn.Embedding(size.letters, size.letter_width, padding_idx=0)
        nn.init.normal_(self.words.weight, std=0.1)
        nn.init.normal_(self.letters.weight, std=0.3)
        given = torch.zeros(size.vectors, size.vector_width // 2, dtype=torch.uint8)
        self.register_buffer("vectors", given)
        self.convolution = nn.Conv1d(size.letter_width, size.letter_channels, 3, padding=1)
        self.recurrent = nn.LSTM(
            size.word_width + size.letter_channels + size.vector_width, size.hidden, size.layers,
            batch_first=True, bidirectional=size.bidirectional, dropout=size.dropout,
        )  # fmt: skip
        width = size.hidden * (2 if size.bidirectional else 1)
        self.intent_head = nn.Linear(2 * width, size.intents)
        self.label_head = nn.Sequential(
            nn.Linear(width + size.intents, width), nn.ReLU(), nn.Dropout(size.dropout),
            nn.Linear(width, size.labels),
        )  # fmt: skip
        self.moves = nn.Parameter(torch.zeros(size.labels, size.labels))
        """Score of the column's label after the row's; the search's, not part of `forward`"""
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, words: Tensor, letters: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits: int64 [b, n], [b, n, letters] -> float32 [b, intents], [b, n, labels]."""
        states = self.recurrent(self.dropout(self._inputs(words, letters)))[0]
        states = self.dropout(states)
        pooled = torch.cat([states.amax(dim=1), states.mean(dim=1)], dim=1)
        intents = self.intent_head(pooled)
        chances = intents.softmax(dim=1).detach()
        known = chances[:, None].expand(states.shape[0], states.shape[1], chances.shape[1])
        return intents, self.label_head(torch.cat([states, known], dim=2))

    def _inputs(self, words: Tensor, letters: Tensor) -> Tensor:
        """Return float32 [b, n, all widths]; while training some words are taken for unknown."""
        own = words.masked_fill(words >= self.size.words, 1)
        if self.training:
            own = own.masked_fill(torch.rand(words.shape) < self.size.word_dropout, 1)
            words = words.masked_fill(torch.rand(words.shape) < self.size.word_dropout / 2, 1)
        spelled = self.letters(letters.flatten(0, 1)).transpose(1, 2)
        shapes = torch.relu(self.convolution(spelled)).amax(dim=2)
        shapes = shapes.view(letters.shape[0], letters.shape[1], shapes.shape[1])
        inputs = [self.words(own), shapes]
        if self.size.vectors:
            packed = self.vectors[words].float()
            high = torch.floor(packed / 16)
            inputs.append((torch.cat([packed - 16 * high, high], dim=2) - 8) * STEP)
        return torch.cat(inputs, dim=2)
