"""Builds the daemon's parts from the configuration."""

import logging
import re
from pathlib import Path

from edgeasr.bridge import Bridge
from edgeasr.capture import FileSource, LiveSource, PipeSource
from edgeasr.config import AudioConfig, Config, UnderstandConfig
from edgeasr.errors import CommandError, ConfigError
from edgeasr.hermes import HermesBridge
from edgeasr.homeassistant import HomeAssistantBridge, HomeAssistantRemoval
from edgeasr.homeassistant_rows import Slots
from edgeasr.kept import kept
from edgeasr.live import LiveSettings, change, live_settings
from edgeasr.loading import SHIPPED, Models, load_models, load_wake
from edgeasr.microphone import Microphone
from edgeasr.mqtt_source import MqttSource
from edgeasr.mqtt_topics import Topics
from edgeasr.recogniser import Recogniser
from edgeasr.sensitivity import with_thresholds
from edgeasr.site import DEFAULT_SITE, read_site
from edgeasr.understand import Understander, load_understander
from edgeasr.wake import WakeModel

__all__ = ["bridges_of", "live_of", "models_of", "source_of", "wake_of"]

_LOG = logging.getLogger(__name__)


def models_of(config: Config) -> Models:
    """Load the configured models. Raises BundleError."""
    words = config.wake.words.values()
    targets = {*config.translator.targets, *config.translator.also_load}
    targets |= {target for word in words for target in word.targets or ()}
    return load_models(
        wake=config.wake.model,
        recogniser=config.recogniser.model,
        targets=sorted(targets),
        understander=_understander(config.understand),
        folders=_folders(config),
    )


def wake_of(config: Config, recogniser: Recogniser) -> WakeModel:
    """Load the configured trigger. Raises BundleError."""
    return load_wake(config.wake.model, _folders(config), recogniser=recogniser)


def _folders(config: Config) -> tuple[Path, ...]:
    own = [Path(config.models.folder).expanduser()] if config.models.folder else []
    return (*own, *SHIPPED)


def _understander(config: UnderstandConfig) -> Understander | None:
    if not config.on:
        return None
    name = config.site_file
    return load_understander(read_site(Path(name).expanduser()) if name else DEFAULT_SITE)


def source_of(audio: AudioConfig, *, topic: str = "") -> LiveSource:
    """Return the configured source, not yet opened.

    `topic` is the site's own for sound, where there is a broker to bring it. Raises ConfigError.
    """
    kind, _, place = audio.source.partition(":")
    if kind == "mqtt":
        if not topic:
            raise ConfigError(f"audio.source = {audio.source}: this needs `edgeasr run`")
        return MqttSource(place or topic, queue_s=audio.queue_s, stall_s=audio.stall_s)
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
            changes = with_thresholds({key: value}, models.wake)
            live = change(live, changes, models.translators)
        except CommandError as error:
            _LOG.warning("a kept setting no longer holds: %s", error)
    return live


def bridges_of(config: Config, models: Models, topics: Topics) -> list[Bridge]:
    """Return the bridges to other conventions that are configured. Raises ConfigError."""
    slots = Slots(
        topics=topics, words=models.wake.thresholds, languages=sorted(models.translators)
    )
    prefix = config.homeassistant.prefix
    page = f"http://{config.http.listen}" if config.http.listen else ""
    bridges: list[Bridge] = [
        HomeAssistantBridge(slots, prefix=prefix, page=page)
        if config.homeassistant.on
        else HomeAssistantRemoval(slots, prefix=prefix)
    ]
    hermes = config.hermes
    for room in hermes.rooms:
        if not re.fullmatch(r"[^/+#\0]{1,64}", room) or room == config.site.name:
            raise ConfigError(
                f"hermes.rooms = {room!r}: give the siteId of another room, without /, + and #"
            )
    if hermes.on:
        bridges.append(
            HermesBridge(
                config.site.name,
                words=tuple(models.wake.words),
                understands=models.understander is not None,
                dialogue=hermes.dialogue,
                rooms=hermes.rooms,
                audio_frames=hermes.audio_frames,
            )
        )
    return bridges
