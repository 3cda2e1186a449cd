"""Starts and ends the daemon: the only module that makes threads and takes signals.

Three threads work beside the main one, which waits for signals: PortAudio's (inside sounddevice),
the worker (sound, models, commands) and the network (MQTT). A fourth serves the embedded broker
when no other is configured, a fifth the status page when that is asked for.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr.assistant import Assistant
from edgeasr.broker import EmbeddedBroker
from edgeasr.capture import LiveSource
from edgeasr.config import Config
from edgeasr.config_file import load_config, mqtt_password
from edgeasr.errors import EdgeasrError
from edgeasr.events import Event
from edgeasr.loading import Models
from edgeasr.mqtt_topics import Topics
from edgeasr.notify import log_for_journal
from edgeasr.parts import live_of, models_of, source_of, wake_of
from edgeasr.signals import signals_caught, wait_for_end
from edgeasr.wiring import Wiring

__all__ = ["Hooks", "run"]

_LOG = logging.getLogger(__name__)
_JOIN_S = 10.0
_WAIT_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a caller of `run` may want to know."""

    on_broker: Callable[[str, int], None] = lambda _host, _port: None
    """The broker's address, before anything is sent; in the main thread"""
    on_event: Callable[[Event], None] = lambda _event: None
    """Every event after it was published; in the worker"""


def run(
    config: Config,
    *,
    path: Path | None = None,
    source: LiveSource | None = None,
    hooks: Hooks | None = None,
    wait_for_broker_s: float = 0.0,
) -> int:
    """Run until a signal, or until the sound ends; return the exit status.

    `path` is what SIGHUP reads again. `source` replaces the configured one. Sound is not taken
    before the broker is connected or `wait_for_broker_s` have passed.
    Raises ConfigError and BundleError before anything has started.
    """
    hooks = hooks or Hooks()
    log_for_journal(config.system.log_level, site=config.site.name)
    password = mqtt_password(config.mqtt)
    models = models_of(config)
    live = live_of(config, models)
    topics = Topics(config.mqtt.base, config.site.name)
    source = source or source_of(config.audio, topic=topics.audio)
    with _broker(config) as reachable:
        hooks.on_broker(reachable.mqtt.host, reachable.mqtt.port)
        assistant = Assistant(
            models, live.for_assistant(), session_prefix=f"{os.getpid():x}{int(time.time()):x}-"
        )
        parts = Wiring(
            reachable, models=models, assistant=assistant, live=live, source=source,
            password=password,
        )  # fmt: skip
        parts.on_event = hooks.on_event
        return _Service(reachable, models, parts).run(path, wait_for_broker_s)


class _Service:
    """The parts with their threads."""

    def __init__(self, config: Config, models: Models, parts: Wiring) -> None:
        self._config = config
        self._models = models
        self._parts = parts
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._status = 0

    def run(self, path: Path | None, wait_for_broker_s: float) -> int:
        """Start the threads, wait for the end, and leave in order."""
        network = threading.Thread(target=self._parts.link.run, name="network", daemon=True)
        worker = threading.Thread(
            target=self._work, args=(path, wait_for_broker_s), name="worker", daemon=True
        )
        page = threading.Thread(target=self._parts.page.run, name="page", daemon=True)
        with signals_caught() as received:
            network.start()
            worker.start()
            page.start()
            wait_for_end(received, self._stop, self._reload)
            self._parts.watch.notifier.stopping()
            worker.join(_JOIN_S)
            self._parts.link.stop()
            network.join(_JOIN_S)
            self._parts.page.stop()
            page.join(_JOIN_S)
        if worker.is_alive():
            _LOG.error("the worker does not end; leaving without it")
            return 1
        self._parts.outbox.close()
        return self._status

    def _work(self, path: Path | None, wait_for_broker_s: float) -> None:
        parts, daemon = self._parts, self._parts.daemon
        try:
            self._wait_for_broker(wait_for_broker_s)
            daemon.begin()
            while not self._stop.is_set() and daemon.step(self._patience_s()):
                if not daemon.overloaded:
                    parts.desk.serve(daemon, parts.publisher)
                parts.watch.tick()
                parts.bridges.tick()
                parts.page.tick(parts.link.description)
                if self._reload.is_set():
                    self._reload.clear()
                    self._read_again(path)
            while parts.desk.busy and not self._stop.is_set():
                parts.desk.serve(daemon, parts.publisher)
            daemon.end()
            if daemon.source.condition == "ended" and not daemon.chunks:
                _LOG.error("no sound: %s", daemon.source.detail)
                self._status = 1
        except Exception:
            _LOG.exception("the worker failed")
            self._status = 1
        finally:
            self._stop.set()

    def _patience_s(self) -> float:
        """How long to wait for sound: commands wait no longer than this."""
        return 0.0 if self._parts.desk.busy else _WAIT_S

    def _wait_for_broker(self, seconds: float) -> None:
        until_s, link = time.monotonic() + seconds, self._parts.link
        while not link.connected and time.monotonic() < until_s and not self._stop.is_set():
            time.sleep(0.01)

    def _read_again(self, path: Path | None) -> None:
        """Take live settings and trigger of a changed configuration; the rest needs a restart."""
        notifier, models = self._parts.watch.notifier, self._models
        notifier.reloading()
        before = models.wake
        try:
            config = load_config(path) if path is not None else self._config
            config = replace(config, state=self._config.state)
            models.wake = wake_of(config, models.recogniser)
            self._parts.daemon.reload(live_of(config, models))
            if models.wake.thresholds != before.thresholds:
                self._parts.bridges.words(models.wake.thresholds)
            _LOG.info("configuration read again")
        except EdgeasrError as error:
            models.wake = before
            _LOG.error("the configuration stays as it was: %s", error)
            self._parts.publisher.error("configuration", str(error), at_s=self._parts.daemon.now_s)
        notifier.ready()


@contextmanager
def _broker(config: Config) -> Iterator[Config]:
    """Give the configuration with a broker's address, an embedded one's when none is set."""
    if config.mqtt.host:
        yield config
        return
    broker = EmbeddedBroker(config.mqtt.port if config.mqtt.port != 1883 else 0)
    thread = threading.Thread(target=broker.run, name="broker", daemon=True)
    thread.start()
    try:
        broker.wait()
        mqtt = replace(config.mqtt, host=broker.host, port=broker.port, protocol="3.1.1")
        yield replace(config, mqtt=mqtt)
    finally:
        broker.stop()
        thread.join(_JOIN_S)
