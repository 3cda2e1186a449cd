"""Reads the configuration: TOML into the sections of `edgeasr.config`, and secrets from files.

Nothing is guessed: an unknown key, a wrong type or a value out of range is a ConfigError that
names the key, the value and the remedy.
"""

import difflib
import os
import re
import stat
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from edgeasr.config import Config, MqttConfig
from edgeasr.errors import ConfigError

__all__ = ["load_config", "mqtt_password", "parse_config", "read_secret"]

MAX_CONFIG_BYTES = 1_000_000
MAX_SECRET_BYTES = 4_096

_SECRETS = ("password", "passwd", "secret", "token")


def load_config(path: Path) -> Config:
    """Return the configuration in a TOML file. Raises ConfigError."""
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path} is larger than 1 MB; this is no configuration of edgeasr")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can not read {path}: {error.strerror}; give --config FILE") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    try:
        return parse_config(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(text: str) -> Config:
    """Return the configuration in a TOML text. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}; texts need quotes, sections [brackets]") from error
    except RecursionError as error:
        raise ConfigError("nested too deeply; sections hold plain values") from error
    config: Config = _section(Config, tables, where="")
    _check_mqtt(config.mqtt)
    if config.endpoint.vad_mode > 3:
        raise ConfigError(f"endpoint.vad_mode = {config.endpoint.vad_mode}: give 0 to 3")
    return config


def mqtt_password(config: MqttConfig) -> str | None:
    """Return the broker's password: systemd's credential, else `password_file`, else None.

    An empty credential means none: the service file always passes one.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / "mqtt-password" if folder else None
    if credential is not None and credential.is_file() and credential.stat().st_size > 1:
        return read_secret(credential, key="credential mqtt-password")
    if config.password_file:
        return read_secret(Path(config.password_file).expanduser(), key="mqtt.password_file")
    return None


def read_secret(path: Path, *, key: str) -> str:
    """Return a secret's text without the final newline. Raises ConfigError naming `key`."""
    try:
        mode = path.stat()
        if mode.st_size > MAX_SECRET_BYTES:
            raise ConfigError(f"{key} = {path} has {mode.st_size} bytes; at most 4096")
        if mode.st_mode & stat.S_IROTH:
            raise ConfigError(f"{key} = {path} may be read by everyone; chmod 600 {path}")
        text = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key} = {path} can not be read: {error}; create it") from error
    if not text:
        raise ConfigError(f"{key} = {path} is empty; write the secret into it")
    return text


def _section(kind: type, table: object, *, where: str) -> Any:  # noqa: ANN401 - any section
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} = {_shown(table)}: must be a section, [{where}]")
    known = {item.name: item for item in fields(kind)}
    for name in table:
        if name not in known:
            raise ConfigError(_unknown(name, list(known), where))
    hints = typing.get_type_hints(kind)
    values = {
        name: _value(hints[name], known[name], value, where=f"{where}.{name}".lstrip("."))
        for name, value in table.items()
    }
    return kind(**values)


def _unknown(name: str, known: list[str], where: str) -> str:
    place = f"{where}.{name}".lstrip(".")
    if any(secret in name.lower() for secret in _SECRETS):
        return f"{place}: secrets do not belong here; write it to a file, set {where}.password_file"
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return f"{place}: unknown {'key' if where else 'section'}; {hint}"


def _value(kind: Any, item: "Field[Any]", value: object, *, where: str) -> object:  # noqa: ANN401
    if is_dataclass(kind):
        return _section(typing.cast("type", kind), value, where=where)
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
        origin = typing.get_origin(kind)
    if origin is tuple:
        return _texts(value, where)
    if origin is Mapping:
        return _tables(typing.get_args(kind)[1], value, where)
    converted = _scalar(kind, value, where)
    _check_limits(item, converted, where)
    return converted


def _scalar(kind: type, value: object, where: str) -> object:
    names = {
        str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"
    }  # fmt: skip
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where} = {_shown(value)}: give {names[kind]}")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ConfigError(f'{where} = {_shown(value)}: give a list of texts, ["like", "this"]')
    return tuple(value)


def _tables(kind: type, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} = {_shown(value)}: give sections, [{where}.NAME]")
    return {name: _section(kind, table, where=f"{where}.{name}") for name, table in value.items()}


def _check_limits(item: "Field[Any]", value: Any, where: str) -> None:  # noqa: ANN401 - checked
    limits = item.metadata
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise ConfigError(f"{where} = {value}: give {limits['low']:g} to {limits['high']:g}")
    if "choices" in limits and value not in limits["choices"]:
        raise ConfigError(f"{where} = {_shown(value)}: give one of {', '.join(limits['choices'])}")
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        raise ConfigError(f"{where} = {_shown(value)}: {limits['remedy']}")
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{where} = {_shown(value)}: remove the zero byte")
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise ConfigError(f"{where} = {value}: must not be negative")


def _check_mqtt(mqtt: MqttConfig) -> None:
    if bool(mqtt.cert_file) != bool(mqtt.key_file):
        given, missing = ("cert_file", "key_file")[:: 1 if mqtt.cert_file else -1]
        value = mqtt.cert_file or mqtt.key_file
        raise ConfigError(f"mqtt.{given} = {_shown(value)}: set mqtt.{missing} too")
    if mqtt.password_file and not mqtt.username:
        raise ConfigError(f"mqtt.password_file = {_shown(mqtt.password_file)}: set mqtt.username")
    if mqtt.host and mqtt.port == 0:
        raise ConfigError("mqtt.port = 0: only for the embedded broker; give the broker's port")


def _shown(value: object) -> str:
    text = repr(value).replace("'", '"')
    return text if len(text) <= 60 else text[:57] + "..."
