"""What systemd is told: readiness, watchdog, status (sd_notify(3)), and journal priorities."""

import logging
import os
import socket
import time

from edgeasr.events import Event
from edgeasr.journal import JournalHandler, is_journal

__all__ = ["JournalFormatter", "Notifier", "log_for_journal", "summary"]

_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


class Notifier:
    """Sends to systemd's socket; without systemd does nothing."""

    def __init__(self) -> None:
        """Take the addresses from the environment, which only the main process may use."""
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        own = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = os.environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1e6 if own and usec.isdigit() else None
        """Seconds without a sign after which systemd restarts us; None: not watched"""

    def ready(self) -> None:
        """Tell that the start, or a reload, is complete."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Tell that the configuration is being read again."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Tell that the end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`."""
        self._send("STATUS=" + text.replace("\n", " "))

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract address.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(0.0)
                sender.sendto(message.encode(), address)
        except OSError as error:
            logging.getLogger(__name__).debug("systemd does not listen: %s", error)


class JournalFormatter(logging.Formatter):
    """Prefixes each line with its priority, `<4>`, which the journal understands (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with a prefix on every line."""
        level = max((known for known in _PRIORITY if known <= record.levelno), default=10)
        prefix = f"<{_PRIORITY[level]}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def log_for_journal(level: str, *, site: str) -> None:
    """Set the level of the log; under systemd its lines carry their priority, or fields too."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    if not os.environ.get("JOURNAL_STREAM"):
        return
    for handler in list(root.handlers):
        handler.setFormatter(JournalFormatter("%(name)s: %(message)s"))
        if is_journal():
            root.removeHandler(handler)
            root.addHandler(JournalHandler(handler, site=site))


def summary(event: Event) -> str:
    """Return an event as a line of the log."""
    fields = event.to_fields()
    keys = ("session", "word", "score", "text", "language", "confidence", "reason", "message")
    return " ".join(f"{key}={fields[key]!r}" for key in keys if fields.get(key) is not None)
