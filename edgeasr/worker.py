"""Recognises and translates whole utterances of many sites, as one of a group of workers.

The broker spreads the requests (MQTT 5 shared subscription). When a worker dies, its last will
tells the others, and one of them takes its session over: what it had not answered is answered.
No thread: the network is served between the steps of a recognition.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeasr.config import MqttConfig
from edgeasr.errors import ConfigError, EdgeasrError
from edgeasr.events import Event, NoSpeech, Transcript, Translation
from edgeasr.jobs import recording_job
from edgeasr.mqtt_topics import WorkerTopics, encode
from edgeasr.recogniser import Recogniser
from edgeasr.settings import Settings
from edgeasr.translation import translation_event
from edgeasr.translator import Translator
from edgeasr.worker_session import Request, WorkerSession

__all__ = ["Service", "Worker"]

_LOG = logging.getLogger(__name__)
_ADOPT_S = (0.3, 1.5)  # a random wait, so that one of many takes over
_ADOPT_AGAIN_S = (4.0, 8.0)  # longer than another one needs to end an empty session
_QUIET_S = 1.0  # without a request after which a session counts as empty
_LEAVE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a worker does with a recording."""

    recogniser: Recogniser
    translators: Mapping[str, Translator]
    settings: Settings
    max_audio_bytes: int

    def steps(self, request: Request) -> Iterator[Iterable[Event]]:
        """Recognise in steps, then translate. Raises AudioError, ConfigError and TextError."""
        if len(request.payload) > self.max_audio_bytes:
            raise ConfigError(
                f"the body has {len(request.payload)} bytes; at most {self.max_audio_bytes}"
            )
        targets = self.settings.targets if request.targets is None else request.targets
        for target in targets:
            if target not in self.translators:
                known = ", ".join(sorted(self.translators)) or "none"
                raise ConfigError(f"no translator to {target[:20]!r} is loaded; there are: {known}")
        return recording_job(
            request.payload,
            self.recogniser,
            settings=replace(self.settings, targets=targets),
            translate=self._translate,
            session="",
        )

    def _translate(self, text: str, target: str) -> Translation:
        translator = self.translators[target]
        result = translator.translate(text, beam=self.settings.beam)
        return translation_event(result, text, (translator.source_language, target), at_s=0.0)


class _Job:
    """One request being worked on."""

    def __init__(self, request: Request, service: Service) -> None:
        self.request = request
        self._service = service
        self._steps: Iterator[Iterable[Event]] | None = None
        self._began_s, self._cpu_s = time.monotonic(), time.process_time()
        self._fields: dict[str, Any] = {"ok": True, "text": "", "translations": {}}

    def step(self) -> dict[str, Any] | None:
        """Work a little; return the answer when it is complete."""
        try:
            if self._steps is None:
                self._steps = self._service.steps(self.request)
            events = next(self._steps, None)
        except EdgeasrError as error:
            return {"ok": False, "message": str(error)}
        except Exception as error:
            _LOG.exception("a request on %s failed", self.request.topic)
            return {"ok": False, "message": f"{type(error).__name__}: {error}"}
        if events is None:
            return self._fields | {
                "cpu_s": round(time.process_time() - self._cpu_s, 3),
                "waited_s": round(self._began_s - self.request.came_s, 3),
                "took_s": round(time.monotonic() - self._began_s, 3),
            }
        for event in events:
            self._take(event)
        return None

    def _take(self, event: Event) -> None:
        fields = event.to_fields()
        match event:
            case Transcript():
                keys = ("text", "display", "confidence", "words")
                self._fields |= {key: fields[key] for key in keys}
                self._fields["audio_s"] = fields["at_s"]
            case Translation():
                self._fields["translations"][event.language] = event.text
            case NoSpeech():
                self._fields |= {"reason": event.reason, "audio_s": fields["at_s"]}


