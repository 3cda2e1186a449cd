"""Watches the daemon from its own loop: readiness, systemd's watchdog, metrics, housekeeping.

The watchdog is fed only while sound goes through the assistant and the network thread turns. A
microphone that is known to be lost is being looked for, which counts as life for a while.
"""

import time
from typing import Any

from edgeasr.config import Config
from edgeasr.daemon import Daemon
from edgeasr.desk import CommandDesk
from edgeasr.mqtt import MqttLink
from edgeasr.mqtt_source import MqttSource
from edgeasr.notify import Notifier
from edgeasr.outbox import Outbox
from edgeasr.publisher import Publisher
from edgeasr.stats import process_fields

__all__ = ["Watch"]

_TICK_S = 0.25
_PRUNE_S = 600.0
_NETWORK_S = 180.0  # name look-ups and connects may block, but not for longer than this


class Watch:
    """Called after every step of the daemon."""

    def __init__(
        self,
        config: Config,
        daemon: Daemon,
        *,
        desk: CommandDesk,
        link: MqttLink,
        outbox: Outbox,
        publisher: Publisher,
    ) -> None:
        self.notifier = Notifier()
        self._config = config
        self._daemon = daemon
        self._desk = desk
        self._link = link
        self._outbox = outbox
        self._publisher = publisher
        self._began_s = self._sound_s = time.monotonic()
        self._next_s = self._metrics_s = self._prune_s = 0.0
        self._chunks = 0
        self._ready = False
        self._status = ""

    def tick(self) -> None:
        """Look at everything that is due."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _TICK_S
        # No restart here would bring back the sender of remote sound.
        remote = isinstance(self._daemon.source, MqttSource)
        heard = self._daemon.chunks != self._chunks or self._daemon.live.muted or remote
        self._chunks = self._daemon.chunks
        if heard:
            self._sound_s = now_s
        if heard and not self._ready:
            self._ready = True
            self.notifier.ready()
        if self._alive(now_s):
            self.notifier.alive()
        self._show()
        if now_s >= self._metrics_s:
            self._metrics_s = now_s + self._config.system.metrics_s
            self._publisher.metrics(self.fields())
        if now_s >= self._prune_s:
            self._prune_s = now_s + _PRUNE_S
            self._daemon.recorder.prune()

    def fields(self) -> dict[str, Any]:
        """Return the `metrics` message."""
        source = self._daemon.source
        return {
            "uptime_s": round(time.monotonic() - self._began_s, 1),
            **process_fields(),
            "stream_s": round(self._daemon.now_s, 2),
            "backlog_s": round(source.backlog_s, 3),
            "dropped_blocks": source.dropped_blocks,
            "overflows": source.overflows,
            "gaps": self._daemon.gaps,
            "shed_partials": self._daemon.announcer.shed_partials,
            "yielded": self._daemon.announcer.arbiter.yielded,
            "refused_commands": self._desk.refused,
            "connects": self._link.connects,
            "unsent": self._link.dropped,
            "outbox": {
                "waiting": len(self._outbox),
                "dropped": self._outbox.dropped,
                "expired": self._outbox.expired,
                "healthy": self._outbox.healthy,
            },
            "recordings": self._daemon.recorder.saved,
            "stages": self._daemon.stages.to_fields(),
        }

    def _alive(self, now_s: float) -> bool:
        audio = self._config.audio
        silent_s = now_s - self._sound_s
        searching = self._daemon.source.condition in ("lost", "starting")
        hearing = silent_s <= (audio.give_up_s if searching else audio.stall_s + 2 * _TICK_S)
        return hearing and now_s - self._link.turned_s <= _NETWORK_S

    def _show(self) -> None:
        status = f"{self._daemon.state}; microphone {self._daemon.source.condition}; "
        status += f"broker {self._link.description}"
        if status != self._status:
            self._status = status
            self.notifier.status(status)
