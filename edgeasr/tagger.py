"""Intent and slots of a command in free words, from one small bidirectional network.

The network (training/models/tagger.py) reads words and their letters and scores the intents of
several label schemes at once, and BIO labels of each word. The intent decides the scheme, and the
scheme which labels are looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeasr.bio import best_path, certainty, label_names, spans
from edgeasr.bundle import Bundle
from edgeasr.errors import BundleError, TextError
from edgeasr.session import Array

__all__ = [
    "MAX_WORDS", "NONE", "Encoder", "Scheme", "TaggedSlot", "Tagger", "Tagging", "encoder_of",
    "normal_word", "read_schemes",
]  # fmt: skip

MAX_WORDS = 60
NONE = "none"
"""The intent of text that is no command"""

_MAX_CHARS = 2_000
_WORD = re.compile(r"[^\s,.;:!?\"()\[\]]+(?:[.:,][^\s,.;:!?\"()\[\]]+)*")
_PADDING, _UNKNOWN = 0, 1


@dataclass(frozen=True)
class Scheme:
    """The intents and slot kinds of one annotation scheme, and where their scores stand."""

    name: str
    intents: tuple[str, ...]
    slots: tuple[str, ...]
    first_intent: int
    first_label: int

    @property
    def labels(self) -> tuple[str, ...]:
        """BIO labels in the order of their score columns."""
        return label_names(self.slots)


@dataclass(frozen=True)
class TaggedSlot:
    """A slot: kind, the words as given, and their character range in the text."""

    name: str
    text: str
    start: int
    end: int
    confidence: float
    """The least probability of its labels, 0 to 1"""


@dataclass(frozen=True)
class Tagging:
    """What the network makes of a text; `intent` is NONE for what is no command."""

    intent: str
    confidence: float
    """Probability of the intent, 0 to 1"""
    slots: tuple[TaggedSlot, ...]


class Encoder:
    """Words and letters to ids; one definition for training and run time."""

    def __init__(
        self, words: Sequence[str], letters: str, *, word_letters: int,
        further_words: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Give ids from 2 to `words` and `letters`; 0 is padding and 1 unknown.

        `further_words`, in order of the alphabet, follow; as bytes they take a tenth of a dict.
        """
        self.words = {word: index for index, word in enumerate(words, 2)}
        self._further = np.array([word.encode() for word in further_words] or [b""])
        self._letters = {letter: index for index, letter in enumerate(letters, 2)}
        self._word_letters = word_letters

    def encode(self, words: Sequence[str]) -> tuple[Array, Array]:
        """Return word ids int64 [words] and letter ids int64 [words, letters]."""
        letters = np.full((len(words), self._word_letters), _PADDING, np.int64)
        ids = np.full(len(words), _UNKNOWN, np.int64)
        for row, given in enumerate(words):
            word = normal_word(given)
            ids[row] = self._id(re.sub(r"\d", "0", word))
            short = self._shorten(word)
            letters[row, : len(short)] = [self._letters.get(c, _UNKNOWN) for c in short]
        return ids, letters

    def _id(self, word: str) -> int:
        own = self.words.get(word)
        if own is not None:
            return own
        place = int(np.searchsorted(self._further, word.encode()))
        known = place < len(self._further) and self._further[place] == word.encode()
        return 2 + len(self.words) + place if known and word else _UNKNOWN

    def _shorten(self, word: str) -> str:
        """Keep both ends of a long word: prefixes and suffixes tell the most."""
        size = self._word_letters
        return word if len(word) <= size else word[: size // 2] + word[-(size - size // 2) :]


def normal_word(word: str) -> str:
    """Return the form that is looked up: lower case, without apostrophes."""
    return word.lower().replace("'", "").replace("’", "")


class Tagger:
    """The network with its tables. Holds no state between texts."""

    def __init__(self, bundle: Bundle) -> None:
        """Load the network and tables. Raises BundleError when they do not fit together."""
        tables: dict[str, Any] = bundle.json("tables.json")
        self._encoder = encoder_of(tables)
        self.schemes = read_schemes(tables["schemes"])
        """The label schemes, in the order of their score columns"""
        self._intents = [(scheme, name) for scheme in self.schemes for name in scheme.intents]
        self._session = bundle.session("tagger.onnx")
        if self._session.input_names != ["words", "letters"]:
            raise BundleError(f"{bundle.folder} holds no tagger network; export it again")
        with np.load(bundle.path("moves.npz"), allow_pickle=False) as moves:
            self.moves: Mapping[str, Array] = {
                name: moves[name].astype(np.float32) for name in moves
            }
        """Scores of labels after each other, by scheme: float32 [labels, labels]"""

    def tag(self, text: str, *, scheme: str | None = None) -> Tagging:
        """Return the intent and slots of `text`, of one scheme if given.

        Raises TextError when the text has no word or more than MAX_WORDS.
        """
        if len(text) > _MAX_CHARS:
            raise TextError(f"the text has {len(text)} characters; give at most {_MAX_CHARS}")
        found = list(_WORD.finditer(text))
        if not 0 < len(found) <= MAX_WORDS:
            raise TextError(f"the text has {len(found)} words; give 1 to {MAX_WORDS}")
        intents, labels = self.scores([match.group() for match in found])
        if scheme is not None:
            for index, (owner, _) in enumerate(self._intents):
                intents[index] = intents[index] if owner.name == scheme else -np.inf
        best = int(intents.argmax())
        owner, intent = self._intents[best]
        confidence = float(_softmax(intents)[best])
        if intent == NONE:
            return Tagging(NONE, confidence, ())
        return Tagging(intent, confidence, self._slots(text, found, labels, owner))

    def scores(self, words: Sequence[str]) -> tuple[Array, Array]:
        """Return the logits of all intents float32 [intents] and labels float32 [words, labels]."""
        ids, letters = self._encoder.encode(words)
        outputs = self._session.run({"words": ids[None], "letters": letters[None]})
        return outputs["intents"][0].copy(), outputs["labels"][0]

    def _slots(
        self, text: str, words: Sequence[re.Match[str]], labels: Array, scheme: Scheme
    ) -> tuple[TaggedSlot, ...]:
        names = scheme.labels
        own = labels[:, scheme.first_label : scheme.first_label + len(names)]
        moves = self.moves[scheme.name]
        path = best_path(own, moves)
        chances = certainty(own, moves, path)
        slots = []
        for span in spans([names[label] for label in path]):
            start, end = words[span.start].start(), words[span.end - 1].end()
            sure = float(chances[span.start : span.end].min())
            slots.append(TaggedSlot(span.name, text[start:end], start, end, sure))
        return tuple(slots)


def encoder_of(tables: Mapping[str, Any]) -> Encoder:
    """Return the encoder of a bundle's tables."""
    return Encoder(
        tables["words"], tables["letters"], word_letters=tables["word_letters"],
        further_words=tables.get("further_words", "").split(),
    )  # fmt: skip


def read_schemes(content: Sequence[dict[str, Any]]) -> tuple[Scheme, ...]:
    """Return the schemes of a table, each after the columns of those before it."""
    schemes: list[Scheme] = []
    intents = labels = 0
    for one in content:
        scheme = Scheme(one["name"], tuple(one["intents"]), tuple(one["slots"]), intents, labels)
        schemes.append(scheme)
        intents += len(scheme.intents)
        labels += len(scheme.labels) if scheme.slots else 0
    return tuple(schemes)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares
