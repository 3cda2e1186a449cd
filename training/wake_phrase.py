"""Is a phrase fit to be a trigger? The checks before a word is trained from its text."""

from training.pronunciation import Pronunciations

__all__ = ["PhraseError", "check_phrase", "slug"]

_LEAST_PHONES = 6
_LEAST_SYLLABLES = 2
_MOST_PHONES = 25
_MOST_USES = 10  # in the texts, about a million words of orders and everyday sentences
_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())  # noqa: SIM905


class PhraseError(ValueError):
    """A phrase that would make a bad trigger; the message says why and what to try."""


def slug(*phrases: str) -> str:
    """Return the name of the bundle of one or more phrases."""
    return "wake-" + "-and-".join("-".join(phrase.lower().split()) for phrase in phrases)


def check_phrase(phrase: str, pronunciations: Pronunciations, *, insist: bool = False) -> str:
    """Return the phrase in the form that is trained. Raises PhraseError.

    With `insist` short and common ones pass as well.
    """
    words = phrase.lower().split()
    text = " ".join(words)
    if not words or not all(word.isalpha() for word in words):
        raise PhraseError(f"{phrase!r}: write words of letters alone, such as 'hey marvin'")
    unknown = [word for word in words if word not in pronunciations]
    if unknown:
        raise PhraseError(
            f"{text!r}: the dictionary does not know {', '.join(unknown)!r}; give a spelling by "
            "known words with --sounds-like, such as 'snowboy=snow boy'"
        )
    if not insist:
        _check_sound(text, pronunciations)
    return text


def _check_sound(text: str, pronunciations: Pronunciations) -> None:
    """Raise PhraseError where other speech would wake it, or nobody would say it."""
    phones = pronunciations.of(text)
    syllables = sum(phone in _VOWELS for phone in phones)
    if len(phones) < _LEAST_PHONES or syllables < _LEAST_SYLLABLES:
        raise PhraseError(
            f"{text!r} is too short ({len(phones)} sounds, {syllables} syllables): other speech "
            f"would wake it. Take at least {_LEAST_PHONES} sounds in {_LEAST_SYLLABLES} "
            f"syllables{_suggestions(text, pronunciations)}"
        )
    if len(phones) > _MOST_PHONES:
        raise PhraseError(f"{text!r} is too long ({len(phones)} sounds); take up to {_MOST_PHONES}")
    uses = pronunciations.uses(text)
    if uses > _MOST_USES:
        raise PhraseError(
            f"{text!r} is too common (said {uses} times in our texts of everyday speech): it "
            f"would wake in the middle of conversations{_suggestions(text, pronunciations)}"
        )


def _suggestions(text: str, pronunciations: Pronunciations) -> str:
    """Return phrases around `text` that pass, as the end of a sentence."""
    text = text.removeprefix("the ")
    found = []
    for candidate in (f"hey {text}", f"okay {text}", f"{text} marvin", f"hello {text} house"):
        words = candidate.split()
        if len(words) == len(set(words)) and all(word in pronunciations for word in words):
            try:
                found.append(check_phrase(candidate, pronunciations))
            except PhraseError:
                continue
    return f"; for example {', '.join(map(repr, found[:2]))}" if found else ""
