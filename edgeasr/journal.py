"""The log in systemd's journal with fields of its own (`journalctl -o json`, `SESSION_ID=...`).

Speaks the journal's native protocol: one datagram per entry, `KEY=value` lines, and a length in
front of values with newlines (systemd.io/JOURNAL_NATIVE_PROTOCOL).
"""

import logging
import os
import re
import socket
import struct
import uuid
from collections.abc import Mapping
from typing import Any

__all__ = ["JournalHandler", "entry", "event_fields", "is_journal"]

SOCKET = "/run/systemd/journal/socket"
MAX_MESSAGE_CHARS = 16_000
_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, 50: 2}
_NAMES = {
    "session": "SESSION_ID",
    "word": "WAKE_WORD",
    "score": "WAKE_SCORE",
    "confidence": "CONFIDENCE",
    "language": "LANGUAGE",
    "reason": "REASON",
}


def is_journal(descriptor: int = 2) -> bool:
    """Whether a file descriptor, by default standard error, is the journal's stream."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def event_fields(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the journal fields of an event in its JSON form."""
    name = str(event["event"])
    own = uuid.uuid5(uuid.NAMESPACE_URL, f"edgeasr:event:{name}").hex
    fields = {"EDGEASR_EVENT": name, "MESSAGE_ID": own}
    fields |= {
        field: str(event[key]) for key, field in _NAMES.items() if event.get(key) is not None
    }
    latency_s = event.get("latency_s")
    if name == "transcript" and event.get("words"):
        latency_s = event["at_s"] - event["end_s"]
    if latency_s is not None:
        fields["LATENCY_MS"] = str(round(latency_s * 1000))
    return fields


def entry(fields: Mapping[str, str]) -> bytes:
    """Return one entry of the journal. Raises ValueError for a name that the journal refuses."""
    parts = list[bytes]()
    for name, value in fields.items():
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
            raise ValueError(f"{name!r} is no field name of the journal")
        text = value.encode("utf-8", errors="replace")
        if b"\n" in text:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(text)) + text + b"\n")
        else:
            parts.append(name.encode() + b"=" + text + b"\n")
    return b"".join(parts)


class JournalHandler(logging.Handler):
    """Sends records to the journal; those that it does not take go to `fallback`."""

    def __init__(self, fallback: logging.Handler, *, site: str, address: str = SOCKET) -> None:
        super().__init__()
        self._fallback = fallback
        self._site = site
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        # The journal may be stopped: never wait for it.
        self._socket.settimeout(0.0)

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, with the fields of the event in its `event` attribute if there is one."""
        try:
            message = self.format(record)[:MAX_MESSAGE_CHARS]
            priority = max((known for known in _PRIORITY if known <= record.levelno), default=10)
            fields = {
                "MESSAGE": message,
                "PRIORITY": str(_PRIORITY[priority]),
                "SYSLOG_IDENTIFIER": "edgeasr",
                "LOGGER": record.name,
                "CODE_FILE": record.pathname,
                "CODE_LINE": str(record.lineno),
                "THREAD_NAME": record.threadName or "",
                "SITE_ID": self._site,
            }
            event = getattr(record, "event", None)
            if isinstance(event, Mapping):
                fields |= event_fields(event)
            self._socket.sendto(entry(fields), self._address)
        except OSError:
            self._fallback.handle(record)
        except Exception:  # what logging asks of every handler
            self.handleError(record)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()
