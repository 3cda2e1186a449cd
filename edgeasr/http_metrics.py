"""The daemon's figures in Prometheus' text format (exposition format 0.0.4)."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Tally", "metrics_text"]

_BUCKETS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
_LATENCIES = {
    "wake": "From the end of the wake word to its detection, stream time",
    "transcript": "From the end of the last word to the transcript, stream time",
}

_PLAIN = (
    ("uptime_s", "uptime_seconds", "gauge", "Since the start"),
    ("cpu_s", "cpu_seconds_total", "counter", "Processor time of the process"),
    ("threads", "threads", "gauge", "Threads of the process"),
    ("stream_s", "stream_seconds", "gauge", "Sound heard since the microphone opened"),
    ("backlog_s", "backlog_seconds", "gauge", "Sound that waits for the processor"),
    ("dropped_blocks", "dropped_blocks_total", "counter", "Blocks of sound thrown away"),
    ("overflows", "overflows_total", "counter", "Losses that the sound device reported"),
    ("gaps", "gaps_total", "counter", "Holes in the sound"),
    ("shed_partials", "shed_partials_total", "counter", "Partials not sent for want of time"),
    ("refused_commands", "refused_commands_total", "counter", "Commands not carried out"),
    ("connects", "broker_connects_total", "counter", "Connections to the broker"),
    ("unsent", "unsent_messages_total", "counter", "Messages beside the outbox not sent"),
    ("recordings", "recordings_total", "counter", "Recordings the flight recorder saved"),
)
_OUTBOX = (
    ("waiting", "outbox_waiting", "gauge", "Results that wait for the broker"),
    ("dropped", "outbox_dropped_total", "counter", "Results dropped from a full outbox"),
    ("expired", "outbox_expired_total", "counter", "Results dropped for their age"),
    ("healthy", "outbox_healthy", "gauge", "Whether the outbox can be written"),
)


class Tally:
    """Counts events and their latencies."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self._buckets = {name: [0] * len(_BUCKETS_S) for name in _LATENCIES}
        self._sums = dict.fromkeys(_LATENCIES, 0.0)
        self._counts = dict.fromkeys(_LATENCIES, 0)

    def event(self, fields: Mapping[str, Any]) -> None:
        """Count an event in its JSON form."""
        name = str(fields.get("event"))
        self.events[name] = self.events.get(name, 0) + 1
        if name == "wake" and fields.get("word"):
            self._latency("wake", fields["latency_s"])
        if name == "transcript" and fields.get("words"):
            self._latency("transcript", fields["at_s"] - fields["end_s"])

    def lines(self) -> Iterator[str]:
        """Yield the counters and histograms."""
        yield from _head("events_total", "counter", "Events by name")
        for name, count in sorted(self.events.items()):
            yield f'edgeasr_events_total{{event="{_escaped(name)}"}} {count}'
        for name, told in _LATENCIES.items():
            metric = f"{name}_latency_seconds"
            yield from _head(metric, "histogram", told)
            for limit_s, count in zip(_BUCKETS_S, self._buckets[name], strict=True):
                yield f'edgeasr_{metric}_bucket{{le="{limit_s:g}"}} {count}'
            yield f'edgeasr_{metric}_bucket{{le="+Inf"}} {self._counts[name]}'
            yield f"edgeasr_{metric}_sum {self._sums[name]:.3f}"
            yield f"edgeasr_{metric}_count {self._counts[name]}"

    def _latency(self, name: str, seconds: float) -> None:
        self._sums[name] += seconds
        self._counts[name] += 1
        for place, limit_s in enumerate(_BUCKETS_S):
            self._buckets[name][place] += seconds <= limit_s


def metrics_text(status: Mapping[str, Any], tally: Tally) -> str:
    """Return all metrics; those of `status` are left out before it first came."""
    return "\n".join((*_status_lines(status), *tally.lines())) + "\n"


def _status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    if not status:
        return
    figures = status["metrics"]
    yield from _head("info", "gauge", "Version and site")
    version, site = _escaped(status["version"]), _escaped(status["site"])
    yield f'edgeasr_info{{version="{version}",site="{site}"}} 1'
    yield from _gauge("microphone_ok", status["microphone"] == "ok", "Whether sound comes")
    yield from _gauge("broker_connected", status["broker"] != "offline", "Whether MQTT is up")
    yield from _gauge("listening", status["state"] == "listening", "Whether a command is heard")
    yield from _gauge("muted", status["state"] == "muted", "Whether the microphone is closed")
    yield from _gauge("resident_memory_bytes", figures["rss_mb"] * 1e6, "Memory of the process")
    for key, name, kind, told in _PLAIN:
        yield from _head(name, kind, told)
        yield f"edgeasr_{name} {_number(figures[key])}"
    for key, name, kind, told in _OUTBOX:
        yield from _head(name, kind, told)
        yield f"edgeasr_{name} {_number(figures['outbox'][key])}"
    yield from _stage_lines(figures["stages"])
    yield from _head("wake_threshold", "gauge", "Score that wakes")
    for word, threshold in status["thresholds"].items():
        yield f'edgeasr_wake_threshold{{word="{_escaped(word)}"}} {_number(threshold)}'


def _stage_lines(stages: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for key, name, kind, told, scale in (
        ("total_s", "stage_seconds_total", "counter", "Time spent in a stage", 1.0),
        ("calls", "stage_calls_total", "counter", "Pieces of work done in a stage", 1.0),
        ("longest_ms", "stage_longest_seconds", "gauge", "The longest piece of work", 1e-3),
    ):
        yield from _head(name, kind, told)
        for stage, own in stages.items():
            yield f'edgeasr_{name}{{stage="{_escaped(stage)}"}} {_number(own[key] * scale)}'


def _gauge(name: str, value: float, told: str) -> Iterator[str]:
    yield from _head(name, "gauge", told)
    yield f"edgeasr_{name} {_number(value)}"


def _head(name: str, kind: str, told: str) -> Iterator[str]:
    yield f"# HELP edgeasr_{name} {told}"
    yield f"# TYPE edgeasr_{name} {kind}"


def _number(value: float) -> str:
    return f"{float(value):.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
