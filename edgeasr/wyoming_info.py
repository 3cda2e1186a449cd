"""What the Wyoming servers say of themselves, read from the bundles without loading a network."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from wyoming.audio import AudioFormat
from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    Info,
    MicProgram,
    Satellite,
    WakeModel,
    WakeProgram,
)

from edgeasr import __version__
from edgeasr.audio import SAMPLE_RATE
from edgeasr.bundle import BUNDLE_FILE, find_bundle
from edgeasr.errors import BundleError

__all__ = ["asr_info", "event_name", "satellite_info", "wake_info", "wake_words"]

_ABOUT = Attribution(name="edgeasr", url="https://pypi.org/project/edgeasr/")


def wake_words(name: str, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the words of a wake bundle without loading it. Raises BundleError."""
    path = find_bundle(name, list(folders)) / BUNDLE_FILE
    try:
        words = json.loads(path.read_text(encoding="utf-8"))["settings"]["words"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"can not read {path}: {error!r}; reinstall the model") from error
    return tuple(words)


def event_name(word: str) -> str:
    """Return a wake word's name in Wyoming's events: `hey jarvis` is `hey_jarvis`."""
    return word.replace(" ", "_")


def wake_info(words: Iterable[str]) -> Info:
    """Return what the wake server offers."""
    models = [
        WakeModel(
            name=event_name(word), phrase=word, languages=["en"], attribution=_ABOUT,
            installed=True, description=word, version=__version__,
        )
        for word in words
    ]  # fmt: skip
    program = WakeProgram(
        name="edgeasr", attribution=_ABOUT, installed=True, version=__version__,
        description="Streaming convolution and GRU trigger", models=models,
    )  # fmt: skip
    return Info(wake=[program])


def asr_info(model: str) -> Info:
    """Return what the recogniser's server offers."""
    own = AsrModel(
        name=model, languages=["en"], attribution=_ABOUT, installed=True,
        description="Streaming English recogniser", version=__version__,
    )  # fmt: skip
    program = AsrProgram(
        name="edgeasr", attribution=_ABOUT, installed=True, version=__version__,
        description="Streaming recogniser with hints", models=[own],
        supports_transcript_streaming=True, prefers_auto_gain_enabled=False,
        prefers_noise_reduction_enabled=False,
    )  # fmt: skip
    return Info(asr=[program])


def satellite_info(name: str, area: str | None, words: Sequence[str]) -> Info:
    """Return what the satellite is; its wake words let Home Assistant drop double wakes."""
    satellite = Satellite(
        name=name, area=area, attribution=_ABOUT, installed=True, version=__version__,
        description="edgeasr satellite", has_vad=False, supports_trigger=True,
        active_wake_words=[event_name(word) for word in words],
        max_active_wake_words=len(words),
    )  # fmt: skip
    microphone = MicProgram(
        name="microphone", attribution=_ABOUT, installed=True, version=__version__,
        description="16 kHz mono", mic_format=AudioFormat(rate=SAMPLE_RATE, width=2, channels=1),
    )  # fmt: skip
    return Info(satellite=satellite, mic=[microphone], wake=wake_info(words).wake)
