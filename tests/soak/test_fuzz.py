"""Mutated payloads, recordings and configurations against every parser.

EDGEASR_FUZZ_CASES is the number of cases in all, a million unless set. Each case must end within
a second of processor time, in a value or in an error raised on purpose; memory must not grow.
"""

import io
import json
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mqtt_help import report

from edgeasr.commands import COMMANDS, parse_command
from edgeasr.config import Config
from edgeasr.config_file import parse_config
from edgeasr.errors import EdgeasrError
from edgeasr.jobs import decode_message
from edgeasr.live import LIVE_KEYS, change, live_settings
from edgeasr.stats import memory_mb

pytestmark = pytest.mark.soak

CASES = int(os.environ.get("EDGEASR_FUZZ_CASES", "1000000"))
EXAMPLE = (Path(__file__).parents[2] / "deploy" / "edgeasr.toml").read_text(encoding="utf-8")
PAYLOADS = [
    b"", b"true", b'{"id": "a"}', b'{"on": false}', b'{"threshold": 0.5, "persist": true}',
    b'{"words": {"computer": {"on": true, "threshold": 0.4, "targets": ["fr"]}}}',
    b'{"text": "good morning", "to": ["fr", "de"]}', b'{"kind": "false_wake", "text": "no"}',
    b'{"hints": ["kitchen", "attic"], "end_silence_ms": 700, "beam": 3}',
]  # fmt: skip
SPICES = [
    b"\xff", b"\x00", b'"', b"{", b"[" * 99, b"9" * 20, b"\\u", b"\xf0\x9f", b"-1e999", b"null",
    b"\xff\xff\xff\xff",
]  # fmt: skip
FORMATS = [
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]  # fmt: skip


def mutate(rng: random.Random, seed: bytes, *, most: int = 6) -> bytes:
    """Flip, cut, repeat, splice and overwrite bytes."""
    data = bytearray(seed)
    for _ in range(rng.randrange(1, most)):
        kind = rng.randrange(5)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at : at + rng.randrange(1, 40)]
        elif kind == 2:
            data[at:at] = data[at : at + rng.randrange(1, 40)] * rng.randrange(1, 4)
        elif kind == 3:
            data[at:at] = rng.choice(SPICES)
        elif data:
            data[at % len(data)] = rng.randrange(256)
    return bytes(data)


def torment(name: str, cases: int, one) -> None:
    """Call `one(rng)` so often; it may raise EdgeasrError only."""
    rng, before_mb, refused, longest_s = random.Random(name), memory_mb(), 0, 0.0
    for number in range(cases):
        began_s = time.thread_time()
        try:
            one(rng)
        except EdgeasrError:
            refused += 1
        longest_s = max(longest_s, time.thread_time() - began_s)
        if number == cases // 10:
            before_mb = memory_mb()
    grown_mb = memory_mb() - before_mb
    report(f"{name}: {cases} cases, {refused} refused, longest {longest_s * 1000:.0f} ms, "
          f"memory {grown_mb:+.1f} MB")  # fmt: skip
    assert longest_s < 1.0
    assert grown_mb < 20


def test_command_payloads():
    def one(rng):
        payload = mutate(rng, rng.choice(PAYLOADS))
        parse_command(rng.choice(COMMANDS), payload, max_audio_bytes=10_000)

    torment("commands", CASES * 5 // 10, one)


def test_live_settings():
    live = live_settings(Config(), ("computer", "jarvis"))
    values = [0, 1, -1, 0.5, 1e300, True, None, "x", [], ["fr"], {}, {"computer": {}}, 10**30,
              {"computer": {"threshold": 2}}, {"jarvis": False}, ["a" * 300]]  # fmt: skip

    def one(rng):
        changes = {rng.choice(LIVE_KEYS): rng.choice(values) for _ in range(rng.randrange(4))}
        after = change(live, json.loads(json.dumps(changes)), ("fr", "de"))
        after.for_assistant()
        json.dumps(after.to_fields(), allow_nan=False)

    torment("settings", CASES * 2 // 10, one)


def test_configurations():
    lines = EXAMPLE.splitlines()

    def one(rng):
        start = rng.randrange(len(lines))
        seed = "\n".join(lines[start : start + rng.randrange(1, 12)])
        parse_config(mutate(rng, seed.encode()).decode("utf-8", errors="replace"))

    torment("configurations", CASES * 15 // 100, one)


def test_recordings():
    rng = np.random.default_rng(1)
    pcm = (rng.standard_normal(4000) * 3000).astype(np.int16)
    seeds = []
    for kind, subtype in FORMATS:
        file = io.BytesIO()
        soundfile.write(file, pcm, 16_000, format=kind, subtype=subtype)
        seeds.append(file.getvalue())

    def one(rng):
        body = mutate(rng, rng.choice(seeds))
        for part in decode_message(body):
            assert part.dtype == np.int16

    torment("recordings", CASES * 15 // 100, one)
