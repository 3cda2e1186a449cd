import numpy as np
import pytest

from edgeasr.features import FeatureSpec, Frontend, LogMel, mel_filterbank


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    at_s = np.arange(int(seconds * 16_000)) / 16_000
    return (8_000 * np.sin(2 * np.pi * hz * at_s)).astype(np.int16)


@pytest.mark.parametrize("size", [1, 7, 160, 333, 1280, 16_000])
def test_frames_do_not_depend_on_block_size(size, noise):
    pcm = noise(1.0, 3000)
    whole = LogMel()(pcm)
    frontend = Frontend(LogMel())
    parts = [frontend.push(pcm[start : start + size]) for start in range(0, len(pcm), size)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_a_second_has_one_frame_each_hop_that_is_whole():
    assert LogMel()(np.zeros(16_000, np.int16)).shape == ((16_000 - 200) // 160 + 1, 80)


def test_frames_lie_where_they_say(noise):
    """A click at sample 160 t is loudest in frame t."""
    pcm = np.zeros(16_000, np.int16)
    pcm[160 * 40] = 20_000
    assert LogMel()(pcm).sum(axis=1).argmax() == 40


@pytest.mark.parametrize("hz", [200, 440, 1000, 3000, 7000])
def test_a_tone_lands_in_its_band(hz):
    """The centre of the loudest band is within half a band of the tone."""
    filters = mel_filterbank(FeatureSpec())
    bins_hz = np.fft.rfftfreq(400, 1 / 16_000)
    centres = (filters * bins_hz[:, None]).sum(0) / filters.sum(0)
    loudest = LogMel()(tone(hz)).mean(axis=0).argmax()
    assert abs(centres[loudest] - hz) <= max(40, 0.05 * hz)


def test_digital_silence_is_the_floor():
    frames = LogMel()(np.zeros(4_000, np.int16))
    np.testing.assert_allclose(frames, -10.0)


def test_ten_decibels_are_one_bel(noise):
    loud, quiet = LogMel()(noise(0.5, 3000)), LogMel()(noise(0.5, 3000 / np.sqrt(10)))
    np.testing.assert_allclose(loud - quiet, 1.0, atol=0.02)


def test_reset_forgets_the_stream(noise):
    frontend = Frontend(LogMel())
    first = frontend.push(noise(0.3))
    frontend.reset()
    np.testing.assert_array_equal(frontend.push(noise(0.3)), first)


def test_digest_changes_with_any_field():
    base = FeatureSpec()
    others = [
        FeatureSpec(window=512),
        FeatureSpec(hop=100),
        FeatureSpec(mels=40),
        FeatureSpec(high_hz=7600.0),
        FeatureSpec(floor=1e-9),
        FeatureSpec(version=2),
    ]
    digests = {spec.digest() for spec in [base, *others]}
    assert len(digests) == 7
    assert FeatureSpec().digest() == base.digest()
