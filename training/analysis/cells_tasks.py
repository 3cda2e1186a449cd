"""The tasks on which recurrent cells are compared: names, triggers, letters, and the network."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeasr.features import LogMel
from training.analysis.agreement import UNSCORED, Examples
from training.manifest import in_held_out_share, read_manifest, read_pcm
from training.models.cells import CELLS, Bidirectional, Recurrent, hidden_for
from training.models.convolutions import CausalConvolutions

__all__ = ["CONVOLUTIONS", "CellNet", "CellTask", "Letters", "Names", "Triggers"]

CONVOLUTIONS = "convolutions"
"""Takes a cell's place in CellNet, one way only"""


class CellNet(nn.Module):
    """Inputs, one recurrent layer of a given number of parameters, one linear layer.

    `cell` is one of CELLS, or CONVOLUTIONS for causal convolutions instead.
    """

    def __init__(
        self, cell: str, *, inputs: int, classes: int, parameters: int, both: bool = False,
        embed: bool = True, every: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        width = 24 if embed else inputs
        self.embedding = nn.Embedding(inputs, width) if embed else None
        self.layer = _layer(cell, width, parameters, both=both)
        self.head = nn.Linear(self.layer.hidden, classes)
        self.every = every
        self.both = both

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [b, classes] after the last input, or [b, n, classes] after each."""
        x = inputs if self.embedding is None else self.embedding(inputs)
        outputs, _ = self.layer(x)
        if not self.every:
            outputs = outputs.mean(dim=1) if self.both else outputs[:, -1]
        logits: Tensor = self.head(outputs)
        return logits


def _layer(
    cell: str, inputs: int, parameters: int, *, both: bool
) -> Recurrent | Bidirectional | CausalConvolutions:
    if cell == CONVOLUTIONS:
        return CausalConvolutions.of_size(inputs, parameters)
    hidden = hidden_for(cell, inputs, parameters, directions=2 if both else 1)
    make = CELLS[cell]
    return Bidirectional(make, inputs, hidden) if both else make(inputs, hidden)


class Names:
    """Is the first word a name? "teddy roosevelt was a great president", "teddy bears are on sale".

    First words are both; only the words after them tell. Targets per word: 1 within a name.
    """

    FIRST = ("teddy", "rose", "mark", "grace", "bill", "jack", "olive", "ivy", "daisy", "frank")
    LAST = ("roosevelt", "parker", "miller", "hudson", "tyler", "nelson", "carter", "wilson")
    THINGS = ("bears", "petals", "sheets", "prints", "covers", "pots", "oils", "frames")
    OF_NAMES = ("was a great president", "is a good friend", "sang on the radio", "came home late")
    OF_THINGS = ("are on sale", "were in the shop", "cost too much", "lie in the box")
    classes, every, batch = 2, True, 64

    def __init__(self) -> None:
        sentences = (*self.FIRST, *self.LAST, *self.THINGS, *self.OF_NAMES, *self.OF_THINGS)
        words = sorted({word for one in sentences for word in one.split()})
        self.ids = {word: index for index, word in enumerate(words)}
        self.inputs = len(words)

    def encode(self, text: str) -> Tensor:
        """Return the ids of a sentence: int64 [n]."""
        return torch.tensor([self.ids[word] for word in text.split()])

    def train(self, random: np.random.Generator) -> Examples:
        """Return sentences without the first names that are kept for the test beside each last."""
        return self._draw(random, self.batch, held=False)

    def test(self) -> dict[str, Examples]:
        """Return pairs of first and second word that were never trained on."""
        return {"unseen pairs": self._draw(np.random.default_rng(99), 400, held=True)}

    def _draw(self, random: np.random.Generator, count: int, *, held: bool) -> Examples:
        rows: list[Tensor] = []
        targets: list[list[int]] = []
        while len(rows) < count:
            name = bool(random.integers(2))
            first = str(random.choice(self.FIRST))
            second = str(random.choice(self.LAST if name else self.THINGS))
            rest = str(random.choice(self.OF_NAMES if name else self.OF_THINGS))
            if in_held_out_share(f"{first} {second}", 0.25, salt="names") == held:
                rows.append(self.encode(f"{first} {second} {rest}")[:5])
                targets.append([int(name)] * 2 + [0] * 3)
        return Examples(torch.stack(rows), torch.tensor(targets))


class Triggers:
    """Which of six wake words is this? Real recordings, 40 bands every 40 ms, 1.6 s.

    Speakers are disjoint between training and test.
    """

    inputs, every, batch = 40, False, 32
    _FRAMES = 40

    def __init__(self, root: Path, *, clips: int) -> None:
        log_mel = LogMel()
        path = root / "wake" / "picovoice" / "manifest.jsonl"
        rows = [one for one in read_manifest(path) if one.label]
        chosen = [rows[i] for i in np.random.default_rng(5).permutation(len(rows))[:clips]]
        self.labels = sorted({str(one.label) for one in chosen})
        self.classes = len(self.labels)
        parts: dict[bool, list[tuple[Any, int]]] = {False: [], True: []}
        for one in chosen:
            held = in_held_out_share(str(one.speaker), 0.25, salt="cells")
            frames = _centre(log_mel(read_pcm(one)), 4 * self._FRAMES)
            bands = frames.reshape(self._FRAMES, 4, self.inputs, -1).mean(axis=(1, 3))
            parts[held].append(((bands + 4) / 4, self.labels.index(str(one.label))))
        self._train, self._test = (_stack(parts[held]) for held in (False, True))

    def train(self, random: np.random.Generator) -> Examples:
        """Return a batch of the training speakers."""
        chosen = random.integers(0, len(self._train.targets), self.batch)
        return Examples(self._train.inputs[chosen], self._train.targets[chosen])

    def test(self) -> dict[str, Examples]:
        """Return all clips of the other speakers."""
        return {"other speakers": self._test}


class Letters:
    """The next letter of English commands; a share of the lines is kept for the test."""

    every, batch = True, 32
    _LENGTH = 40

    def __init__(self, root: Path) -> None:
        lines = (root / "text" / "lm" / "commands.en.txt").read_text("utf-8").lower().splitlines()
        alphabet = "\n 'abcdefghijklmnopqrstuvwxyz"
        lines = ["".join(c for c in line if c in alphabet) for line in dict.fromkeys(lines)]
        held = [in_held_out_share(line, 0.1, salt="letters") for line in lines]
        ids = {letter: index for index, letter in enumerate(alphabet)}
        self.inputs = self.classes = len(alphabet)
        self._parts = [
            np.array([ids[c] for line, out in zip(lines, held, strict=True) if out == keep
                      for c in line + "\n"]) for keep in (False, True)
        ]  # fmt: skip

    def train(self, random: np.random.Generator) -> Examples:
        """Return pieces from anywhere in the training lines."""
        return self._pieces(self._parts[0], random, self.batch)

    def test(self) -> dict[str, Examples]:
        """Return 400 pieces of the lines kept."""
        return {"letters": self._pieces(self._parts[1], np.random.default_rng(99), 400)}

    def _pieces(self, letters: Any, random: np.random.Generator, count: int) -> Examples:  # noqa: ANN401
        starts = random.integers(0, len(letters) - self._LENGTH - 1, count)
        pieces = torch.from_numpy(np.stack([letters[i : i + self._LENGTH + 1] for i in starts]))
        return Examples(pieces[:, :-1], pieces[:, 1:])


class CellTask:
    """One cell on one task, as the training loop wants it."""

    def __init__(self, task: Any, model: nn.Module, *, seed: int, rate: float = 4e-3) -> None:  # noqa: ANN401
        self.task, self.model, self._seed, self._rate = task, model, seed, rate
        self._tests: dict[str, Examples] = task.test()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters in one group."""
        return [{"params": list(self.model.parameters()), "lr": self._rate, "weight_decay": 0.0}]

    def batch(self, step: int, *, rank: int, world: int) -> Examples:
        """Return batch `step`, drawn from the seed."""
        found: Examples = self.task.train(np.random.default_rng([self._seed, step]))
        return Examples(found.inputs[rank::world], found.targets[rank::world])

    def loss(self, batch: Examples, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the cross-entropy."""
        logits = self.model(batch.inputs).flatten(0, -2)
        targets = batch.targets.flatten()
        return nn.functional.cross_entropy(logits, targets, ignore_index=UNSCORED), {}

    def evaluate(self) -> dict[str, float]:
        """Return accuracy in percent and bits per target for each test set."""
        figures: dict[str, float] = {}
        for name, test in self._tests.items():
            scored = test.targets.flatten() != UNSCORED
            logits = self.model(test.inputs).flatten(0, -2)[scored]
            targets = test.targets.flatten()[scored]
            figures[name] = 100 * float((logits.argmax(1) == targets).float().mean())
            bits = nn.functional.cross_entropy(logits, targets) / np.log(2)
            figures[f"{name} bits"] = float(bits)
        figures["score"] = sum(v for k, v in figures.items() if k.endswith("bits"))
        return figures


def _centre(frames: Any, count: int) -> Any:  # noqa: ANN401 - float32 [frames, mels]
    """Cut or pad to `count` frames around the loudest part."""
    loud = int(np.convolve(frames.mean(axis=1), np.ones(60), mode="same").argmax())
    start = max(0, min(loud - count // 2, len(frames) - count))
    part = frames[start : start + count]
    return np.pad(part, ((0, count - len(part)), (0, 0)), constant_values=float(frames.min()))


def _stack(rows: list[tuple[Any, int]]) -> Examples:
    inputs = torch.from_numpy(np.stack([row[0] for row in rows]).astype(np.float32))
    return Examples(inputs, torch.tensor([row[1] for row in rows]))
