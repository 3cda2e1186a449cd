"""Settings that change while the daemon runs: checked, answered, and kept when asked."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from edgeasr.config import Config
from edgeasr.endpoint import EndpointConfig
from edgeasr.errors import CommandError, ConfigError
from edgeasr.phrases import MAX_PHRASES, read_phrases
from edgeasr.settings import Settings, WordSettings
from edgeasr.site import read_site

__all__ = ["LIVE_KEYS", "LiveSettings", "LiveWord", "change", "live_settings"]

_MAX_HINT_CHARS = 200
_ENDPOINT_MS = ("start_timeout_ms", "end_silence_ms", "stall_ms", "max_utterance_ms")


@dataclass(frozen=True, kw_only=True)
class LiveWord:
    """A wake word of the model."""

    on: bool = True
    threshold: float | None = None
    """None takes the model's"""
    targets: tuple[str, ...] | None = None
    """None takes the site's"""
    refractory_s: float | None = None
    """None takes the site's"""


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """All that may change; the field names are the keys of `command/set`."""

    words: Mapping[str, LiveWord]
    targets: tuple[str, ...] = ()
    beam: int = 4
    min_confidence: float = 0.3
    refractory_s: float = 2.0
    hints: tuple[str, ...] = ()
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    muted: bool = False
    recorder: bool = False

    def for_assistant(self) -> Settings:
        """Return the part that the assistant applies."""
        words = {
            name: WordSettings(
                threshold=word.threshold, targets=word.targets, refractory_s=word.refractory_s
            )
            for name, word in self.words.items()
            if word.on
        }
        return Settings(
            words=words, targets=self.targets, beam=self.beam, hints=self.hints,
            min_confidence=self.min_confidence, refractory_s=self.refractory_s,
            endpoint=self.endpoint,
        )  # fmt: skip

    def thresholds(self, given: Mapping[str, float]) -> dict[str, float]:
        """Return the score at which each word that is on wakes; `given` are the model's."""
        return {
            name: given[name] if word.threshold is None else word.threshold
            for name, word in self.words.items()
            if word.on
        }

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form, the endpoint's times as keys of their own."""
        fields = asdict(self)
        return {**fields.pop("endpoint"), **fields}


def live_settings(config: Config, words: Collection[str]) -> LiveSettings:
    """Return the configured settings. Raises ConfigError for words that the model has not."""
    for name in config.wake.words:
        if name not in words:
            raise ConfigError(
                f"wake.words.{name}: the model {config.wake.model!r} does not know this word; "
                f"it knows: {', '.join(words)}"
            )
    own = config.wake.words or dict.fromkeys(words)
    return LiveSettings(
        words={name: _word(own.get(name), on=name in own) for name in words},
        targets=config.translator.targets,
        beam=config.translator.beam,
        min_confidence=config.recogniser.min_confidence,
        refractory_s=config.wake.refractory_s,
        hints=(
            *config.recogniser.hints,
            *_hints_of(config.recogniser.hints_file),
            *_names_of(config.understand.site_file),
        ),
        endpoint=config.endpoint,
        recorder=config.recorder.on,
    )


def change(
    live: LiveSettings, changes: Mapping[str, Any], languages: Collection[str]
) -> LiveSettings:
    """Return the settings with all changes. Raises CommandError, then none of them holds."""
    for key, value in changes.items():
        setter = _SETTERS.get(key)
        if setter is None:
            raise CommandError(f"unknown setting {key[:40]!r}; known: {', '.join(LIVE_KEYS)}")
        live = setter(live, key, value)
    for language in {*live.targets, *(t for w in live.words.values() for t in w.targets or ())}:
        if language not in languages:
            known = ", ".join(sorted(languages)) or "none"
            raise CommandError(f"no translator to {language[:20]!r} is loaded; there are: {known}")
    return live


def _word(own: Any, *, on: bool) -> LiveWord:  # noqa: ANN401 - WordConfig or None
    if own is None:
        return LiveWord(on=on)
    return LiveWord(
        on=on, threshold=own.threshold, targets=own.targets, refractory_s=own.refractory_s
    )


