"""The outbox: order, bounds, age, and that nothing is lost when the process or the disk fails."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgeasr.outbox import Outbox

PACKAGE = Path(__file__).parents[1]


def filled(path, count, **options):
    outbox = Outbox(path, **{"limit": 1000, "expiry_s": 3600, **options})
    for number in range(count):
        outbox.add("t", {"n": number})
    return outbox


def numbers(outbox, **options):
    rows = outbox.pending(**{"after": 0, "limit": 10_000, **options})
    return [json.loads(row.body)["n"] for row in rows]


@pytest.mark.parametrize("on_disk", [True, False])
def test_messages_wait_in_order_until_done(tmp_path, on_disk):
    outbox = filled(tmp_path / "o.sqlite" if on_disk else None, 5)
    rows = outbox.pending(after=0, limit=3)
    assert [json.loads(row.body)["n"] for row in rows] == [0, 1, 2]
    outbox.done(rows[1].seq)
    assert numbers(outbox) == [0, 2, 3, 4]
    assert numbers(outbox, after=rows[2].seq) == [3, 4]
    assert len(outbox) == 4
    outbox.done(rows[0].seq, rows[2].seq, rows[1].seq)
    assert numbers(outbox) == [3, 4]


def test_a_new_process_finds_what_the_last_one_left(tmp_path):
    filled(tmp_path / "o.sqlite", 3).close()
    again = Outbox(tmp_path / "o.sqlite", limit=10, expiry_s=3600)
    again.add("t", {"n": 3})
    assert numbers(again) == [0, 1, 2, 3]


def test_a_full_outbox_drops_the_oldest_and_counts(tmp_path):
    outbox = filled(tmp_path / "o.sqlite", 25, limit=10)
    assert numbers(outbox) == list(range(15, 25))
    assert outbox.dropped == 15


def test_old_messages_expire_and_waiting_ones_carry_their_age(tmp_path):
    outbox = filled(tmp_path / "o.sqlite", 1, expiry_s=100)
    (row,) = outbox.pending(after=0, limit=1)
    assert json.loads(outbox.wire(row)) == {"n": 0}
    older = replace(row, uptime_s=row.uptime_s - 42.5)
    assert json.loads(outbox.wire(older)) == {"n": 0, "age_s": pytest.approx(42.5, abs=0.2)}
    assert outbox.left_s(older) == pytest.approx(57.5, abs=0.2)
    with outbox._database:
        outbox._database.execute("UPDATE outbox SET uptime_s = uptime_s - 101")
    assert numbers(outbox) == []
    assert outbox.expired == 1


def test_a_jump_of_the_wall_clock_expires_nothing(tmp_path, monkeypatch):
    outbox = filled(tmp_path / "o.sqlite", 2, expiry_s=100)
    real = time.time
    for jump_s in (1e9, -1e9):
        monkeypatch.setattr("edgeasr.outbox.time.time", lambda jump_s=jump_s: real() + jump_s)
        assert numbers(outbox) == [0, 1]


def test_after_a_reboot_the_wall_clock_counts_if_it_had_been_set(tmp_path):
    outbox = filled(tmp_path / "o.sqlite", 1, expiry_s=100)
    (row,) = outbox.pending(after=0, limit=1)
    assert outbox.age_s(replace(row, boot="earlier", wall_s=time.time() - 50)) > 49
    assert outbox.age_s(replace(row, boot="earlier", wall_s=3600.0)) == 0.0  # a Pi in 1970


def test_a_damaged_file_is_kept_aside_and_begun_anew(tmp_path, caplog):
    path = tmp_path / "o.sqlite"
    path.write_bytes(b"not a database at all" * 1000)
    outbox = filled(path, 2)
    assert numbers(outbox) == [0, 1]
    assert len(list(tmp_path.glob("o.spoiled-*"))) == 1
    assert "damaged" in caplog.text


def test_a_full_disk_is_survived_in_memory_and_healed(tmp_path):
    outbox = filled(tmp_path / "o.sqlite", 2)
    pages = outbox._database.execute("PRAGMA page_count").fetchone()[0]
    outbox._database.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(2, 8):
        outbox.add("t", {"n": number, "pad": "x" * 3000})
    assert not outbox.healthy
    assert numbers(outbox) == list(range(8))
    outbox._database.execute("PRAGMA max_page_count = 100000")
    outbox.add("t", {"n": 8})
    assert outbox.healthy
    outbox.close()
    assert numbers(Outbox(tmp_path / "o.sqlite", limit=100, expiry_s=3600)) == list(range(9))


def test_an_impossible_folder_means_memory_only(tmp_path, caplog):
    blocker = tmp_path / "file"
    blocker.write_text("")
    outbox = filled(blocker / "o.sqlite", 2)
    assert numbers(outbox) == [0, 1]
    assert "memory only" in caplog.text


def test_a_disk_that_can_not_be_read_any_more_is_survived_in_memory(tmp_path, caplog):
    outbox = filled(tmp_path / "o.sqlite", 3)
    with sqlite3.connect(tmp_path / "o.sqlite") as vandal:
        vandal.execute("DROP TABLE outbox")
    assert numbers(outbox) == []
    assert not outbox.healthy
    outbox.add("t", {"n": 3})
    assert numbers(outbox) == [3]
    assert len(outbox) == 1
    assert "can not be read" in caplog.text


def test_adding_waits_for_the_disk_and_deleting_does_not(tmp_path):
    """A long queue would otherwise drain at the pace of a memory card's writes."""
    outbox, said = filled(tmp_path / "o.sqlite", 1), []
    outbox._database.set_trace_callback(said.append)
    outbox.add("t", {"n": 1})
    outbox.done(1)
    outbox._database.execute("DROP TABLE outbox")
    outbox.done(2)  # fails
    outbox.add("t", {"n": 2})
    kinds = [line.split()[0] if "synchronous" not in line else line.split("=")[1]
             for line in said if line.split()[0] in ("PRAGMA", "INSERT", "DELETE")]  # fmt: skip
    assert kinds[:4] == ["FULL", "INSERT", "NORMAL", "DELETE"]
    assert kinds[-2:] == ["FULL", "INSERT"]  # after the failure too


