"""How a study's page names the command that made it."""

from collections.abc import Iterable

__all__ = ["command"]


def command(study: str, argv: Iterable[str]) -> str:
    """Return the command line as typed, folders as ROOT."""
    shown = ("ROOT" if "/" in one else one for one in argv)
    return " ".join(["python -m training.analysis", study, *shown])
