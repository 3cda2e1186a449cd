"""Raw sound from pipes: muting forgets what waits in them, other readers do no harm."""

import os
from pathlib import Path

import numpy as np
import pytest

from edgeasr.capture import PipeSource


@pytest.fixture(params=["fifo", "stdin"])
def pipe(request, tmp_path, monkeypatch):
    """A started source, and a function that writes into its pipe."""
    if request.param == "fifo":
        source = PipeSource(tmp_path / "sound", stall_s=60)
        source.start()
        writing = os.open(tmp_path / "sound", os.O_WRONLY)
    else:
        reading, writing = os.pipe()
        monkeypatch.setattr(os, "read", redirected(os.read, reading))
        monkeypatch.setattr("edgeasr.capture.select.select", redirected_select(reading))
        source = PipeSource(None, stall_s=60)
        source.start()
    yield source, lambda value: os.write(writing, np.full(100, value, np.int16).tobytes())
    source.stop()
    os.close(writing)


def redirected(read, number):
    """Return a `read` to which `number` is standard input."""
    return lambda file, size: read(number if file == 0 else file, size)


def redirected_select(number):
    import select  # noqa: PLC0415 - the unpatched one

    real = select.select

    def patched(files, *rest):
        return real([number if file == 0 else file for file in files], *rest)

    return patched


def test_what_comes_while_muted_is_never_heard(pipe):
    source, write = pipe
    write(1)
    assert set(source.read(30.0).pcm) == {1}
    source.stop()
    write(2)
    assert source.read(0.0) is None
    source.start()
    write(3)
    assert set(source.read(30.0).pcm) == {3}


def test_what_came_before_the_start_is_heard(tmp_path):
    os.mkfifo(tmp_path / "sound")
    with Path(tmp_path / "sound").open("r+b", buffering=0) as fifo:
        fifo.write(np.full(100, 5, np.int16).tobytes())
        source = PipeSource(tmp_path / "sound", stall_s=60)
        source.start()
        assert set(source.read(30.0).pcm) == {5}
        source.stop()


@pytest.mark.parametrize(
    ("failure", "condition"), [(BlockingIOError(), "starting"), (OSError(5, "broken"), "ended")]
)
def test_a_pipe_that_fails_raises_nothing(tmp_path, monkeypatch, failure, condition):
    source = PipeSource(tmp_path / "sound", stall_s=60)
    source.start()
    with (tmp_path / "sound").open("r+b", buffering=0) as fifo:
        fifo.write(b"1234")

        def fail(_file, _size):
            raise failure

        with monkeypatch.context() as patch:
            patch.setattr("edgeasr.capture.os.read", fail)
            assert source.read(30.0) is None
        assert source.condition == condition
    source.stop()
