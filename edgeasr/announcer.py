"""Tells events: to the broker, the journal, the flight recorder and whoever else listens."""

import logging
from collections.abc import Callable, Iterable

from edgeasr.arbitration import Arbiter, Held
from edgeasr.events import Event
from edgeasr.notify import summary
from edgeasr.publisher import Publisher
from edgeasr.recorder import FlightRecorder

__all__ = ["Announcer"]

_LOG = logging.getLogger("edgeasr.daemon")


class Announcer:
    """In order and in the worker's thread, after other sites had their say."""

    def __init__(self, publisher: Publisher, recorder: FlightRecorder, arbiter: Arbiter) -> None:
        self.publisher = publisher
        self.recorder = recorder
        self.arbiter = arbiter
        self.shed_partials = 0
        self.on_event: Callable[[Event], None] = lambda _event: None
        """Sees every event after it was published"""

    def tell(self, events: Iterable[Event], *, request: str | None, late: bool) -> str | None:
        """Tell events, or hold them back while sites decide who answers; none is also a call.

        When time is short (`late`), partials are the first to go. Return the session that another
        site answers, whose utterance has to be dropped.
        """
        kept: list[Held] = []
        for event in events:
            if late and event.NAME == "partial":
                self.shed_partials += 1
            else:
                kept.append((event, request))
        told, lost = self.arbiter.admit(kept)
        self._say(told)
        return lost

    def end(self) -> None:
        """Tell what is still held back."""
        self._say(self.arbiter.release())

    def _say(self, told: list[Held]) -> None:
        for event, request in told:
            self.publisher.event(event, request=request)
            if event.NAME != "partial":
                _LOG.info("%s %s", event.NAME, summary(event), extra={"event": event.to_fields()})
            self.recorder.event(event)
            self.on_event(event)
