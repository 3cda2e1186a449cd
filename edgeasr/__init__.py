"""Offline voice assistant: wake word, streaming recogniser, translator, events."""

__version__ = "0.1.0"
