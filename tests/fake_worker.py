"""A worker in a process of its own, with a recogniser that only counts samples, slowly.

    python fake_worker.py CONFIG NAME [seconds for each recording]
"""

import logging
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import edgeasr.worker_main
from edgeasr.config_file import load_config
from edgeasr.settings import Settings
from edgeasr.worker import Service


class CountingStream:
    """Says how many frames it got."""

    seconds = 0.0

    def __init__(self) -> None:
        self._frames = 0

    def push(self, frames) -> None:
        self._frames += len(frames)

    def finish(self) -> SimpleNamespace:
        time.sleep(self.seconds)
        return SimpleNamespace(text=f"{self._frames} frames", confidence=1.0, words=())


SERVICE = Service(
    recogniser=SimpleNamespace(stream=lambda hints: CountingStream()),
    translators={
        "fr": SimpleNamespace(
            source_language="en",
            translate=lambda text, beam: SimpleNamespace(
                text=f"<fr> {text}", confidence=1.0, doubtful=False
            ),
        )
    },
    settings=Settings(targets=("fr",)),
    max_audio_bytes=1_000_000,
)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    CountingStream.seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    edgeasr.worker_main.service_of = lambda _config: SERVICE
    sys.exit(edgeasr.worker_main.run(load_config(Path(sys.argv[1])), name=sys.argv[2], group="g"))