class Worker:
    """A member of the group; `run` returns when `stopped` says so."""

    def __init__(
        self,
        service: Service,
        config: MqttConfig,
        *,
        name: str,
        group: str,
        password: str | None,
    ) -> None:
        """Connect. Raises OSError when the broker can not be reached, and ConfigError."""
        self._service = service
        self._config = config
        self._name = name
        self._topics = WorkerTopics(base=config.base, group=group)
        self._password = password
        self._wills: dict[str, float] = {}
        self._job: _Job | None = None
        self._own = self._session(name, on_peer=self._peer)
        self._adopted: WorkerSession | None = None
        self.answered = 0
        self.expired = 0

    def run(self, stopped: Callable[[], bool]) -> None:
        """Serve until told to stop, then finish what the broker holds for us."""
        while not stopped():
            self._turn()
        _LOG.info("stopping: %d answered, %d expired", self.answered, self.expired)
        self._own.stop_taking()
        until_s = time.monotonic() + _LEAVE_S
        while self._job or not self._is_empty(self._own):
            if time.monotonic() > until_s:
                break
            self._turn()
        self._own.close(finished=not self._own.busy and self._job is None)
        if self._adopted is not None:
            self._adopted.close(finished=False)

    def _turn(self) -> None:
        self._own.turn(0.0 if self._job else 0.05)
        if self._adopted is not None:
            self._adopted.turn(0.0 if self._job else 0.01)
            self._release(self._adopted)
        self._adopt()
        self._work()

    def _work(self) -> None:
        if self._job is None:
            request = self._next()
            if request is None:
                return
            self._job = _Job(request, self._service)
        answer = self._job.step()
        if answer is None:
            return
        request, self._job = self._job.request, None
        site = request.topic.split("/")[-2]
        body = encode({"site": site, "worker": self._name, **answer})
        request.session.answer(request, body)
        self.answered += 1
        _LOG.info("%s: %s", request.topic, answer.get("text", answer.get("message", "")))

    def _next(self) -> Request | None:
        """Return a request that is still wanted."""
        for session in filter(None, (self._adopted, self._own)):
            while session.requests:
                request = session.requests.popleft()
                if request.expires_s is None or time.monotonic() < request.expires_s:
                    return request
                session.drop(request)
                self.expired += 1
        return None

    def _peer(self, name: str, status: bytes) -> None:
        """Note who died; forget those who are back or looked after."""
        if status == b"offline" and name != self._name:
            self._plan(name, _ADOPT_S)
        else:
            self._wills.pop(name, None)

    def _plan(self, name: str, wait_s: tuple[float, float]) -> None:
        self._wills[name] = time.monotonic() + random.uniform(*wait_s)  # noqa: S311

    def _adopt(self) -> None:
        """Take over the session of a worker that died, one at a time."""
        due = [name for name, due_s in self._wills.items() if time.monotonic() >= due_s]
        if not due or self._adopted is not None:
            return
        name = due[0]
        del self._wills[name]
        try:
            self._adopted = self._session(name, on_peer=None)
            _LOG.warning("worker %s died: answering what it left", name)
        except OSError as error:
            _LOG.info("worker %s can not be replaced yet: %s", name, error)
            self._plan(name, _ADOPT_AGAIN_S)

    def _release(self, session: WorkerSession) -> None:
        """End an adopted session when it is empty; leave one that its own worker took back."""
        if session.gone:
            self._adopted = None
            if session.lost:
                self._plan(session.name, _ADOPT_AGAIN_S)
            return
        at_work = self._job is not None and self._job.request.session is session
        if self._is_empty(session) and not at_work:
            session.close(finished=True)
            self._adopted = None

    def _is_empty(self, session: WorkerSession) -> bool:
        quiet = time.monotonic() - session.idle_since_s > _QUIET_S
        return session.gone or (session.open and not session.busy and quiet)

    def _session(
        self, name: str, *, on_peer: Callable[[str, bytes], None] | None
    ) -> WorkerSession:
        return WorkerSession(
            self._config, self._topics, name, password=self._password, on_peer=on_peer
        )
