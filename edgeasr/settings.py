"""What may change while the assistant runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeasr.endpoint import EndpointConfig

__all__ = ["Settings", "WordSettings"]


@dataclass(frozen=True, kw_only=True)
class WordSettings:
    """How one wake word behaves."""

    threshold: float | None = None
    """Score that wakes, 0 to 1; None takes the model's"""
    targets: tuple[str, ...] | None = None
    """Languages to translate to after this word; None takes `Settings.targets`"""
    refractory_s: float | None = None
    """After this word, before it can wake again; None takes `Settings.refractory_s`"""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an assistant behaves; a new value takes effect between two blocks."""

    words: Mapping[str, WordSettings] = field(default_factory=dict)
    """The wake words that are on"""
    targets: tuple[str, ...] = ("fr",)
    """Languages to translate every transcript to"""
    beam: int = 4
    """Width of the translator's beam"""
    min_confidence: float = 0.3
    """Transcripts below are reported as `no_speech`"""
    hints: tuple[str, ...] = ()
    """Phrases that the recogniser is to expect: rooms, devices, names, titles"""
    refractory_s: float = 2.0
    """After a detection, before the same word can wake again"""
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
