"""The rooms, floors and devices of a home, from a TOML file."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edgeasr.errors import ConfigError

__all__ = ["DEFAULT_SITE", "Device", "Site", "read_site", "site_from"]

_MAX_BYTES = 1_000_000
_MAX_NAMES = 5_000
_MAX_NAME_CHARS = 100


@dataclass(frozen=True, kw_only=True)
class Device:
    """One thing that is spoken to."""

    name: str
    domain: str = "light"
    """Home Assistant's kind of device: light, switch, fan, cover, media_player, climate..."""
    area: str = ""
    aliases: tuple[str, ...] = ()
    device_class: str = ""
    """Finer kind within the domain: garage, window, tv..."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A home."""

    areas: tuple[str, ...] = ()
    floors: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    zones: tuple[str, ...] = ("home",)
    """Places where a person can be ("who is at work"); any other place is no template's"""
    here: str = ""
    """The area of the microphone: what "turn on the lights" means without a room"""

    def names(self) -> tuple[str, ...]:
        """Return every name that may be spoken, for the recogniser's hints."""
        spoken = [name for one in self.devices for name in (one.name, *one.aliases)]
        return tuple(dict.fromkeys((*self.areas, *self.floors, *spoken, *self.zones)))


DEFAULT_SITE = Site(
    areas=(
        "living room", "kitchen", "bedroom", "bathroom", "hallway", "office", "garage", "garden",
        "dining room", "basement", "attic", "nursery", "guest room",
    ),
    floors=("ground floor", "first floor", "second floor", "upstairs", "downstairs"),
    devices=(
        Device(name="TV", domain="media_player", aliases=("television",)),
        Device(name="radio", domain="media_player"),
        Device(name="thermostat", domain="climate"),
        Device(name="heater", domain="climate", aliases=("heating",)),
        Device(name="fan", domain="fan", aliases=("ceiling fan",)),
        Device(name="front door", domain="lock"),
        Device(name="garage door", domain="cover", device_class="garage"),
        Device(name="bedside lamp", aliases=("bedroom lamp", "night light")),
        Device(name="floor lamp", aliases=("lamp", "reading light", "desk lamp")),
        Device(name="coffee machine", domain="switch", aliases=("coffee maker", "kettle")),
        Device(name="robot", domain="vacuum", aliases=("vacuum cleaner",)),
    ),
    zones=("home", "work", "school"),
)  # fmt: skip
"""An ordinary home, for a first try without a file"""


def read_site(path: Path) -> Site:
    """Read a site file. Raises ConfigError that names the key and what is known."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} is larger than {_MAX_BYTES // 1_000_000} MB; not a site")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"can not read the site {path}: {error}") from error
    return site_from(content, where=str(path))


def site_from(content: dict[str, Any], *, where: str) -> Site:
    """Build a site from parsed TOML. Raises ConfigError that names the wrong key."""
    _check_keys(content, Site, where)
    devices = content.get("devices", [])
    if not isinstance(devices, list) or not all(isinstance(one, dict) for one in devices):
        raise ConfigError(f"{where}: devices: write each as [[devices]] with a name and a domain")
    site = Site(
        areas=_names(content.get("areas", []), f"{where}: areas"),
        floors=_names(content.get("floors", []), f"{where}: floors"),
        devices=tuple(_device(one, f"{where}: devices") for one in devices),
        zones=_names(content.get("zones", ["home"]), f"{where}: zones"),
        here=_name(content.get("here", ""), f"{where}: here"),
    )
    if len(site.names()) > _MAX_NAMES:
        raise ConfigError(f"{where}: {len(site.names())} names; give at most {_MAX_NAMES}")
    if site.here and site.here not in site.areas:
        raise ConfigError(f"{where}: here: {site.here!r} is none of the areas")
    return site


def _device(content: dict[str, Any], where: str) -> Device:
    _check_keys(content, Device, where)
    if not content.get("name"):
        raise ConfigError(f"{where}: a device has no name")
    texts = {
        key: _name(content[key], f"{where}: {key}")
        for key in ("name", "domain", "area", "device_class") if key in content
    }  # fmt: skip
    return Device(**texts, aliases=_names(content.get("aliases", []), f"{where}: aliases"))


def _check_keys(content: dict[str, Any], kind: type, where: str) -> None:
    known = [field.name for field in fields(kind)]
    for key in content:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known: {', '.join(known)}")


def _names(content: object, where: str) -> tuple[str, ...]:
    if not isinstance(content, list):
        raise ConfigError(f"{where}: give a list of names")
    return tuple(_name(one, where) for one in content)


def _name(content: object, where: str) -> str:
    if not isinstance(content, str) or len(content) > _MAX_NAME_CHARS:
        raise ConfigError(f"{where}: {str(content)[:40]!r} is no name of up to 100 characters")
    return content.strip()
