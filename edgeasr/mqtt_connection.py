"""One connection to the broker, from TCP to its end: paho's protocol engine without its thread.

The network thread owns it and drives it with `step`. paho's own loop is not used, because an
exception in a callback ends that thread while the client goes on to look connected, and because
a new client for each connection leaves no second, unbounded queue beside the outbox.
"""

import logging
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgeasr.config import MqttConfig
from edgeasr.errors import ConfigError
from edgeasr.mqtt_topics import Message

__all__ = ["Connection", "Incoming", "Protocol", "secure"]

_LOG = logging.getLogger(__name__)
_CONNECT_TIMEOUT_S = 5.0
_PATIENCE_S = 60.0  # for the answer to a subscription or message
_INFLIGHT = 16  # unacknowledged messages; Mosquitto takes 20 by default
_UNSUPPORTED_VERSION = (1, 132)  # CONNACK codes of MQTT 3.1.1 and MQTT 5

Protocol = MQTTProtocolVersion


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool
    reply_to: str | None = None
    """MQTT 5 response topic"""
    correlation: bytes | None = None


class Connection:
    """Connects on creation (raises OSError or ConfigError); `open` after the broker's consent."""

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        password: str | None,
        protocol: Protocol,
        will: Message,
        on_message: Callable[[Incoming], None],
    ) -> None:
        self.protocol = protocol
        self.open = False
        self.subscribed = False
        self.refusal: str | None = None
        """The broker's reason for a refusal"""
        self.version_refused = False
        self.acknowledged: list[int] = []
        """Message ids since the caller last cleared the list"""
        self._on_message = on_message
        self._unanswered: dict[int, float] = {}
        """Ids of messages and subscriptions, oldest first, with the time they were handed over"""
        self._window = _INFLIGHT
        self._began_s = self._misc_s = time.monotonic()
        self._client = self._make(config, client_id, password)
        self._client.will_set(will.topic, will.body, qos=will.qos, retain=will.retain)
        properties = None
        if protocol == Protocol.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = 4 * config.max_audio_bytes + 100_000
        self._client.connect(
            config.host, config.port, keepalive=config.keepalive_s, properties=properties
        )
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def closed(self) -> bool:
        """Whether the socket is gone, or the broker let us wait too long."""
        late = not self.open and time.monotonic() - self._began_s > _CONNECT_TIMEOUT_S
        return self._client.socket() is None or self.refusal is not None or late or self.silent

    @property
    def silent(self) -> bool:
        """Whether an answer is overdue, though the broker may still answer pings."""
        oldest_s = next(iter(self._unanswered.values()), None)
        return oldest_s is not None and time.monotonic() - oldest_s > _PATIENCE_S

    @property
    def ready(self) -> bool:
        """Whether one more message may be handed over now."""
        return self.open and len(self._unanswered) < self._window and not self._client.want_write()

    @property
    def settled(self) -> bool:
        """Whether everything handed over has been acknowledged."""
        return not self._unanswered and not self._client.want_write()

    def step(self, waker: socket.socket, timeout_s: float) -> None:
        """Wait for the socket, the waker or the time, then read, write and keep alive."""
        sock = self._client.socket()
        if sock is None:
            return
        writing = [sock] if self._client.want_write() else []
        # TLS may hold whole records that select does not see.
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            timeout_s = 0.0
        readable, writable, _ = select.select([sock, waker], writing, [], timeout_s)
        if waker in readable:
            waker.recv(4096)
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if sock in readable or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            code = self._client.loop_read()
        if writable and code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._client.loop_write()
        if time.monotonic() - self._misc_s >= 1.0:
            self._misc_s = time.monotonic()
            self._client.loop_misc()

    def subscribe(self, topics: list[str]) -> None:
        """Ask for the topics at QoS 1; `subscribed` tells when the broker has answered."""
        _, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if mid is not None:
            self._unanswered[mid] = time.monotonic()

    def publish(self, message: Message, *, expiry_s: float | None = None) -> int:
        """Hand over a message; return its id, which comes back in `acknowledged` at QoS 1."""
        properties = None
        if self.protocol == Protocol.MQTTv5 and (message.correlation or expiry_s is not None):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if message.correlation:
                properties.CorrelationData = message.correlation
            if expiry_s is not None:
                properties.MessageExpiryInterval = max(1, int(expiry_s))
        sent = self._client.publish(
            message.topic, message.body, message.qos, message.retain, properties
        )
        if message.qos:
            self._unanswered[sent.mid] = time.monotonic()
        return int(sent.mid)

    def disconnect(self) -> None:
        """Say good-bye and close."""
        self._client.disconnect()
        if self._client.socket() is not None:
            self._client.loop_write()

    def _make(self, config: MqttConfig, client_id: str, password: str | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self.protocol,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.suppress_exceptions = True
        secure(client, config, password)
        client.on_connect = self._connected
        client.on_subscribe = self._answered
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def _connected(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.refusal = str(reason)
            self.version_refused = reason.value in _UNSUPPORTED_VERSION
            return
        self._window = min(_INFLIGHT, getattr(properties, "ReceiveMaximum", _INFLIGHT))
        self.open = True

    def _answered(
        self, _client: Client, _userdata: object, mid: int, reasons: list[ReasonCode], *_: object
    ) -> None:
        self._unanswered.pop(mid, None)
        for reason in reasons:
            if reason.is_failure:
                _LOG.error("the broker refuses a subscription: %s; check its ACL", reason)
        self.subscribed = True

    def _published(
        self, _client: Client, _userdata: object, mid: int, reason: ReasonCode, *_: object
    ) -> None:
        self._unanswered.pop(mid, None)
        if reason.is_failure:
            _LOG.error("the broker refuses a message: %s; check its ACL", reason)
            return
        self.acknowledged.append(mid)

    def _received(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        properties: Any = message.properties
        self._on_message(
            Incoming(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                reply_to=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
            )
        )


def secure(client: Client, config: MqttConfig, password: str | None) -> None:
    """Give a client its user and TLS. Raises ConfigError when the files can not be used."""
    if config.username:
        client.username_pw_set(config.username, password)
    if config.tls or config.ca_file or config.cert_file:
        client.tls_set_context(_tls(config))


def _tls(config: MqttConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (config.ca_file, config.cert_file, config.key_file)))
        raise ConfigError(f"mqtt TLS files {files} can not be used: {error}") from error
    return context
