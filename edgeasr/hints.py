"""Phrases that a site expects, as a prefix tree over units that lifts them in a beam.

Contextual biasing by shallow fusion (Williams et al. 2018): each unit that follows a phrase from
the start of a word earns a bonus, which is taken back when the phrase breaks off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeasr.errors import ConfigError
from edgeasr.session import Array

__all__ = ["HintState", "HintTree", "Hints"]

_MAX_PHRASES = 10_000
_MAX_CHARACTERS = 200
_WORTH_A_LOOK = -9.0  # natural logarithm of a unit's probability


@dataclass(frozen=True)
class Hints:
    """Phrases to expect, in any case and with any punctuation."""

    phrases: Sequence[str]

    def __post_init__(self) -> None:
        """Raise ConfigError for too many or too long phrases."""
        if len(self.phrases) > _MAX_PHRASES:
            raise ConfigError(f"{len(self.phrases)} hints; give at most {_MAX_PHRASES}")
        for phrase in self.phrases:
            if len(phrase) > _MAX_CHARACTERS:
                raise ConfigError(f"hint {phrase[:40]!r}... is longer than {_MAX_CHARACTERS}")

    def normalised(self) -> list[str]:
        """Return lower-case words; letters, apostrophes and single spaces alone."""
        kept = (
            "".join(c if c.isalpha() or c == "'" else " " for c in phrase.lower().replace("’", "'"))
            for phrase in self.phrases
        )
        return [text for words in kept if (text := " ".join(words.split()))]


@dataclass
class _Node:
    children: dict[int, "_Node"] = field(default_factory=dict)
    depth: int = 0
    ends: bool = False


@dataclass(frozen=True)
class HintState:
    """Where in the tree a hypothesis stands, and the bonus that is not yet earned for good."""

    node: _Node
    lent: float = 0.0


class HintTree:
    """The tree, with a bonus in natural-log units for each matched unit."""

    def __init__(
        self, hints: Hints, encode: Callable[[str], list[int]], *, bonus: float
    ) -> None:
        self._root = _Node()
        self._bonus = bonus
        for phrase in hints.normalised():
            node = self._root
            for unit in encode(phrase):
                node = node.children.setdefault(unit, _Node(depth=node.depth + 1))
            node.ends = True
        self.start = HintState(self._root)

    def likely(self, state: HintState, log_probs: Array) -> set[int]:
        """Return the units that continue or begin a phrase and are not out of the question."""
        units = [*state.node.children, *self._root.children]
        return {unit for unit in units if log_probs[unit] > _WORTH_A_LOOK}

    def step(self, state: HintState, unit: int, *, at_word_start: bool) -> tuple[HintState, float]:
        """Return the state after `unit` and the change of the hypothesis's score."""
        child = state.node.children.get(unit)
        change = 0.0
        if child is None or (state.node is self._root and not at_word_start):
            change = -state.lent
            state = self.start
            child = self._root.children.get(unit) if at_word_start else None
            if child is None:
                return self.start, change
        gain = self._bonus
        lent = 0.0 if child.ends else state.lent + gain
        return HintState(child, lent), change + gain

    def settle(self, state: HintState, *, at_word_end: bool) -> float:
        """Return the change when the hypothesis ends here: an unfinished phrase gives back."""
        return 0.0 if state.node.ends and at_word_end else -state.lent
