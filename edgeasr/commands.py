"""What may be asked of the daemon: command payloads into checked, frozen values.

Pure and total: any bytes give a command or a CommandError, whatever they hold.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgeasr.errors import CommandError

__all__ = [
    "COMMANDS",
    "MAX_JSON_BYTES",
    "Attend",
    "Cancel",
    "Command",
    "Feedback",
    "Listen",
    "Mute",
    "SetCommand",
    "Stop",
    "Transcribe",
    "Translate",
    "Understand",
    "parse_command",
]

MAX_JSON_BYTES = 64_000
MAX_TEXT_CHARS = 2_000

_FEEDBACK = ("false_wake", "missed_wake", "wrong_text", "right")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What all commands carry."""

    id: str | None = None
    """Chosen by the sender, returned with the results"""


@dataclass(frozen=True, kw_only=True)
class Listen(Command):
    """Start listening as if the wake word had been heard."""


@dataclass(frozen=True, kw_only=True)
class Stop(Command):
    """End listening now and recognise what was heard."""


@dataclass(frozen=True, kw_only=True)
class Cancel(Command):
    """End listening now and drop what was heard."""


@dataclass(frozen=True, kw_only=True)
class Mute(Command):
    """Close the microphone, or open it again."""

    on: bool


@dataclass(frozen=True, kw_only=True)
class SetCommand(Command):
    """Change live settings; `edgeasr.live` knows them."""

    changes: Mapping[str, Any]
    persist: bool = False
    """Keep the changes over a restart"""


@dataclass(frozen=True, kw_only=True)
class Translate(Command):
    """Translate a text."""

    text: str
    targets: tuple[str, ...] = ()
    """Languages; empty takes those in force"""


@dataclass(frozen=True, kw_only=True)
class Attend(Command):
    """Take notice of wake words, or of none for a while. No setting: a restart forgets it."""

    on: bool


@dataclass(frozen=True, kw_only=True)
class Understand(Command):
    """Find the intent of a text."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Transcribe(Command):
    """Recognise recorded speech."""

    audio: bytes
    """A WAV, FLAC, Ogg Opus or MP3 file"""


@dataclass(frozen=True, kw_only=True)
class Feedback(Command):
    """Label the flight recorder's last recording."""

    kind: str
    """false_wake, missed_wake, wrong_text or right"""
    text: str | None = None
    """What was really said"""


def parse_command(name: str, payload: bytes, *, max_audio_bytes: int) -> Command:
    """Return the command called `name`. Raises CommandError that tells the remedy."""
    if name == "transcribe":
        if not payload:
            raise CommandError("the body is empty; send a WAV, FLAC, Opus or MP3 file")
        if len(payload) > max_audio_bytes:
            raise CommandError(
                f"the body has {len(payload)} bytes, at most {max_audio_bytes} are taken; "
                "send less audio, or Opus"
            )
        return Transcribe(audio=payload)
    parser = _PARSERS.get(name)
    if parser is None:
        raise CommandError(f"unknown command {name[:40]!r}; known: {', '.join(COMMANDS)}")
    return parser(_json(payload))


def _json(payload: bytes) -> Any:  # noqa: ANN401 - parsed JSON
    if len(payload) > MAX_JSON_BYTES:
        raise CommandError(f"the payload has {len(payload)} bytes; at most {MAX_JSON_BYTES}")
    if not payload.strip():
        return {}
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise CommandError(f"not UTF-8 at byte {error.start}; send JSON in UTF-8") from error
    except RecursionError as error:
        raise CommandError("nested too deeply; send a flat JSON object") from error
    except ValueError as error:
        raise CommandError(f"not JSON: {error}"[:200]) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON; send a finite number")


def _object(value: object, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CommandError(f"send a JSON object, not {_shown(value)}")
    unknown = sorted(set(value) - {"id", *known})
    if unknown:
        allowed = ", ".join(("id", *known))
        raise CommandError(f"unknown key {unknown[0][:40]!r}; known: {allowed}")
    return value


def _id(value: Mapping[str, Any]) -> str | None:
    own = value.get("id")
    if own is None:
        return None
    if isinstance(own, int) and not isinstance(own, bool) and abs(own) < 10**18:
        own = str(own)
    if not isinstance(own, str) or not re.fullmatch(r"[\x21-\x7e]{1,64}", own):
        raise CommandError(f"id = {_shown(own)}: give 1 to 64 printable ASCII characters")
    return own


def _listen(value: object) -> Command:
    return Listen(id=_id(_object(value, ())))


def _stop(value: object) -> Command:
    return Stop(id=_id(_object(value, ())))


def _cancel(value: object) -> Command:
    return Cancel(id=_id(_object(value, ())))


def _mute(value: object) -> Command:
    if isinstance(value, bool):
        return Mute(on=value)
    own = _object(value, ("on",))
    if not isinstance(own.get("on"), bool):
        raise CommandError('send true, false or {"on": true}')
    return Mute(on=own["on"], id=_id(own))


def _set(value: object) -> Command:
    if not isinstance(value, dict):
        raise CommandError(f"send a JSON object, not {_shown(value)}")
    own = dict(value)
    persist = own.pop("persist", False)
    if not isinstance(persist, bool):
        raise CommandError(f"persist = {_shown(persist)}: give true or false")
    command_id = _id(own)
    own.pop("id", None)
    if not own:
        raise CommandError('nothing to set; send for example {"threshold": 0.6}')
    return SetCommand(changes=own, persist=persist, id=command_id)


def _translate(value: object) -> Command:
    own = _object(value, ("text", "to"))
    text, targets = own.get("text"), own.get("to", [])
    if not isinstance(text, str) or not text.strip():
        raise CommandError('text is missing; send {"text": "good morning", "to": "fr"}')
    if len(text) > MAX_TEXT_CHARS:
        raise CommandError(f"text has {len(text)} characters; at most {MAX_TEXT_CHARS}")
    targets = [targets] if isinstance(targets, str) else targets
    if not isinstance(targets, list) or not all(isinstance(item, str) for item in targets):
        raise CommandError(f'to = {_shown(targets)}: give a language, "fr", or a list of them')
    return Translate(text=text, targets=tuple(dict.fromkeys(targets)), id=_id(own))


def _feedback(value: object) -> Command:
    own = _object(value, ("kind", "text"))
    kind, text = own.get("kind"), own.get("text")
    if kind not in _FEEDBACK:
        raise CommandError(f"kind = {_shown(kind)}: give one of {', '.join(_FEEDBACK)}")
    if text is not None and (not isinstance(text, str) or len(text) > MAX_TEXT_CHARS):
        raise CommandError(f"text: give at most {MAX_TEXT_CHARS} characters")
    return Feedback(kind=kind, text=text, id=_id(own))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


_PARSERS: Mapping[str, Callable[[object], Command]] = {
    "listen": _listen,
    "stop": _stop,
    "cancel": _cancel,
    "mute": _mute,
    "set": _set,
    "translate": _translate,
    "feedback": _feedback,
}

COMMANDS: tuple[str, ...] = (*_PARSERS, "transcribe")
