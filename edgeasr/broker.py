"""An MQTT broker inside the process, for trying edgeasr out where there is none.

It is amqtt (extra `demo`): MQTT 3.1.1, loopback only, nothing kept on disk.
"""

import asyncio
import logging
import socket
import threading
from importlib import import_module
from typing import Any

from edgeasr.errors import ConfigError

__all__ = ["EmbeddedBroker"]

_LOG = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_START_S = 10.0


class EmbeddedBroker:
    """Runs in the thread that calls `run`; `start` waits there until it listens."""

    def __init__(self, port: int = 0) -> None:
        """Choose a free port when `port` is 0. Raises ConfigError when amqtt is not installed."""
        try:
            self._amqtt: Any = import_module("amqtt.broker")
        except ImportError as error:
            raise ConfigError(
                "mqtt.host is empty and the embedded broker is not installed: set mqtt.host, or "
                "pip install 'edgeasr[demo]'"
            ) from error
        # amqtt tells much, and our own first try with MQTT 5 would look like an error.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.host = _HOST
        self.port = port or _free_port()
        self._listening = threading.Event()
        self._failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def run(self) -> None:
        """Serve until `stop`; the body of the broker's thread."""
        try:
            asyncio.run(self._serve())
        except Exception as error:  # handed to the thread that waits for it
            self._failure = error
            self._listening.set()

    def wait(self) -> None:
        """Wait until the broker listens. Raises ConfigError when it can not."""
        if not self._listening.wait(_START_S):
            raise ConfigError("the embedded broker does not start; set mqtt.host")
        if self._failure is not None:
            raise ConfigError(
                f"the embedded broker can not listen on {_HOST}:{self.port}: {self._failure}; "
                "set mqtt.port = 0 to take a free port"
            )

    def stop(self) -> None:
        """Let `run` return."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = self._amqtt.Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{_HOST}:{self.port}"}},
                "plugins": {
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
                },
            }
        )
        await broker.start()
        _LOG.info("embedded broker on %s:%d", _HOST, self.port)
        self._listening.set()
        await self._stop.wait()
        await broker.shutdown()


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as server:
        return int(server.getsockname()[1])
