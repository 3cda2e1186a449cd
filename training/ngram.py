"""An n-gram language model with Witten-Bell interpolation, to compare others with.

P(w | h) = (count(h w) + T(h) P(w | shorter h)) / (count(h) + T(h)), with T(h) the number of
different units seen after h (Witten and Bell 1991; Chen and Goodman 1998), ending at 1 / units.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from training.models.language_model import END

__all__ = ["NGram"]


class NGram:
    """Counts of up to `order` units."""

    def __init__(self, sentences: Iterable[Sequence[int]], *, order: int, units: int) -> None:
        """Count sentences of ids; END ends each and stands before its first unit."""
        self.order, self.units = order, units
        self._after: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for ids in sentences:
            row = (*[END] * (order - 1), *ids, END)
            for end in range(order - 1, len(row)):
                for size in range(order):
                    self._after[row[end - size : end]][row[end]] += 1
        self._totals = {history: sum(seen.values()) for history, seen in self._after.items()}

    def probability(self, history: Sequence[int], unit: int) -> float:
        """Return P(unit | the last units of the history)."""
        chance = 1 / self.units
        for size in range(self.order):
            context = tuple(history[len(history) - size :])
            seen = self._after.get(context)
            if len(context) < size or seen is None:
                break
            kinds = len(seen)
            chance = (seen[unit] + kinds * chance) / (self._totals[context] + kinds)
        return chance

    def probabilities(self, ids: Sequence[int]) -> list[float]:
        """Return P of each unit of a sentence and of its end."""
        row = (*[END] * (self.order - 1), *ids, END)
        first = self.order - 1
        return [self.probability(row[i - first : i], row[i]) for i in range(first, len(row))]
