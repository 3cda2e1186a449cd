"""The daemon's parts, wired: who calls whom. No thread is started here."""

from collections.abc import Callable

from edgeasr.announcer import Announcer
from edgeasr.arbitration import Arbiter
from edgeasr.assistant import Assistant
from edgeasr.capture import Chunk, LiveSource
from edgeasr.config import Config
from edgeasr.daemon import Daemon
from edgeasr.desk import CommandDesk
from edgeasr.events import Event
from edgeasr.http_page import StatusPage
from edgeasr.live import LiveSettings
from edgeasr.loading import Models
from edgeasr.mqtt import LinkHandlers, MqttLink
from edgeasr.mqtt_connection import Incoming
from edgeasr.mqtt_source import MqttSource
from edgeasr.mqtt_topics import Topics
from edgeasr.outbox import Outbox
from edgeasr.parts import bridges_of
from edgeasr.publisher import Publisher
from edgeasr.recorder import FlightRecorder
from edgeasr.switchboard import Outlets, Switchboard
from edgeasr.watch import Watch

__all__ = ["Wiring"]


class Wiring:
    """Every part of one site."""

    def __init__(
        self,
        config: Config,
        *,
        models: Models,
        assistant: Assistant,
        live: LiveSettings,
        source: LiveSource,
        password: str | None,
    ) -> None:
        """Make the parts. Raises ConfigError when one of them can not be."""
        topics = Topics(config.mqtt.base, config.site.name)
        self.on_event: Callable[[Event], None] = lambda _event: None
        """Sees every event after it was published, in the worker"""
        self.outbox = Outbox(
            config.state.path() / "outbox.sqlite",
            limit=config.outbox.messages,
            expiry_s=config.outbox.expiry_s,
        )
        self.desk = CommandDesk(
            topics, max_audio_bytes=config.mqtt.max_audio_bytes, now_s=lambda: self.daemon.now_s
        )
        self.bridges = Switchboard(bridges_of(config, models, topics), self._outlets())
        self._arbiter = Arbiter(
            config.arbitration, topics,
            publish=lambda message: self.link.publish(message),  # noqa: PLW0108 - made later
            connected=lambda: self.link.connected,
        )  # fmt: skip
        self._remote = source if isinstance(source, MqttSource) else None
        self.link = MqttLink(
            config.mqtt, topics, password=password, outbox=self.outbox, handlers=self._handlers()
        )
        self.publisher = Publisher(topics, outbox=self.outbox, link=self.link, bridges=self.bridges)
        recorder = FlightRecorder(config.state.path() / "recordings", config.recorder)
        self.daemon = Daemon(
            config, assistant=assistant, models=models, source=source, live=live,
            announcer=Announcer(self.publisher, recorder, self._arbiter),
        )  # fmt: skip
        self.daemon.on_sound = self._heard
        self.daemon.announcer.on_event = self._happened
        self.watch = Watch(
            config, self.daemon, desk=self.desk, link=self.link, outbox=self.outbox,
            publisher=self.publisher,
        )  # fmt: skip
        self.page = StatusPage(
            config, lambda command: self.desk.submit(command, "status page", self.publisher),
            assistant=assistant, models=models, daemon=self.daemon, watch=self.watch,
        )  # fmt: skip

    def _outlets(self) -> Outlets:
        return Outlets(
            publish=lambda message: self.link.publish(message),  # noqa: PLW0108 - made later
            submit=lambda command, name: self.desk.submit(command, name, self.publisher),
            announce=lambda: self.link.publish_all(self.publisher.announcements()),
        )

    def _handlers(self) -> LinkHandlers:
        sound = (self._remote.topic,) if self._remote is not None else ()
        return LinkHandlers(
            on_message=self._received,
            announce=lambda: self.publisher.announcements(),  # noqa: PLW0108 - made later
            subscriptions=(*self.bridges.subscriptions, *self._arbiter.subscriptions, *sound),
        )

    def _heard(self, chunk: Chunk) -> None:
        self.bridges.sound(chunk.pcm)
        self.page.hear(chunk.pcm)

    def _happened(self, event: Event) -> None:
        self.page.event(event)
        self.on_event(event)

    def _received(self, message: Incoming) -> None:
        """Take a message, in the network thread."""
        if self._remote is not None and message.topic == self._remote.topic:
            self._remote.feed(message.payload)
            return
        self._arbiter.message(message.topic, message.payload)
        self.desk.offer(message, self.publisher)
        self.bridges.message(message.topic, message.payload, retained=message.retained)
