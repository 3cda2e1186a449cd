"""One MQTT 5 session of a worker: requests in, one at a time; answers out before they are settled.

A request is acknowledged only after the broker has the answer, so whoever dies in between leaves it
with the broker. The session outlives its connection; `edgeasr.worker` tells who takes it over.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgeasr.config import MqttConfig
from edgeasr.errors import ConfigError
from edgeasr.mqtt_connection import secure
from edgeasr.mqtt_topics import WorkerTopics, is_topic

__all__ = ["Request", "WorkerSession"]

_LOG = logging.getLogger(__name__)
_KEEP_S = 600  # the session waits this long for its worker or another
_ANSWER_EXPIRY_S = 300
_CLOSE_S = 2.0
_WINDOW = 1  # a second request would only wait here while another worker is idle


@dataclass(frozen=True, kw_only=True)
class Request:
    """An utterance to recognise."""

    session: "WorkerSession"
    topic: str
    payload: bytes
    mid: int
    connection: int
    """Counts the session's connections: a packet id means nothing in the next one"""
    reply_to: str
    correlation: bytes | None
    targets: tuple[str, ...] | None
    """Languages, from the user property `to`; None takes the configured ones"""
    came_s: float
    """Monotonic clock"""
    expires_s: float | None
    """Monotonic clock"""


