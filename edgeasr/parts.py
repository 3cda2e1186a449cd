"""Builds the daemon's parts from the configuration."""

import logging
from pathlib import Path

from edgeasr.capture import FileSource, LiveSource, PipeSource
from edgeasr.config import AudioConfig, Config
from edgeasr.errors import CommandError
from edgeasr.live import LiveSettings, change, kept, live_settings
from edgeasr.loading import SHIPPED, Models, load_models
from edgeasr.microphone import Microphone

__all__ = ["live_of", "models_of", "source_of"]

_LOG = logging.getLogger(__name__)


def models_of(config: Config) -> Models:
    """Load the configured models. Raises BundleError."""
    own = [Path(config.models.folder).expanduser()] if config.models.folder else []
    words = config.wake.words.values()
    targets = {*config.translator.targets, *config.translator.also_load}
    targets |= {target for word in words for target in word.targets or ()}
    return load_models(
        wake=config.wake.model,
        recogniser=config.recogniser.model,
        targets=sorted(targets),
        folders=(*own, *SHIPPED),
    )


def source_of(audio: AudioConfig) -> LiveSource:
    """Return the configured source, not yet opened."""
    kind, _, place = audio.source.partition(":")
    if kind == "file":
        return FileSource([Path(place).expanduser()], realtime=True)
    if kind == "fifo":
        return PipeSource(Path(place).expanduser(), stall_s=audio.stall_s)
    if kind == "stdin":
        return PipeSource(None, stall_s=audio.stall_s)
    return Microphone(audio)


def live_of(config: Config, models: Models) -> LiveSettings:
    """Return the configured settings with those that `command/set` kept.

    A kept one that no longer holds is named and left out. Raises ConfigError.
    """
    live = live_settings(config, models.wake.words)
    for key, value in kept(config.state.path() / "settings.json").items():
        try:
            live = change(live, {key: value}, models.translators)
        except CommandError as error:
            _LOG.warning("a kept setting no longer holds: %s", error)
    return live