def test_the_count_is_that_of_the_rows(tmp_path):
    outbox = filled(tmp_path / "o.sqlite", 25, limit=10)
    outbox.done(20, 21, 3)  # the third went long ago
    assert len(outbox) == len(numbers(outbox)) == 8
    outbox.close()
    assert len(Outbox(tmp_path / "o.sqlite", limit=10, expiry_s=3600)) == 8


_WRITER = """
import sys
from pathlib import Path
from edgeasr.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), limit=100000, expiry_s=3600)
start = int(sys.argv[2])
for number in range(start, start + 100000):
    outbox.add("t", {"n": number})
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_kill_9_at_random_moments_loses_nothing(tmp_path):
    """What `add` returned for is there after each kill, and the database is sound."""
    kill_at_random(tmp_path / "o.sqlite", times=5)


@pytest.mark.soak
def test_kill_9_at_100_random_moments_loses_nothing(tmp_path):
    kill_at_random(tmp_path / "o.sqlite", times=100)


def kill_at_random(path, *, times):
    rng = random.Random(1)
    acknowledged = 0
    for _ in range(times):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), str(acknowledged)],
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )  # fmt: skip
        for _ in range(rng.randrange(1, 60)):
            writer.stdout.readline()
        time.sleep(rng.random() * 0.01)
        writer.send_signal(signal.SIGKILL)
        lines = writer.stdout.read().split()
        writer.wait()
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            bodies = database.execute("SELECT body FROM outbox ORDER BY seq").fetchall()
        stored = [json.loads(body)["n"] for (body,) in bodies]
        assert stored == list(range(len(stored)))
        if lines:
            assert int(lines[-1]) < len(stored)
        acknowledged = len(stored)
