"""Memory that loading took and nobody needs any more."""

import ctypes

__all__ = ["trim_heap"]


def trim_heap() -> None:
    """Give freed heap back to the system; loading networks leaves tens of MB behind.

    Only glibc has the call; elsewhere nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
