"""The networks that an assistant needs, loaded from their bundles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeasr.bundle import MODELS_FOLDER, Bundle, find_bundle
from edgeasr.errors import ConfigError
from edgeasr.events import Event
from edgeasr.recogniser import Recogniser
from edgeasr.settings import Settings, WordSettings
from edgeasr.translator import Translator
from edgeasr.wake import WakeModel

__all__ = [
    "Models",
    "Understands",
    "load_models",
    "load_recogniser",
    "load_translator",
    "load_wake",
]

SHIPPED = (MODELS_FOLDER,)


class Understands(Protocol):
    """What turns a transcript into an `intent` or `intent_not_recognised` event."""

    def event(self, text: str, *, at_s: float, session: str | None) -> Event:
        """Return the event of the text."""
        ...


@dataclass(kw_only=True)
class Models:
    """The loaded networks. They hold no stream state and may be shared by assistants."""

    wake: WakeModel
    """May be replaced by another; assistants take it when settings are applied again"""
    recogniser: Recogniser
    translators: Mapping[str, Translator] = field(default_factory=dict)
    """By target language"""
    understander: Understands | None = None

    def all_words(self) -> dict[str, WordSettings]:
        """Return every wake word, at the model's threshold."""
        return {word: WordSettings() for word in self.wake.words}

    def check(self, settings: Settings) -> None:
        """Raise ConfigError for a wake word or language that no model serves."""
        asked = list(settings.targets)
        for word, own in settings.words.items():
            if word not in self.wake.words:
                known = ", ".join(self.wake.words)
                raise ConfigError(f"no wake word {word!r} in the model; there are: {known}")
            asked += own.targets or ()
        for target in asked:
            self.translator(target)

    def translator(self, target: str) -> Translator:
        """Return the translator to a language. Raises ConfigError when it is not loaded."""
        if target not in self.translators:
            known = ", ".join(sorted(self.translators)) or "none"
            raise ConfigError(f"no translator to {target!r} is loaded; there are: {known}")
        return self.translators[target]


def load_wake(
    name: str = "wake",
    folders: Sequence[Path] = SHIPPED,
    *,
    recogniser: Recogniser | None = None,
) -> WakeModel:
    """Load a wake bundle by name; `recogniser` takes the second look. Raises BundleError."""
    return WakeModel(Bundle(find_bundle(name, list(folders)), kind="wake"), recogniser)


def load_recogniser(
    name: str = "recogniser-en", folders: Sequence[Path] = SHIPPED
) -> Recogniser:
    """Load a recogniser bundle by name. Raises BundleError."""
    return Recogniser(Bundle(find_bundle(name, list(folders)), kind="recogniser"))


def load_translator(
    target: str, *, source: str = "en", folders: Sequence[Path] = SHIPPED
) -> Translator:
    """Load the translator of a language pair, ISO 639-1 codes. Raises BundleError."""
    folder = find_bundle(f"translator-{source}-{target}", list(folders))
    return Translator(Bundle(folder, kind="translator"))


def load_models(
    *,
    wake: str = "wake",
    recogniser: str = "recogniser-en",
    targets: Iterable[str] = ("fr",),
    understander: Understands | None = None,
    folders: Sequence[Path] = SHIPPED,
) -> Models:
    """Load what an assistant needs, by default the models that ship. Raises BundleError."""
    reader = load_recogniser(recogniser, folders)
    return Models(
        wake=load_wake(wake, folders, recogniser=reader),
        recogniser=reader,
        translators={target: load_translator(target, folders=folders) for target in targets},
        understander=understander,
    )
