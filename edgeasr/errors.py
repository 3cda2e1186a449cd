"""Every error that edgeasr raises on purpose; the message names the thing and the remedy."""

__all__ = [
    "AudioError",
    "BundleError",
    "CommandError",
    "ConfigError",
    "EdgeasrError",
    "PublishError",
    "TextError",
]


class EdgeasrError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(EdgeasrError):
    """A configuration value is missing, unknown or out of range. Stops the start."""


class BundleError(EdgeasrError):
    """A model folder is missing, damaged or made for other features or tokens. Stops the start."""


class AudioError(EdgeasrError):
    """Audio that can not be used: missing, empty, not audio, truncated, NaN or too long."""


class TextError(EdgeasrError):
    """Text that can not be translated or understood: empty, too long or not text."""


class CommandError(EdgeasrError):
    """A command from outside that can not be carried out: malformed, too large or out of range."""


class PublishError(EdgeasrError):
    """A message could not be handed to the broker."""
