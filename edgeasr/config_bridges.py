"""What a user may configure of other sites, and of the bridges to other conventions."""

from dataclasses import dataclass

from edgeasr.config_limits import matching, one_of, within

__all__ = ["ArbitrationConfig", "HermesConfig", "HomeAssistantConfig"]


@dataclass(frozen=True, kw_only=True)
class ArbitrationConfig:
    """Several sites that hear the same wake word: the one that hears it best answers."""

    on: bool = True
    """Among all sites with the same `mqtt.base`; alone it costs nothing"""
    window_s: float = within(0.25, 0.15, 2.0)
    """Seconds in which the others may bid; `wake` and the first words wait for so long"""


@dataclass(frozen=True, kw_only=True)
class HomeAssistantConfig:
    """Discovery by Home Assistant."""

    on: bool = True
    """Off also takes back what was announced before"""
    prefix: str = matching(
        "homeassistant", r"[^#+\0/]+(/[^#+\0/]+)*", "give a topic without #, + and outer slashes"
    )
    """Home Assistant's discovery prefix"""


@dataclass(frozen=True, kw_only=True)
class HermesConfig:
    """The Hermes protocol (Snips, Rhasspy 2.5); `site.name` is the siteId."""

    on: bool = False
    dialogue: bool = True
    """Manage the dialogue sessions; false when another dialogue manager is on the broker"""
    rooms: tuple[str, ...] = ()
    """Other siteIds whose microphones send audioFrame, to be recognised here"""
    audio_frames: str = one_of("off", "off", "session", "always")
    """When to publish our own sound: about 260 kbit/s while it lasts"""
