"""The signals that end the daemon or let it read its configuration again."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["signals_caught", "wait_for_end"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_WAIT_S = 0.25


@contextmanager
def signals_caught() -> Iterator[list[int]]:
    """Give a list that grows by the number of each signal; in other threads than main by none."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {
        number: signal.signal(number, lambda caught, _frame: received.append(caught))
        for number in _SIGNALS
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_end(received: list[int], stop: threading.Event, reload: threading.Event) -> None:
    """Return when `stop` is set, by SIGTERM, SIGINT or somebody else; SIGHUP sets `reload`."""
    while not stop.is_set():
        # Not for ever: the kernel may give the signal to another thread (one of BLAS, say), and
        # then nothing wakes this one, which alone may run the handlers.
        stop.wait(_WAIT_S)
        while received:
            (reload if received.pop(0) == signal.SIGHUP else stop).set()
