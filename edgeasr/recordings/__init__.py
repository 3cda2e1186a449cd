"""The recordings that ship with edgeasr, for the demo, the bench and the tests."""

from pathlib import Path

__all__ = ["bundled_recordings"]


def bundled_recordings() -> list[Path]:
    """Return the paths of the recordings, sorted by name."""
    return sorted(Path(__file__).parent.glob("*.flac"))
