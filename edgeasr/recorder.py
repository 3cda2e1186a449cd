"""The flight recorder: what was heard around wakes, near misses and rejected utterances.

Off unless asked for. FLAC with JSON beside it, named by time; the oldest go first when there are
too many. A label given by `command/feedback` makes a recording a training example.
"""

import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.config import RecorderConfig
from edgeasr.errors import CommandError
from edgeasr.events import Event

__all__ = ["FlightRecorder"]

_LOG = logging.getLogger(__name__)
_LONGEST_S = 40.0
_ENDS = frozenset({"transcript", "no_speech"})
_NEAR = 0.6  # share of its threshold from which a score that did not wake is a near miss
_AFTER_NEAR_S = 1.0  # without another near score, before a near miss is saved


class FlightRecorder:
    """Remembers the last seconds, and writes them down when something happened."""

    def __init__(self, folder: Path, config: RecorderConfig) -> None:
        """Write to `folder`, made when needed."""
        self.on = config.on
        self.saved = 0
        """Recordings written since the start"""
        self._folder = folder
        self._config = config
        self._recent: deque[Pcm] = deque()
        self._recent_samples = 0
        self._events: list[dict[str, Any]] = []
        self._started: str | None = None
        self._last: Path | None = None
        self._near: tuple[str, float] | None = None
        self._near_samples = 0

    def hear(self, pcm: Pcm) -> None:
        """Remember int16 [n] more samples."""
        if not self.on:
            return
        self._recent.append(pcm)
        self._recent_samples += len(pcm)
        keep_s = _LONGEST_S if self._events else self._config.before_s
        while self._recent and (
            self._recent_samples - len(self._recent[0]) >= keep_s * SAMPLE_RATE
        ):
            self._recent_samples -= len(self._recent.popleft())
        self._near_samples += len(pcm)

    def scores(self, scores: Mapping[str, float], thresholds: Mapping[str, float]) -> None:
        """Take the wake scores after `hear`; save what came near a threshold and went away."""
        if not self.on or self._events:
            return
        for word, threshold in thresholds.items():
            score = scores.get(word, 0.0)
            if score >= _NEAR * threshold:
                best = self._near[1] if self._near else 0.0
                self._near = (word, score) if score > best else self._near
                self._near_samples = 0
        if self._near is not None and self._near_samples >= _AFTER_NEAR_S * SAMPLE_RATE:
            word, score = self._near
            self._events = [{"event": "near_miss", "word": word, "score": round(score, 3)}]
            self._save("near_miss")

    def event(self, event: Event) -> None:
        """Begin at a wake, save when its utterance has ended."""
        if not self.on:
            return
        if event.NAME == "wake":
            self._events.clear()  # of an utterance whose end was never told
            self._started = event.session
            self._near = None
        if event.NAME == "wake" or (self._events and event.session == self._started):
            self._events.append(event.to_fields())
        if event.NAME in _ENDS and self._events and event.session == self._started:
            self._save(event.NAME)

    def switch(self, *, on: bool) -> None:
        """Turn on or off; off forgets what was heard."""
        self.on = on
        if not on:
            self._forget()

    def label(self, kind: str, text: str | None) -> str:
        """Write a label beside the last recording; return its name.

        Raises CommandError when there is none; a missed wake is saved from what is remembered.
        """
        if kind == "missed_wake" and self.on:
            self._events.append({"event": "missed_wake"})
            self._save("missed_wake")
        if self._last is None:
            raise CommandError(
                "no recording to label" + ("" if self.on else "; turn the recorder on first")
            )
        path = self._last.with_suffix(".json")
        content = json.loads(path.read_text(encoding="utf-8"))
        content["label"] = {"kind": kind, "text": text, "time": _now().isoformat()}
        _write(path, content)
        return self._last.name

    def prune(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        try:
            sizes = {path: _bytes(path) for path in sorted(self._folder.glob("*.flac"))}
            total = sum(sizes.values())
            oldest_s = time.time() - self._config.max_days * 86_400
            for path, size in sizes.items():
                if total <= self._config.max_mb * 1e6 and path.stat().st_mtime >= oldest_s:
                    continue
                total -= size
                path.with_suffix(".json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        except OSError as error:  # somebody else may tidy up at the same time
            _LOG.warning("old recordings in %s can not be deleted: %s", self._folder, error)

    def _save(self, kind: str) -> None:
        events, self._events = self._events, []
        pcm = np.concatenate([np.zeros(0, np.int16), *self._recent])
        name = f"{_now():%Y%m%dT%H%M%S.%f}-{kind}"
        path = self._folder / f"{name}.flac"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(str(path), pcm, SAMPLE_RATE, subtype="PCM_16")
            _write(path.with_suffix(".json"), {"audio": path.name, "kind": kind, "events": events})
            self._last = path
            self.saved += 1
            self.prune()
        except (OSError, soundfile.LibsndfileError, RuntimeError) as error:
            _LOG.error("the flight recorder can not write to %s: %s", self._folder, error)
        self._forget()

    def _forget(self) -> None:
        self._events.clear()
        self._started = None
        self._near = None
        self._recent.clear()
        self._recent_samples = 0


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _bytes(path: Path) -> int:
    own = path.with_suffix(".json")
    return path.stat().st_size + (own.stat().st_size if own.is_file() else 0)


def _now() -> datetime:
    return datetime.now(UTC)
