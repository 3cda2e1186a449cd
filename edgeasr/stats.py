"""Figures about the running process: time in each stage, memory, processor time."""

import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Stage", "StageTimes", "memory_mb", "process_fields"]

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Stage:
    """The time that one kind of work took."""

    calls: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0


class StageTimes:
    """Wraps work from outside, so that the pipeline itself never sees a clock."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the time spent inside the block."""
        began_s = time.perf_counter()
        try:
            yield
        finally:
            took_s = time.perf_counter() - began_s
            stage = self._stages.setdefault(name, Stage())
            stage.calls += 1
            stage.total_s += took_s
            stage.longest_s = max(stage.longest_s, took_s)

    def to_fields(self) -> dict[str, Any]:
        """Return calls, total seconds and the longest in milliseconds, by stage."""
        return {
            name: {
                "calls": stage.calls,
                "total_s": round(stage.total_s, 3),
                "longest_ms": round(stage.longest_s * 1000, 1),
            }
            for name, stage in sorted(self._stages.items())
        }


def memory_mb() -> float:
    """Return the resident memory; where /proc is missing, its peak."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def process_fields() -> dict[str, Any]:
    """Return what the process uses."""
    return {
        "cpu_s": round(time.process_time(), 3),
        "rss_mb": round(memory_mb(), 1),
        "threads": threading.active_count(),
    }
