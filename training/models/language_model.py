"""A recurrent language model over letters or words, with its table of units."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training.loop import load_weights

__all__ = ["END", "LanguageNet", "LanguageSize", "Units", "load_language_model"]

END, UNKNOWN = 0, 1  # ids; END also stands before the first unit


class Units:
    """Letters or words of lower-case sentences, as ids."""

    def __init__(self, level: str, names: Sequence[str]) -> None:
        """Give ids from 2 to `names`."""
        self.level, self.names = level, ("<end>", "<unknown>", *names)
        self._ids = {name: index for index, name in enumerate(self.names)}

    @classmethod
    def of(cls, level: str, sentences: Sequence[str], *, most: int = 8_000) -> "Units":
        """Take the units that were seen twice, at most `most`, most frequent first."""
        counts = Counter(unit for one in sentences for unit in _split(level, one))
        frequent = [unit for unit, count in counts.most_common(most) if count > 1]
        return cls(level, frequent)

    def encode(self, sentence: str) -> list[int]:
        """Return the ids of a sentence, without the end."""
        return [self._ids.get(unit, UNKNOWN) for unit in _split(self.level, sentence)]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        return ("" if self.level == "char" else " ").join(self.names[i] for i in ids)


def _split(level: str, sentence: str) -> list[str]:
    return list(sentence.lower()) if level == "char" else sentence.lower().split()


@dataclass(frozen=True, kw_only=True)
class LanguageSize:
    """Sizes of the network."""

    units: int
    cell: str = "lstm"
    """gru or lstm"""
    width: int = 64
    hidden: int = 192
    dropout: float = 0.15


class LanguageNet(nn.Module):
    """P(next unit | all before): embedding, one recurrent layer, linear.

    Mikolov et al., "Recurrent neural network based language model", 2010.
    """

    def __init__(self, size: LanguageSize) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(size.units, size.width)
        kind = {"gru": nn.GRU, "lstm": nn.LSTM}[size.cell]
        self.recurrent = kind(size.width, size.hidden, batch_first=True)
        self.dropout = nn.Dropout(size.dropout)
        self.head = nn.Linear(size.hidden, size.units)

    def forward(self, units: Tensor, state: object = None) -> tuple[Tensor, object]:
        """Return logits [b, n, units] after each unit int64 [b, n], and the state."""
        outputs, after = self.recurrent(self.dropout(self.embedding(units)), state)
        return self.head(self.dropout(outputs)), after

    def log_p(self, ids: Sequence[int]) -> list[float]:
        """Return ln P of each unit and of the end of the sentence, given all before it."""
        before = torch.tensor([[END, *ids]])
        chances = self(before)[0].log_softmax(dim=2)[0].detach()
        return [float(chances[i, unit]) for i, unit in enumerate((*ids, END))]


def save_tables(run: Path, units: Units, size: LanguageSize) -> None:
    """Write what a checkpoint needs beside it."""
    run.mkdir(parents=True, exist_ok=True)
    content = {"level": units.level, "names": list(units.names[2:]), "size": asdict(size)}
    (run / "units.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def load_language_model(run: Path) -> tuple[LanguageNet, Units]:
    """Return the best network of a run, ready to be asked, and its units.

    Raises FileNotFoundError, with the command that trains one, where there is none.
    """
    if not (run / "best.pt").is_file():
        raise FileNotFoundError(
            f"{run} has no trained model: first run "
            "`python -m training.analysis language-model --text FILE`"
        )
    content = json.loads((run / "units.json").read_text("utf-8"))
    net = LanguageNet(LanguageSize(**content["size"]))
    net.load_state_dict(load_weights(run / "best.pt")["model"])
    return net.eval(), Units(content["level"], content["names"])
