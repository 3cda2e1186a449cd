"""Which of several sites answers a wake word that they all heard.

A site that wakes bids: it tells the others how sure it is and how far the word stood out of the
noise, and holds its events back for a short window. The best bid in the window wins; the others
drop their utterance. Sound is taken meanwhile, so that no word is lost and the transcript is not
late; alone, nothing is held back.

Clocks of sites differ, so only times of arrival count. A bid that comes when the window of an
earlier one is as good as over would be too late to be heard by it, and yields.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeGuard

from edgeasr.config_bridges import ArbitrationConfig
from edgeasr.events import Event, Wake
from edgeasr.mqtt_topics import Message, Topics, encode

__all__ = ["Arbiter", "Bid", "Held"]

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 1_000
_MOST_SITES = 256
_TRAVEL_S = 0.08  # allowed for a bid on its way
_SAME_WORD_S = 1.0  # a bid so long ago was for the same word
_DB_PER_SCORE = 40.0  # decibels that weigh as much as all of the score

Held = tuple[Event, str | None]
"""An event, and the id of the command that asked for it"""


@dataclass(frozen=True, kw_only=True)
class Bid:
    """What a site says of the wake word that it heard."""

    site: str
    score: float
    snr_db: float
    came_s: float
    """On our monotonic clock"""

    @property
    def rank(self) -> tuple[float, str]:
        """More wins; the site's name settles a draw."""
        return self.score + self.snr_db / _DB_PER_SCORE, self.site


@dataclass
class _Window:
    """Our own bid that is not yet decided."""

    bid: Bid
    session: str | None
    held: list[Held] = field(default_factory=list)


class Arbiter:
    """Holds events back while a bid is open. The network thread brings messages, the worker asks.

    `publish` sends a bid; `connected` tells whether others could hear one.
    """

    def __init__(
        self,
        config: ArbitrationConfig,
        topics: Topics,
        *,
        publish: Callable[[Message], None],
        connected: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._topics = topics
        self._publish = publish
        self._connected = connected
        self._clock = clock
        self._lock = threading.Lock()
        self._online: set[str] = set()
        self._bids: dict[str, Bid] = {}
        self._window: _Window | None = None
        self.yielded = 0
        """Wakes that another site answered"""

    @property
    def deciding(self) -> bool:
        """Whether a wake word is held back."""
        return self._window is not None

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The filters of what other sites say."""
        base = self._topics.base
        return (f"{base}/+/status", f"{base}/+/bid") if self._config.on else ()

    def message(self, topic: str, body: bytes) -> None:
        """Take a message of another site, whatever it holds. In the network thread."""
        base, _, rest = topic.rpartition(f"{self._topics.base}/")
        site, _, kind = rest.partition("/")
        if base or site == self._topics.site or kind not in ("status", "bid"):
            return
        with self._lock:
            if kind == "bid":
                bid = _read(site, body, self._clock())
                if bid is not None and (site in self._bids or len(self._bids) < _MOST_SITES):
                    self._bids[site] = bid
            elif body == b"online" and len(self._online) < _MOST_SITES:
                self._online.add(site)
            else:
                self._online.discard(site)

    def admit(self, events: Iterable[Held]) -> tuple[list[Held], str | None]:
        """Return the events that may be told now, and the session that another site has won.

        Its utterance has to be cancelled; its events are dropped here. To be called often.
        """
        told: list[Held] = []
        lost = self._decide(told)
        for event, request in events:
            if self._window is not None:
                self._window.held.append((event, request))
            elif not self._contends(event):
                told.append((event, request))
            else:
                self._window = self._bid(event, request)
                lost = event.session if self._window is None else lost
        if lost is not None:
            told = [held for held in told if held[0].session != lost]
        return told, lost

    def release(self) -> list[Held]:
        """Return what is held back, undecided: the daemon ends."""
        window, self._window = self._window, None
        return window.held if window is not None else []

    def _contends(self, event: Event) -> TypeGuard[Wake]:
        """Whether others may have heard the same; a command was meant for this site."""
        if not isinstance(event, Wake) or not event.word or not self._config.on:
            return False
        return bool(self._online) and self._connected()

    def _bid(self, event: Wake, request: str | None) -> _Window | None:
        """Open our own window and tell the others, or yield to an earlier bid: None."""
        now_s = self._clock()
        own = Bid(site=self._topics.site, score=event.score, snr_db=event.snr_db, came_s=now_s)
        decided_s = now_s - (self._config.window_s - _TRAVEL_S)
        for bid in self._recent(now_s):
            if bid.came_s <= decided_s or bid.rank > own.rank:
                self._yield_to(bid)
                return None
        fields = {"site": own.site, "word": event.word, "score": own.score, "snr_db": own.snr_db}
        self._publish(Message(topic=self._topics.bid, body=encode(fields), qos=0))
        return _Window(own, event.session, [(event, request)])

    def _decide(self, told: list[Held]) -> str | None:
        """Close our window when it is lost or over; return the session that was lost."""
        window, now_s = self._window, self._clock()
        if window is None:
            return None
        better = [bid for bid in self._recent(now_s) if bid.rank > window.bid.rank]
        if better:
            self._window = None
            told += [held for held in window.held if held[0].session != window.session]
            self._yield_to(better[0])
            return window.session
        if now_s - window.bid.came_s >= self._config.window_s:
            self._window = None
            told += window.held
        return None

    def _recent(self, now_s: float) -> list[Bid]:
        with self._lock:
            return [bid for bid in self._bids.values() if now_s - bid.came_s < _SAME_WORD_S]

    def _yield_to(self, bid: Bid) -> None:
        self.yielded += 1
        _LOG.info("the wake word was heard better by %s", bid.site)


def _read(site: str, body: bytes, came_s: float) -> Bid | None:
    """Return the bid in a message, None when it is none."""
    if len(body) > _MOST_BYTES:
        return None
    try:
        fields = json.loads(body)
        score, snr_db = float(fields["score"]), float(fields["snr_db"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if not (0.0 <= score <= 1.0 and 0.0 <= snr_db <= 100.0):
        return None
    return Bid(site=site, score=score, snr_db=snr_db, came_s=came_s)
