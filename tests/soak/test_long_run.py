"""Hours of audio at full speed through the shipped models: flat memory, the same events.

EDGEASR_SOAK_HOURS is the audio in all, 24 hours unless set.
"""

import os
import threading
import time

import numpy as np
import pytest
from mqtt_help import report

from edgeasr.assistant import Assistant
from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE
from edgeasr.stats import memory_mb

pytestmark = pytest.mark.soak

HOURS = float(os.environ.get("EDGEASR_SOAK_HOURS", "24"))
LAP_S = 600


def test_memory_is_flat_and_events_repeat(models, recordings):
    rng = np.random.default_rng(11)
    lap = (rng.standard_normal(LAP_S * SAMPLE_RATE) * 40).astype(np.int16)
    at = SAMPLE_RATE * 20
    for pcm in recordings.values():
        lap[at : at + len(pcm)] = pcm
        at += len(pcm) + SAMPLE_RATE * 60
    assistant = Assistant(models)
    first, after_warmup_mb, began_s = None, None, time.process_time()
    laps = max(2, round(HOURS * 3600 / LAP_S))
    for number in range(laps):
        heard = one_lap(assistant, lap)
        first = first or heard
        assert heard == first, f"lap {number} differs from the first"
        if number + 1 == max(1, min(6, laps // 2)):  # an hour of audio, or half of less
            after_warmup_mb = memory_mb()
    grown = memory_mb() / after_warmup_mb - 1
    cpu_s = time.process_time() - began_s
    report(f"{laps * LAP_S / 3600:.2f} h of audio in {cpu_s:.0f} s of processor time, "
          f"{len(first)} events a lap, memory {memory_mb():.1f} MB, {grown:+.2%} since the first "
          f"hour, {threading.active_count()} threads")  # fmt: skip
    assert grown <= 0.02
    assert threading.active_count() == 1
    assert any("transcript" in event for event in first)


def one_lap(assistant, lap):
    events = []
    for start in range(0, len(lap), BLOCK_SAMPLES):
        events += assistant.push(lap[start : start + BLOCK_SAMPLES])
    events += assistant.finish()
    shown = [event.to_fields() for event in events]
    for fields in shown:
        fields.pop("session")  # sessions go on counting
    return [str(fields) for fields in shown]
