"""Phrases that a site expects, as a prefix tree over units that lifts them in a beam.

Contextual biasing by shallow fusion (Williams et al. 2018): each unit that follows a phrase from
the start of a word earns a bonus, which is taken back when the phrase breaks off or its last word
goes on. Rare units earn more: common ones are heard without help, and do harm where none is due.
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
    ends: bool = False


@dataclass(frozen=True)
class HintState:
    """Where in the tree a hypothesis stands, and the bonus that is not yet earned for good."""

    node: _Node
    lent: float = 0.0


class HintTree:
    """The tree, with a bonus in natural-log units for each matched unit."""

    def __init__(
        self, hints: Hints, encode: Callable[[str], list[int]], *, bonuses: Sequence[float]
    ) -> None:
        """Take the bonus of each unit, by its id."""
        self._root = _Node()
        self._bonuses = bonuses
        for phrase in hints.normalised():
            node = self._root
            for unit in encode(phrase):
                node = node.children.setdefault(unit, _Node())
            node.ends = True
        self.start = HintState(self._root)

    def likely(self, state: HintState, log_probs: Array) -> set[int]:
        """Return the units that continue or begin a phrase and are not out of the question."""
        units = [*state.node.children, *self._root.children]
        return {unit for unit in units if log_probs[unit] > _WORTH_A_LOOK}

    def step(self, state: HintState, unit: int, *, at_word_start: bool) -> tuple[HintState, float]:
        """Return the state after `unit` and the change of the hypothesis's score."""
        lent = 0.0 if state.node.ends and at_word_start else state.lent
        child = state.node.children.get(unit) if state.node is not self._root else None
        change = 0.0
        if child is None:
            change, lent = -lent, 0.0
            child = self._root.children.get(unit) if at_word_start else None
            if child is None:
                return self.start, change
        gain = self._bonuses[unit]
        return HintState(child, lent + gain), change + gain

    def settle(self, state: HintState) -> float:
        """Return the change when the hypothesis ends here: an unfinished phrase gives back."""
        return 0.0 if state.node.ends else -state.lent
