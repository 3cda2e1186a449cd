"""Made-up names and titles as slot values, for sentences that the teacher labels.

Two thirds of the artists, films and books of a test set are in no training sentence. What they look
like is known, though: a book may be called like a song, a name joins two others, a title may be any
few words.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from edgeasr.bio import spans
from edgeasr.tagger import NONE
from training.tagger_augment import Values
from training.tagger_data import Sentence

__all__ = ["made_up_values"]

Name = tuple[str, ...]

_TITLES = "album", "movie_name", "object_name", "track"
_WORDINGS = (*_TITLES, "entity_name", "playlist")
"""What may be called by any words"""
_NAMES = (*_WORDINGS, "artist", "geographic_poi", "poi", "restaurant_name")
_EACH = 1_000


def made_up_values(sentences: Sequence[Sentence], scheme: str, random: Any) -> Values:  # noqa: ANN401
    """Return values for kinds of names and titles of a scheme, drawn with numpy's Generator.

    Titles of the other kinds, as many joined names, and as many pieces of ordinary sentences.
    """
    own: dict[str, list[Name]] = defaultdict(list)
    for one in sentences:
        for span in spans(one.labels or ()):
            if one.scheme == scheme and span.name in _NAMES:
                own[span.name].append(one.words[span.start : span.end])
    texts = [one.words for one in sentences if one.scheme == NONE]
    return {(scheme, kind): _values(kind, own, texts, random) for kind in own}


def _values(
    kind: str, own: Mapping[str, Sequence[Name]], texts: Sequence[Name], random: Any  # noqa: ANN401
) -> list[Name]:
    long = [value for value in own[kind] if len(value) > 1]
    firsts, lasts = _drawn(long, random), _drawn(long, random)
    found = [_joined(first, last, random) for first, last in zip(firsts, lasts, strict=True)]
    if kind in _TITLES:
        others = [title for other in _TITLES if other != kind for title in own.get(other, ())]
        found += _drawn(others, random)
    if kind in _WORDINGS:
        found += [_piece(text, random) for text in _drawn(texts, random)]
    return found or list(own[kind])


def _drawn(names: Sequence[Name], random: Any) -> list[Name]:  # noqa: ANN401
    return [names[i] for i in random.integers(len(names), size=_EACH)] if names else []


def _joined(first: Name, last: Name, random: Any) -> Name:  # noqa: ANN401
    """Return the beginning of one and the end of another, both of two words or more."""
    return first[: random.integers(1, len(first))] + last[random.integers(1, len(last)) :]


def _piece(text: Name, random: Any) -> Name:  # noqa: ANN401
    """Return one to five words that follow each other."""
    words = int(random.integers(1, 6))
    start = int(random.integers(max(1, len(text) - words + 1)))
    return text[start : start + words]
