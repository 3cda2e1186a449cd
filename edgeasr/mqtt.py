"""The link to the broker: connects for ever, announces itself, sends results, takes commands.

Everything here runs in the network thread, apart from `publish`, `wake` and `stop`, which any
thread may call. Results that must arrive come from the outbox; the rest is sent when connected
and else forgotten.
"""

import logging
import random
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edgeasr.config import MqttConfig
from edgeasr.errors import ConfigError
from edgeasr.mqtt_connection import Connection, Incoming, Protocol
from edgeasr.mqtt_topics import Message, Topics
from edgeasr.outbox import Outbox

__all__ = ["LinkHandlers", "MqttLink"]

_LOG = logging.getLogger(__name__)
_QUEUE = 500  # messages beside the outbox: partials, states, answers
_GOODBYE_S = 2.0
_STABLE_S = 10.0  # a connection that lived this long resets the back-off


@dataclass(frozen=True, kw_only=True)
class LinkHandlers:
    """What the link calls, in the network thread."""

    on_message: Callable[[Incoming], None]
    announce: Callable[[], list[Message]]
    """What to publish at each connect: the retained states"""
    subscriptions: tuple[str, ...] = ()
    """Topic filters beside the commands"""


class MqttLink:
    """Keeps one connection to the broker alive."""

    def __init__(
        self,
        config: MqttConfig,
        topics: Topics,
        *,
        password: str | None,
        outbox: Outbox,
        handlers: LinkHandlers,
    ) -> None:
        self._config = config
        self._topics = topics
        self._password = password
        self._outbox = outbox
        self._handlers = handlers
        self._client_id = f"edgeasr-{topics.site}-{secrets.token_hex(4)}"
        self._queue: deque[Message] = deque(maxlen=_QUEUE)
        self._stopping = threading.Event()
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.settimeout(0.0)
        self._protocol = Protocol.MQTTv311 if config.protocol == "3.1.1" else Protocol.MQTTv5
        self._sent = 0
        self._waiting: dict[int, int] = {}
        self.connected = False
        self.turned_s = time.monotonic()
        """When the network thread last came round, or will after a pause; monotonic clock"""
        self.connects = 0
        """Successful connections since the start"""
        self.dropped = 0
        """Messages beside the outbox that were not sent"""

    @property
    def description(self) -> str:
        """The broker's state in words."""
        if not self.connected:
            return "offline"
        return "mqtt 5" if self._protocol == Protocol.MQTTv5 else "mqtt 3.1.1"

    def publish(self, message: Message) -> None:
        """Send when connected, else forget; results that must arrive go to the outbox."""
        if not self.connected or len(self._queue) == _QUEUE:
            self.dropped += 1
            if not self.connected:
                return
        self._queue.append(message)
        self.wake()

    def publish_all(self, messages: Iterable[Message]) -> None:
        """Send several."""
        for message in messages:
            self.publish(message)

    def wake(self) -> None:
        """Make the network thread look at the outbox and the queue now."""
        try:
            self._writer.send(b"w")
        except (BlockingIOError, OSError):
            return  # it is awake already, or gone

    def stop(self) -> None:
        """Let `run` say good-bye and return."""
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        """Stay connected until `stop`; the body of the network thread."""
        attempts = 0
        while not self._stopping.is_set():
            self.turned_s = began_s = time.monotonic()
            self._session()
            if time.monotonic() - began_s > _STABLE_S:
                attempts = 0
            if not self._stopping.is_set():
                delay_s = self._delay_s(attempts)
                self.turned_s = time.monotonic() + delay_s  # a pause, however long, is no freeze
                self._stopping.wait(delay_s)
                attempts += 1
        self._reader.close()
        self._writer.close()

    def _delay_s(self, attempts: int) -> float:
        """Full jitter over a doubling delay, so that many sites do not come back as one."""
        ceiling_s = min(self._config.retry_max_s, 2.0 ** min(attempts, 12))
        return ceiling_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _session(self) -> None:
        connection = None
        try:
            connection = self._connect()
            if connection is not None:
                self._serve(connection)
        except (OSError, ConfigError) as error:
            _LOG.info("no broker at %s:%s: %s", self._config.host, self._config.port, error)
        except Exception:
            _LOG.exception("the MQTT link failed; it connects again")
        finally:
            was, self.connected = self.connected, False
            self._queue.clear()
            if connection is not None:
                connection.disconnect()
            if was and not self._stopping.is_set():
                _LOG.warning("the broker is gone")

    def _connect(self) -> Connection | None:
        """Return an open, subscribed connection; tries the older protocol when told to."""
        versions = [self._protocol]
        if self._config.protocol == "auto" and self._protocol == Protocol.MQTTv5:
            versions.append(Protocol.MQTTv311)
        for protocol in versions:
            connection = self._open(protocol)
            if connection.open:
                self._protocol = protocol
                return connection
            connection.disconnect()
            reason = connection.refusal or "no answer to CONNECT"
            _LOG.log(
                logging.DEBUG if connection.version_refused else logging.WARNING,
                "the broker refuses %s: %s", protocol.name, reason,
            )  # fmt: skip
            if connection.refusal and not connection.version_refused:
                return None
        return None

    def _open(self, protocol: Protocol) -> Connection:
        connection = Connection(
            self._config,
            client_id=self._client_id,
            password=self._password,
            protocol=protocol,
            will=self._status("offline"),
            on_message=self._received,
        )
        while not connection.open and not connection.closed and not self._stopping.is_set():
            connection.step(self._reader, 0.2)
        return connection

    def _serve(self, connection: Connection) -> None:
        own = (self._topics.commands, self._topics.status)
        connection.subscribe([*own, *self._handlers.subscriptions])
        while not (connection.subscribed or connection.closed or self._stopping.is_set()):
            connection.step(self._reader, 0.2)
        self._sent = 0
        self._waiting.clear()
        connection.acknowledged.clear()
        connection.publish(self._status("online"))
        self.connected = True
        self.connects += 1
        _LOG.info("connected to %s:%d, %s", self._config.host, self._config.port, self.description)
        self._queue.extend(self._handlers.announce())
        while not connection.closed and not self._stopping.is_set():
            self.turned_s = time.monotonic()
            self._flush(connection)
            connection.step(self._reader, 1.0)
            self._settle(connection)
        if connection.silent:
            _LOG.warning("the broker does not answer; connecting again")
        self._goodbye(connection)

    def _flush(self, connection: Connection) -> None:
        while connection.ready and self._queue:
            connection.publish(self._queue.popleft())
        for row in self._outbox.pending(after=self._sent, limit=16) if connection.ready else ():
            if not connection.ready:
                return
            message = Message(topic=row.topic, body=self._outbox.wire(row))
            mid = connection.publish(message, expiry_s=self._outbox.left_s(row))
            self._waiting[mid] = row.seq
            self._sent = row.seq

    def _settle(self, connection: Connection) -> None:
        found = [self._waiting.pop(mid, None) for mid in connection.acknowledged]
        connection.acknowledged.clear()
        seqs = [seq for seq in found if seq is not None]
        if seqs:
            self._outbox.done(*seqs)

    def _goodbye(self, connection: Connection) -> None:
        """Send what can still be sent, then `offline`, since a clean end suppresses the will."""
        until_s = time.monotonic() + _GOODBYE_S
        said = False
        while not connection.closed and time.monotonic() < until_s:
            self._flush(connection)
            if not said and connection.settled and not self._queue:
                connection.publish(self._status("offline"))
                said = True
            elif said and connection.settled:
                return
            connection.step(self._reader, 0.05)
            self._settle(connection)

    def _received(self, message: Incoming) -> None:
        try:
            if message.topic == self._topics.status:
                # The will of a connection that died unnoticed may arrive after our `online`.
                if message.payload != b"online" and not self._stopping.is_set():
                    self._queue.append(self._status("online"))
                return
            self._handlers.on_message(message)
        except Exception:
            _LOG.exception("a message on %s could not be taken", message.topic)

    def _status(self, status: str) -> Message:
        return Message(topic=self._topics.status, body=status.encode(), retain=True)