class WorkerSession:
    """Connects on creation. Raises OSError or ConfigError."""

    def __init__(
        self,
        config: MqttConfig,
        topics: WorkerTopics,
        name: str,
        *,
        password: str | None,
        on_peer: Callable[[str, bytes], None] | None,
    ) -> None:
        """Take requests as `name`; without `on_peer` only those left behind by its worker."""
        self.name = name
        self.requests: deque[Request] = deque()
        self.open = False
        self.gone = False
        """Refused, taken over by somebody else, or lost"""
        self.lost = False
        """The connection of an adopted session broke; if others have it now, we don't know"""
        self.idle_since_s = time.monotonic()
        self._config = config
        self._topics = topics
        self._on_peer = on_peer
        self._answered: dict[int, Request] = {}
        self._retry_s = 0.0
        self._attempts = self._connection = 0
        self._client = self._make(password)
        self._connect()

    @property
    def busy(self) -> bool:
        """Whether a request waits, or an answer is not yet with the broker."""
        return bool(self.requests or self._answered)

    def turn(self, timeout_s: float) -> None:
        """Read and write; connect again when the connection was lost."""
        if self.gone:
            return
        if self._client.socket() is not None:
            if self._client.loop(timeout_s) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost()
        elif time.monotonic() < self._retry_s:
            time.sleep(min(timeout_s, 0.05))
        else:
            try:
                self._connect()
            except OSError as error:
                _LOG.info("no broker: %s", error)
                self._lost()

    def answer(self, request: Request, body: bytes) -> None:
        """Publish the answer, and settle the request once the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = _ANSWER_EXPIRY_S
        if request.correlation:
            properties.CorrelationData = request.correlation
        sent = self._client.publish(request.reply_to, body, qos=1, properties=properties)
        if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._answered[sent.mid] = request

    def drop(self, request: Request) -> None:
        """Settle a request; it needs no answer, or has it."""
        if request.connection == self._connection:
            self._client.ack(request.mid, 1)

    def stop_taking(self) -> None:
        """Take no new requests; those that the broker holds for us still come."""
        self.idle_since_s = time.monotonic()
        self._client.unsubscribe(self._topics.requests)

    def tell(self, status: str) -> None:
        """Publish our status, retained."""
        self._client.publish(self._topics.status(self.name), status, qos=1, retain=True)

    def close(self, *, finished: bool) -> None:
        """End the session when `finished`, else leave what is open, with our will, to others."""
        if self._client.socket() is None:
            return
        if not finished:
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=4))
            return
        self._client.unsubscribe(self._topics.peers)
        cleared = self._client.publish(self._topics.status(self.name), b"", qos=1, retain=True)
        until_s = time.monotonic() + _CLOSE_S
        # Closing a socket with something unread resets it: the broker would publish the will.
        while not cleared.is_published() and time.monotonic() < until_s:
            self._client.loop(0.05)
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)

    def _make(self, password: str | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"edgeasr-worker-{self.name}",
            protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True, reconnect_on_failure=False,
        )  # fmt: skip
        client.suppress_exceptions = True
        secure(client, self._config, password)
        client.will_set(self._topics.status(self.name), "offline", qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_publish = self._published
        return client

    def _connect(self) -> None:
        if not self._config.host:
            raise ConfigError("mqtt.host is empty: a worker needs the address of a broker")
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _KEEP_S
        properties.ReceiveMaximum = _WINDOW
        properties.MaximumPacketSize = self._config.max_audio_bytes + 100_000
        # What was read before is sent again by the broker, as it was not acknowledged.
        self._connection += 1
        self.requests.clear()
        self._answered.clear()
        self._client.connect(
            self._config.host, self._config.port, keepalive=self._config.keepalive_s,
            clean_start=False, properties=properties,
        )  # fmt: skip

    def _lost(self) -> None:
        self.open = False
        if self._on_peer is None:
            # Two who adopt the same session and both reconnect would take it in turns for ever.
            self.lost, self.gone = not self.gone, True
            return
        delay_s = min(self._config.retry_max_s, 2.0 ** min(self._attempts, 12))
        self._retry_s = time.monotonic() + delay_s * random.uniform(0.5, 1.0)  # noqa: S311
        self._attempts += 1

    def _connected(
        self, _c: Client, _u: object, _flags: ConnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure:
            _LOG.error("the broker refuses %s: %s; workers need MQTT 5", self.name, reason)
            self.gone = self._on_peer is None
            return
        self.open, self._attempts = True, 0
        self.idle_since_s = time.monotonic()
        if self._on_peer is None:
            self.tell("adopted")
            self.stop_taking()
            return
        self.tell("online")
        self._client.subscribe([(self._topics.requests, 1), (self._topics.peers, 0)])

    def _disconnected(
        self, _c: Client, _u: object, _flags: DisconnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        self.open = False
        if reason.value == 142:  # session taken over
            self.gone = self._on_peer is None
            _LOG.warning("another worker is called %s; give each its own --name", self.name)

    def _received(self, client: Client, _u: object, message: MQTTMessage) -> None:
        if not message.topic.endswith("/utterance"):
            client.ack(message.mid, message.qos)
            if self._on_peer is not None:
                self._on_peer(message.topic.rpartition("/")[2], bytes(message.payload))
            return
        self.idle_since_s = time.monotonic()
        self.requests.append(self._request(message))

    def _request(self, message: MQTTMessage) -> Request:
        properties: Any = message.properties
        expiry_s = getattr(properties, "MessageExpiryInterval", None)
        user = dict(getattr(properties, "UserProperty", ()))
        targets = user.get("to")
        languages = filter(None, dict.fromkeys((targets or "").split(",")))
        reply_to = getattr(properties, "ResponseTopic", "")
        now_s = time.monotonic()
        return Request(
            session=self,
            topic=message.topic,
            payload=bytes(message.payload),
            mid=message.mid,
            connection=self._connection,
            reply_to=reply_to if is_topic(reply_to) else f"{message.topic}/result",
            correlation=getattr(properties, "CorrelationData", None),
            targets=None if targets is None else tuple(languages),
            came_s=now_s,
            expires_s=None if expiry_s is None else now_s + expiry_s,
        )

    def _published(self, _c: Client, _u: object, mid: int, *_: object) -> None:
        request = self._answered.pop(mid, None)
        if request is not None:
            self.drop(request)
            self.idle_since_s = time.monotonic()