def _names_of(site_file: str) -> tuple[str, ...]:
    """Return the site's rooms and devices, which are likely to be spoken."""
    return read_site(Path(site_file).expanduser()).names() if site_file else ()


def _hints_of(name: str) -> list[str]:
    try:
        return read_phrases(Path(name).expanduser()) if name else []
    except ConfigError as error:
        raise ConfigError(f"recogniser.hints_file: {error}") from error


def _number(key: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CommandError(f"{key} = {_shown(value)}: give {low:g} to {high:g}")
    return float(value)


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CommandError(f"{key} = {_shown(value)}: give true or false")
    return value


def _texts(key: str, value: object, *, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise CommandError(f'{key} = {_shown(value)}: give a list of texts, ["like", "this"]')
    if len(value) > most or any(len(text) > _MAX_HINT_CHARS for text in value):
        raise CommandError(f"{key}: give at most {most} texts of {_MAX_HINT_CHARS} characters")
    return tuple(dict.fromkeys(text.strip() for text in value if text.strip()))


def _set_number(live: LiveSettings, key: str, value: object) -> LiveSettings:
    low, high = {"beam": (1, 20), "min_confidence": (0, 1), "refractory_s": (0, 60)}[key]
    number = _number(key, value, low, high)
    return replace(live, **{key: int(number) if key == "beam" else number})  # type: ignore[arg-type]


def _set_endpoint(live: LiveSettings, key: str, value: object) -> LiveSettings:
    milliseconds = int(_number(key, value, 100, 600_000))
    return replace(live, endpoint=replace(live.endpoint, **{key: milliseconds}))


def _set_flag(live: LiveSettings, key: str, value: object) -> LiveSettings:
    return replace(live, **{key: _flag(key, value)})  # type: ignore[arg-type]


def _set_texts(live: LiveSettings, key: str, value: object) -> LiveSettings:
    most = MAX_PHRASES if key == "hints" else 20
    return replace(live, **{key: _texts(key, value, most=most)})  # type: ignore[arg-type]


def _set_threshold(live: LiveSettings, key: str, value: object) -> LiveSettings:
    threshold = _number(key, value, 0, 1)
    words = {name: replace(word, threshold=threshold) for name, word in live.words.items()}
    return replace(live, words=words)


def _set_words(live: LiveSettings, key: str, value: object) -> LiveSettings:
    if not isinstance(value, dict):
        raise CommandError(f'{key} = {_shown(value)}: give {{"WORD": {{"on": true}}}}')
    words = dict(live.words)
    for name, own in value.items():
        if name not in words:
            raise CommandError(f"words.{name[:40]}: unknown word; known: {', '.join(words)}")
        words[name] = _changed_word(words[name], own, f"words.{name}")
    return replace(live, words=words)


def _changed_word(word: LiveWord, own: object, where: str) -> LiveWord:
    if not isinstance(own, dict):
        return replace(word, on=_flag(where, own))
    for key, value in own.items():
        if key == "on":
            word = replace(word, on=_flag(f"{where}.on", value))
        elif key == "threshold":
            word = replace(word, threshold=_number(f"{where}.threshold", value, 0, 1))
        elif key == "targets":
            targets = None if value is None else _texts(f"{where}.targets", value, most=20)
            word = replace(word, targets=targets)
        elif key == "refractory_s":
            own_s = None if value is None else _number(f"{where}.refractory_s", value, 0, 60)
            word = replace(word, refractory_s=own_s)
        else:
            raise CommandError(
                f"{where}.{key[:40]}: unknown; known: on, threshold, sensitivity, targets, "
                "refractory_s"
            )
    return word


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


_SETTERS = {
    "threshold": _set_threshold,
    "words": _set_words,
    "targets": _set_texts,
    "hints": _set_texts,
    "beam": _set_number,
    "min_confidence": _set_number,
    "refractory_s": _set_number,
    **dict.fromkeys(_ENDPOINT_MS, _set_endpoint),
    "muted": _set_flag,
    "recorder": _set_flag,
}

# The first is turned into thresholds before: edgeasr.sensitivity.
LIVE_KEYS: tuple[str, ...] = ("sensitivity", *_SETTERS)
