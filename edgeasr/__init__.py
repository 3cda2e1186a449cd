"""Offline voice assistant: wake word, streaming recogniser, translator, events.

The public names are imported on first use, so that `import edgeasr` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeasr.assistant import Assistant
    from edgeasr.errors import EdgeasrError
    from edgeasr.loading import Models, load_models
    from edgeasr.settings import Settings, WordSettings
    from edgeasr.sources import audio_chunks

__version__ = "0.1.0"

__all__ = [
    "Assistant",
    "EdgeasrError",
    "Models",
    "Settings",
    "WordSettings",
    "audio_chunks",
    "load_models",
]

_HOMES = {
    "Assistant": "assistant",
    "EdgeasrError": "errors",
    "Models": "loading",
    "Settings": "settings",
    "WordSettings": "settings",
    "audio_chunks": "sources",
    "load_models": "loading",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeasr' has no attribute {name!r}")
    return getattr(import_module(f"edgeasr.{_HOMES[name]}"), name)
