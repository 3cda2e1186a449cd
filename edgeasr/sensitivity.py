"""Sensitivities of `command/set` as thresholds, by each wake word's own table."""

from collections.abc import Mapping
from typing import Any

from edgeasr.errors import CommandError, ConfigError
from edgeasr.wake import WakeModel

__all__ = ["with_thresholds"]


def with_thresholds(changes: Mapping[str, Any], wake: WakeModel) -> dict[str, Any]:
    """Return the changes with thresholds in the place of sensitivities.

    Raises CommandError for a sensitivity that is not 0 to 1. What else is wrong with the changes
    is left for `live.change` to tell.
    """
    known = dict(changes)
    words = known.get("words", {})
    if not isinstance(words, dict):
        return {key: value for key, value in known.items() if key != "sensitivity"}
    if "sensitivity" in known:
        every = known.pop("sensitivity")
        words = {**{word: {"sensitivity": every} for word in wake.words}, **words}
    if words:
        known["words"] = {name: _word(name, own, wake) for name, own in words.items()}
    return known


def _word(name: str, own: object, wake: WakeModel) -> object:
    if not isinstance(own, dict) or "sensitivity" not in own or name not in wake.words:
        return own
    rest = {key: value for key, value in own.items() if key != "sensitivity"}
    value = own["sensitivity"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandError(f"words.{name}.sensitivity = {value!r:.40}: give 0 to 1")
    try:
        return {**rest, "threshold": wake.threshold_for(name, float(value))}
    except ConfigError as error:
        raise CommandError(f"words.{name}.sensitivity: {error}") from error
