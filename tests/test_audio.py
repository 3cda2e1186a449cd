import numpy as np
import pytest

from edgeasr.audio import BLOCK_SAMPLES, Reblocker, to_int16
from edgeasr.errors import AudioError


def test_floats_are_scaled_and_clipped():
    samples = np.array([-2.0, -1.0, 0.0, 0.5, 1.0], np.float32)
    assert to_int16(samples).tolist() == [-32768, -32768, 0, 16384, 32767]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_by_name(bad):
    with pytest.raises(AudioError, match="NaN"):
        to_int16(np.array([0.0, bad], np.float32))


def test_other_types_are_refused_by_name():
    with pytest.raises(AudioError, match="int32"):
        to_int16(np.zeros(3, np.int32))


@pytest.mark.parametrize("size", [1, 159, 1280, 5000])
def test_reblocker_keeps_every_sample(size):
    pcm = np.arange(10_000, dtype=np.int16)
    reblocker = Reblocker()
    blocks = [b for i in range(0, len(pcm), size) for b in reblocker.push(pcm[i : i + size])]
    blocks += list(reblocker.flush())
    assert {len(block) for block in blocks} == {BLOCK_SAMPLES}
    np.testing.assert_array_equal(np.concatenate(blocks)[: len(pcm)], pcm)
    assert not list(reblocker.flush())
