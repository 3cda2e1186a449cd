"""Limits of configuration values, kept with the dataclass field that they belong to."""

from dataclasses import field
from typing import Any

__all__ = ["matching", "one_of", "within"]


def within(default: float, low: float, high: float) -> Any:  # noqa: ANN401 - a dataclass field
    """Return a number's field."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, *choices: str) -> Any:  # noqa: ANN401 - a dataclass field
    """Return the field of a choice."""
    return field(default=default, metadata={"choices": choices})


def matching(default: str, pattern: str, remedy: str) -> Any:  # noqa: ANN401 - a dataclass field
    """Return a text's field; the whole text must match."""
    return field(default=default, metadata={"pattern": pattern, "remedy": remedy})
