"""Coverage-guided fuzzing of every parser that strangers reach: `make fuzz`, with its own venv.

    PYTHONPATH=tests python tests/soak/guided.py PARSER -runs=200000    (libFuzzer's options)

An exception that is not an EdgeasrError, a case of more than a second or a process of more than
1 GB ends the run with the case in a file.
"""

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris
import numpy as np
import soundfile
from numpy.typing import NDArray

with atheris.instrument_imports(
    include=[
        "json", "tomllib", "edgeasr.arbitration", "edgeasr.commands", "edgeasr.config_file",
        "edgeasr.config_limits", "edgeasr.containers", "edgeasr.hermes_audio", "edgeasr.jobs",
        "edgeasr.live", "edgeasr.mqtt_source", "edgeasr.sources", "edgeasr.wyoming_audio",
    ],
):  # fmt: skip
    import json

    import test_fuzz

    from edgeasr.arbitration import Arbiter
    from edgeasr.commands import COMMANDS, parse_command
    from edgeasr.config import ArbitrationConfig, Config
    from edgeasr.config_file import parse_config
    from edgeasr.errors import EdgeasrError
    from edgeasr.jobs import decode_message
    from edgeasr.live import change, live_settings
    from edgeasr.mqtt_source import MqttSource
    from edgeasr.mqtt_topics import Topics

LIVE = live_settings(Config(), ("computer", "jarvis"))
ARBITER = Arbiter(
    ArbitrationConfig(), Topics("edgeasr", "den"), publish=print, connected=lambda: True
)
SOURCE = MqttSource("edgeasr/den/audio", queue_s=1.0, stall_s=1.0)


def commands(data: bytes) -> None:
    """Take the command from the first byte, its payload from the rest."""
    name = COMMANDS[data[0] % len(COMMANDS)] if data else COMMANDS[0]
    parse_command(name, data[1:], max_audio_bytes=10_000)


def settings(data: bytes) -> None:
    """Take a JSON object as the changes of `command/set`."""
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(changes, dict):
        after = change(LIVE, changes, ("fr", "de"))
        after.for_assistant()
        json.dumps(after.to_fields(), allow_nan=False)


def configurations(data: bytes) -> None:
    """Take a configuration."""
    parse_config(data.decode("utf-8", errors="replace"))


def recordings(data: bytes) -> None:
    """Take the body of `command/transcribe`."""
    for _ in decode_message(data):
        pass


def frames(data: bytes) -> None:
    """Take a message of sound."""
    SOURCE.feed(data)
    SOURCE.read(0.0)


def bids(data: bytes) -> None:
    """Take another site's bid, or its status."""
    ARBITER.message("edgeasr/attic/bid" if data[:1] != b"s" else "edgeasr/attic/status", data)


def seeds(parser: str) -> list[bytes]:
    """Return what is understood, to begin with."""
    pcm = np.arange(-400, 400, dtype=np.int16)
    sounds = [_encoded(pcm, kind, subtype) for kind, subtype in test_fuzz.FORMATS]
    sections = test_fuzz.EXAMPLE.split("\n\n")
    known = {
        "commands": [bytes([number]) + payload for number in range(len(COMMANDS))
                     for payload in test_fuzz.PAYLOADS],
        "settings": test_fuzz.PAYLOADS,
        "configurations": [section.encode() for section in sections],
        "recordings": sounds,
        "frames": [*sounds, pcm.tobytes()],
        "bids": [b'{"site": "attic", "word": "computer", "score": 0.9, "snr_db": 21.5}', b"s"],
    }  # fmt: skip
    return known[parser]


def _encoded(pcm: NDArray[np.int16], kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, 16_000, format=kind, subtype=subtype)
    return file.getvalue()


PARSERS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (commands, settings, configurations, recordings, frames, bids)
}


def main() -> None:
    """Fuzz the parser that is named first."""
    name = sys.argv.pop(1)
    parser = PARSERS[name]

    def one(data: bytes) -> None:
        with contextlib.suppress(EdgeasrError):
            parser(data)

    limits = ["-timeout=1", "-rss_limit_mb=1000", "-max_len=4096", "-print_final_stats=1"]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds(name)):
            Path(folder, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
