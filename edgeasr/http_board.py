"""What the status page shows: a bounded inbox for the worker, and the view made of it.

`Board` is all that the worker sees: it appends and goes on. `View` belongs to the server's thread
and turns what came into the messages that browsers get.
"""

import base64
import json
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgeasr.audio import Pcm
from edgeasr.features import Frames, Frontend, LogMel
from edgeasr.http_metrics import Tally

__all__ = ["Board", "Item", "View", "attention_fields"]

INBOX = 512  # items: 40 s of sound
KEPT_EVENTS = 60
KEPT_MAPS = 8
MAX_PIECES = 80
_COLUMN_FRAMES = 2  # 20 ms
_FLOOR, _CEILING = -6.0, 1.5  # log10 mel power shown as 0 and 255
_SILENCE_DB = -96.0


@dataclass(frozen=True)
class Item:
    """Something to show."""

    kind: Literal["sound", "event", "status", "attention"]
    fields: Mapping[str, Any]


class Board:
    """Where the worker puts what happens. Nothing here waits or fails."""

    def __init__(self) -> None:
        self._inbox: deque[Item] = deque(maxlen=INBOX)
        self.watched = False
        """Whether anybody looks: sound is kept only then"""
        self.dropped = 0
        """Items that the server did not take in time"""

    def sound(self, pcm: Pcm, scores: Mapping[str, float], *, at_s: float) -> None:
        """Show int16 [n] that ends at `at_s` of stream time, with the words' wake scores."""
        if self.watched:
            self._put(Item("sound", {"pcm": pcm, "scores": dict(scores), "at_s": at_s}))

    def event(self, fields: Mapping[str, Any]) -> None:
        """Show an event in its JSON form."""
        self._put(Item("event", fields))

    def attention(self, fields: Mapping[str, Any]) -> None:
        """Show what a translation looked at; `attention_fields` makes the fields."""
        self._put(Item("attention", fields))

    def status(self, fields: Mapping[str, Any]) -> None:
        """Show state, settings and figures; replaces those before."""
        self._put(Item("status", fields))

    def take(self) -> list[Item]:
        """Return what came since the last call. Called by the server alone."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def _put(self, item: Item) -> None:
        if len(self._inbox) == INBOX:
            self.dropped += 1
        self._inbox.append(item)


class View:
    """The picture as the server knows it; one thread."""

    def __init__(self) -> None:
        self.status: Mapping[str, Any] = {}
        self.tally = Tally()
        self._events: deque[Mapping[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self._maps: deque[Mapping[str, Any]] = deque(maxlen=KEPT_MAPS)
        self._frontend = Frontend(LogMel())
        self._spare: Frames = np.zeros((0, 80), np.float32)

    def add(self, items: Iterable[Item]) -> list[bytes]:
        """Take items; return the messages that tell of them (Server-Sent Events)."""
        messages, sound = list[bytes](), list[Mapping[str, Any]]()
        for item in items:
            if item.kind == "sound":
                sound.append(item.fields)
                continue
            if item.kind == "status":
                self.status = item.fields
            elif item.kind == "attention":
                self._maps.append(item.fields)
            else:
                self.tally.event(item.fields)
                if item.fields.get("event") != "partial":
                    self._events.append(item.fields)
            messages.append(_message(item.kind, item.fields))
        if sound:
            messages.insert(0, _message("sound", self._picture(sound)))
        return messages

    def hello(self, *, writable: bool) -> bytes:
        """Return the first message of a browser: all there is to know."""
        fields = {
            "status": self.status,
            "events": list(self._events),
            "attention": list(self._maps),
            "writable": writable,
        }
        return _message("hello", fields)

    def forget_sound(self) -> None:
        """Start the spectrogram afresh: sound was not followed for a while."""
        self._frontend.reset()
        self._spare = self._spare[:0]

    def _picture(self, sound: list[Mapping[str, Any]]) -> dict[str, Any]:
        """Return spectrogram columns, level and wake scores of consecutive sound."""
        pcm: Pcm = np.concatenate([part["pcm"] for part in sound])
        frames = np.concatenate([self._spare, self._frontend.push(pcm)])
        whole = len(frames) // _COLUMN_FRAMES * _COLUMN_FRAMES
        self._spare = frames[whole:]
        columns = frames[:whole].reshape(-1, _COLUMN_FRAMES, frames.shape[1]).mean(axis=1)
        shade = np.clip((columns - _FLOOR) / (_CEILING - _FLOOR), 0, 1) * 255
        peak = float(np.abs(pcm.astype(np.int32)).max(initial=0))
        power = float(np.square(pcm.astype(np.float64)).mean()) if len(pcm) else 0.0
        return {
            "at_s": round(sound[-1]["at_s"], 3),
            "mel": base64.b64encode(shade.astype(np.uint8).tobytes()).decode(),
            "level_db": _decibels(math.sqrt(power)),
            "peak_db": _decibels(peak),
            "scores": [
                {word: round(score, 3) for word, score in part["scores"].items()} for part in sound
            ],
        }


def attention_fields(
    language: str, source: Iterable[str], target: Iterable[str], weights: Frames
) -> dict[str, Any] | None:
    """Return the JSON form of an attention map, float32 [target, source]; None if too large."""
    if max(weights.shape) > MAX_PIECES:
        return None
    rows = [[round(float(weight), 3) for weight in row] for row in weights]
    return {"language": language, "source": [*source], "target": [*target], "weights": rows}


def _decibels(amplitude: float) -> float:
    """Return dB of full scale."""
    return round(max(_SILENCE_DB, 20 * math.log10(max(amplitude, 1e-9) / 32768)), 1)


def _message(kind: str, fields: Mapping[str, Any]) -> bytes:
    body = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), default=list)
    return f"event: {kind}\ndata: {body}\n\n".encode()
