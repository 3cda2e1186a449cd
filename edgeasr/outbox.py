"""Results that must arrive, kept in SQLite until the broker has acknowledged them.

At least once and in order: a row is deleted only after the acknowledgement, so a crash between
the two sends it again, with the same `id`. Every `add` is on the disk when it returns (WAL,
synchronous FULL); a full or broken disk is survived in memory. Deletions do not wait for the disk,
which would set the pace at which a long queue drains: one that a power cut undoes is repeated.
"""

import json
import logging
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeasr.mqtt_topics import encode

__all__ = ["Outbox", "OutboxRow"]

_LOG = logging.getLogger(__name__)
_UNSET_CLOCK_S = 1_700_000_000.0  # a wall clock before this (2023) has not been set yet
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, body BLOB NOT NULL,
    wall_s REAL NOT NULL, boot TEXT NOT NULL, uptime_s REAL NOT NULL)
"""


@dataclass(frozen=True)
class OutboxRow:
    """A waiting message."""

    seq: int
    topic: str
    body: bytes
    wall_s: float
    """Wall clock at `add`, seconds since 1970"""
    boot: str
    uptime_s: float
    """Seconds since boot at `add`; a jump of the wall clock does not change it"""


class Outbox:
    """A bounded queue on disk. Any thread may call; calls are short."""

    def __init__(self, path: Path | None, *, limit: int, expiry_s: float) -> None:
        """Open or create the file at `path`; None keeps everything in memory."""
        self._limit = limit
        self._expiry_s = expiry_s
        self._lock = threading.Lock()
        self._boot = _boot_id()
        self._spill: deque[OutboxRow] = deque()
        self.dropped = 0
        """Messages given up because the outbox was full"""
        self.expired = 0
        """Messages given up because of their age"""
        self.healthy = True
        """Whether the disk took the last message"""
        self._database = _open(path)
        last, rows = self._database.execute(
            "SELECT coalesce(max(seq), 0), count(*) FROM outbox"
        ).fetchone()
        self._next, self._rows = int(last) + 1, int(rows)

    def __len__(self) -> int:
        with self._lock:
            return self._rows + len(self._spill)

    def add(self, topic: str, fields: Mapping[str, Any]) -> None:
        """Keep a message until `done`. When full, the oldest goes and is counted."""
        with self._lock:
            self._spill.append(
                OutboxRow(
                    self._next, topic, encode(fields), time.time(), self._boot, time.monotonic()
                )
            )
            self._next += 1
            self._store()
            self._bound()

    def pending(self, *, after: int, limit: int) -> list[OutboxRow]:
        """Return up to `limit` waiting messages with `seq` above `after`, oldest first."""
        with self._lock:
            self._expire()
            found = self._first(after=after, limit=limit)
            found += [row for row in self._spill if row.seq > after]
        return found[:limit]

    def done(self, *seqs: int) -> None:
        """Forget messages that the broker has acknowledged, in one write to the disk."""
        with self._lock:
            self._spill = deque(row for row in self._spill if row.seq not in seqs)
            marks = ", ".join("?" * len(seqs))
            self._delete(f"DELETE FROM outbox WHERE seq IN ({marks})", seqs)  # noqa: S608 - marks

    def age_s(self, row: OutboxRow) -> float:
        """Return how long ago a message was added, whatever the wall clock did since."""
        if row.boot == self._boot:
            return max(0.0, time.monotonic() - row.uptime_s)
        if row.wall_s < _UNSET_CLOCK_S:
            return 0.0
        return max(0.0, time.time() - row.wall_s)

    def left_s(self, row: OutboxRow) -> float:
        """Return the seconds until a message expires."""
        return max(1.0, self._expiry_s - self.age_s(row))

    def wire(self, row: OutboxRow) -> bytes:
        """Return the body to send; one that waited a second or more carries its `age_s`."""
        age_s = self.age_s(row)
        if age_s < 1.0:
            return row.body
        return encode({**json.loads(row.body), "age_s": round(age_s, 1)})

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _first(self, *, after: int, limit: int) -> list[OutboxRow]:
        """Return the oldest rows on the disk; when it can not be read, go on in memory."""
        try:
            rows = self._database.execute(
                "SELECT seq, topic, body, wall_s, boot, uptime_s FROM outbox"
                " WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, limit),
            ).fetchall()
        except sqlite3.Error as error:
            _LOG.error("the outbox can not be read (%s); results wait in memory only", error)
            self._database.close()
            self._database, self._rows, self.healthy = _connect(":memory:"), 0, False
            return []
        return [OutboxRow(*row) for row in rows]

    def _store(self) -> None:
        try:
            self._database.execute("PRAGMA synchronous=FULL")
            with self._database:
                self._database.executemany(
                    "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (row.seq, row.topic, row.body, row.wall_s, row.boot, row.uptime_s)
                        for row in self._spill
                    ],
                )
        except sqlite3.Error as error:
            if self.healthy:
                _LOG.error("the outbox can not write (%s); results wait in memory", error)
            self.healthy = False
            return
        self._rows += len(self._spill)
        self._spill.clear()
        self.healthy = True

    def _bound(self) -> None:
        excess = self._rows + len(self._spill) - self._limit
        if excess <= 0:
            return
        self.dropped += excess
        _LOG.warning("the outbox is full: the oldest of %d results are dropped", self._limit)
        self._delete(
            "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox ORDER BY seq LIMIT ?)",
            (excess,),
        )
        while self._spill and self._rows + len(self._spill) > self._limit:
            self._spill.popleft()

    def _expire(self) -> None:
        oldest = self._first(after=0, limit=1)
        while oldest and self.age_s(oldest[0]) > self._expiry_s:
            if not self._delete("DELETE FROM outbox WHERE seq = ?", (oldest[0].seq,)):
                return
            self.expired += 1
            oldest = self._first(after=0, limit=1)

    def _delete(self, statement: str, values: tuple[int, ...]) -> bool:
        try:
            self._database.execute("PRAGMA synchronous=NORMAL")
            with self._database:
                gone = self._database.execute(statement, values).rowcount
        except sqlite3.Error as error:
            # The row stays and will be sent again: at least once.
            _LOG.error("the outbox can not delete: %s", error)
            self.healthy = False
            return False
        self._rows -= gone
        return True


def _boot_id() -> str:
    """Return what names this boot; where nothing does, this process stands for it."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return secrets.token_hex(8)


def _open(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _connect(":memory:")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _connect(str(path))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            _LOG.error("no outbox at %s (%s); results wait in memory only", path, error)
            return _connect(":memory:")
        spoiled = path.with_suffix(f".spoiled-{time.time_ns()}")
        _LOG.error("the outbox %s is damaged (%s); kept as %s, begun anew", path, error, spoiled)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.rename(spoiled)
        return _connect(str(path))
    except OSError as error:
        _LOG.error("no outbox at %s (%s); results wait in memory only", path, error)
        return _connect(":memory:")


def _check(database: sqlite3.Connection) -> None:
    verdict = database.execute("PRAGMA quick_check").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))


def _connect(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, check_same_thread=False, timeout=2.0)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        _check(database)
        with database:
            database.execute(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database
