"""Hours of audio at full speed through the shipped models: flat memory, the same events.

EDGEASR_SOAK_HOURS is the audio in all, 24 hours unless set.
"""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from mqtt_help import report

from edgeasr.assistant import Assistant
from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE
from edgeasr.memory import trim_heap
from edgeasr.stats import memory_mb

pytestmark = pytest.mark.soak

HOURS = float(os.environ.get("EDGEASR_SOAK_HOURS", "24"))
LAP_S = 600
LAPS_AN_HOUR = 3600 // LAP_S


def test_memory_is_flat_and_events_repeat(models, recordings):
    rng = np.random.default_rng(11)
    lap = (rng.standard_normal(LAP_S * SAMPLE_RATE) * 40).astype(np.int16)
    at = SAMPLE_RATE * 20
    for pcm in recordings.values():
        lap[at : at + len(pcm)] = pcm
        at += len(pcm) + SAMPLE_RATE * 60
    assistant, threads = Assistant(models), tasks()
    first, sizes, began_s = None, [], time.process_time()
    laps = max(2, round(HOURS * 3600 / LAP_S))
    warm = min(LAPS_AN_HOUR, laps // 2)  # an hour of audio, or half of less
    for number in range(1, laps + 1):
        heard = one_lap(assistant, lap)
        first = first or heard
        assert heard == first, f"lap {number} differs from the first"
        trim_heap()  # as the daemon does after each utterance
        sizes.append((memory_mb(), anonymous_mb()))
        if number % LAPS_AN_HOUR == 0 or number == laps:
            resident, anonymous = (
                now / then - 1 for now, then in zip(sizes[-1], sizes[warm - 1], strict=True)
            )
            report(f"{number * LAP_S / 3600:.2f} h of audio in {time.process_time() - began_s:.0f} "
                   f"s of processor time, {len(first)} events a lap, memory {sizes[-1][0]:.1f} MB "
                   f"({resident:+.2%}), anonymous {sizes[-1][1]:.1f} MB ({anonymous:+.2%}), "
                   f"{threading.active_count()} threads of Python, {tasks()} in all")  # fmt: skip
            assert threading.active_count() == 1
            assert tasks() == threads
    assert resident <= 0.02
    assert anonymous <= 0.02
    assert any("transcript" in event for event in first)


def anonymous_mb():
    """Return the memory that no file backs: the kernel may take the rest away, this not."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines()
                if one.startswith("RssAnon"))  # fmt: skip
    return int(line.split()[1]) * 1024 / 1e6


def tasks():
    """Return the number of the process's threads, those of libraries too."""
    return len(list(Path("/proc/self/task").iterdir()))


def one_lap(assistant, lap):
    events = []
    for start in range(0, len(lap), BLOCK_SAMPLES):
        events += assistant.push(lap[start : start + BLOCK_SAMPLES])
    events += assistant.finish()
    shown = [event.to_fields() for event in events]
    for fields in shown:
        fields.pop("session")  # sessions go on counting
    return [str(fields) for fields in shown]
