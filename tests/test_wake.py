"""The trigger: pieces and resets change nothing, a word fires once, real words are found."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeasr.bundle import Bundle, find_bundle
from edgeasr.errors import ConfigError
from edgeasr.features import Frontend, LogMel
from edgeasr.loading import SHIPPED
from edgeasr.sources import read_audio
from edgeasr.wake import Detection, OperatingPoint, WakeDetector, WakeModel

CLIPS = Path(__file__).parent / "audio" / "wake"
RECORDINGS = sorted(CLIPS.glob("*.opus"))
WORDS = ("jarvis", "hey jarvis")


class ScriptedModel:
    """Answers with given scores, a step for each frame."""

    words = WORDS
    step_frames = 1
    delays = dict.fromkeys(WORDS, 3)
    thresholds = dict.fromkeys(WORDS, 0.5)
    rising = dict.fromkeys(WORDS, 0.05)
    verifier = None

    def __init__(self, jarvis: list[float], hey_jarvis: list[float] | None = None) -> None:
        hey_jarvis = hey_jarvis or [0.0] * len(jarvis)
        self._script = np.array([jarvis, hey_jarvis], np.float32).T

    def fresh(self) -> dict[str, Any]:
        return {"at": 0}

    def step(self, frames: Any, state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        at = state["at"]
        return self._script[at : at + len(frames)], {"at": at + len(frames)}


def scripted(
    jarvis: list[float], hey_jarvis: list[float] | None = None, **options: Any
) -> list[Detection]:
    model: Any = ScriptedModel(jarvis, hey_jarvis)
    detector = WakeDetector(model, model.thresholds, **options)
    return detector.push(np.zeros((len(jarvis), 80), np.float32))


@pytest.fixture(scope="module")
def model() -> WakeModel:
    return WakeModel(Bundle(find_bundle("wake", list(SHIPPED)), kind="wake"))


def scores_of(model: WakeModel, pcm: Any) -> tuple[list[Detection], dict[str, float]]:
    detector = WakeDetector(model, model.thresholds)
    return detector.push(LogMel()(pcm)), detector.top_scores


def detect(model: WakeModel, path: Path) -> tuple[list[Detection], dict[str, float]]:
    return scores_of(model, np.concatenate([read_audio(path), np.zeros(8000, np.int16)]))


def test_one_loud_step_is_not_a_word() -> None:
    assert scripted([0.0, 0.9, 0.0, 0.0]) == []


def test_a_word_fires_once_with_the_frame_and_the_estimated_end() -> None:
    found = scripted([0.0] * 5 + [1.0] * 4 + [0.0] * 5)
    assert [(hit.word, hit.at_frame, hit.end_frame) for hit in found] == [("jarvis", 6, 3)]


def test_a_score_that_stays_high_does_not_fire_again() -> None:
    assert len(scripted([1.0] * 400, refractory_s=0.1)) == 1


def test_a_score_that_dips_but_not_to_half_the_threshold_does_not_fire_again() -> None:
    assert len(scripted([1.0] * 20 + [0.3] * 20 + [1.0] * 20, refractory_s=0.1)) == 1


def test_the_same_word_fires_again_after_the_refractory_time() -> None:
    script = [1.0] * 4 + [0.0] * 30 + [1.0] * 4
    assert len(scripted(script, refractory_s=0.2)) == 2
    assert len(scripted(script, refractory_s=1.0)) == 1


def test_a_word_may_have_a_refractory_time_of_its_own() -> None:
    script = [1.0] * 4 + [0.0] * 30 + [1.0] * 4
    assert len(scripted(script, refractory_s=1.0, own_refractory_s={"jarvis": 0.2})) == 2
    assert len(scripted(script, refractory_s=0.2, own_refractory_s={"jarvis": 1.0})) == 1
    assert len(scripted(script, refractory_s=0.2, own_refractory_s={"hey jarvis": 1.0})) == 2


def test_the_longer_of_two_overlapping_words_is_reported_alone() -> None:
    found = scripted([0.0, 0.9, 0.9, 0.9, 0.9, 0.0], [0.0, 0.1, 0.2, 0.9, 0.9, 0.0])
    assert [hit.word for hit in found] == ["hey jarvis"]


def test_the_shorter_word_is_reported_when_the_longer_one_does_not_follow() -> None:
    found = scripted([0.0] + [0.9] * 8 + [0.0] * 4, [0.0] + [0.15] * 8 + [0.0] * 4)
    assert [hit.word for hit in found] == ["jarvis"]


def test_the_end_of_a_word_that_was_held_back_is_not_moved() -> None:
    alone = scripted([0.0] * 5 + [0.9] * 8 + [0.0] * 4)
    held = scripted([0.0] * 5 + [0.9] * 8 + [0.0] * 4, [0.15] * 17)
    assert held[0].at_frame > alone[0].at_frame
    assert held[0].end_frame == alone[0].end_frame


def test_an_unknown_word_and_an_impossible_threshold_are_refused(model: WakeModel) -> None:
    with pytest.raises(ConfigError, match="computer"):
        WakeDetector(model, {"okay house": 0.5})
    with pytest.raises(ConfigError, match=r"threshold of 1\.5"):
        WakeDetector(model, {"computer": 1.5})


def test_sensitivity_runs_through_the_operating_points() -> None:
    table = tuple(OperatingPoint(rate, t, 0.0) for rate, t in ((0.1, 0.9), (0.5, 0.6), (2.0, 0.2)))
    stub: Any = SimpleNamespace(tables={"alexa": table}, thresholds={"alexa": 0.6})
    thresholds = [WakeModel.threshold_for(stub, "alexa", value) for value in (0, 0.25, 0.5, 1)]
    assert thresholds == pytest.approx([0.9, 0.75, 0.6, 0.2])
    with pytest.raises(ConfigError, match="sensitivity of 2"):
        WakeModel.threshold_for(stub, "alexa", 2)


@pytest.mark.parametrize("size", [160, 333, 1280, 5000])
def test_detections_do_not_depend_on_the_size_of_the_pieces(model: WakeModel, size: int) -> None:
    pcm = np.concatenate([read_audio(path) for path in RECORDINGS[:3]])
    whole = WakeDetector(model, model.thresholds)
    expected = whole.push(LogMel()(pcm))
    pieces, frontend = WakeDetector(model, model.thresholds), Frontend(LogMel())
    found = []
    for first in range(0, len(pcm), size):
        found += pieces.push(frontend.push(pcm[first : first + size]))
    assert [(hit.word, hit.at_frame) for hit in found] == [
        (hit.word, hit.at_frame) for hit in expected
    ]
    assert pieces.top_scores == pytest.approx(whole.top_scores, abs=1e-5)


@pytest.mark.parametrize("name", ["alexa", "view-glass"])
def test_a_file_that_begins_with_the_word_is_heard_as_after_silence(
    model: WakeModel, name: str
) -> None:
    begins = read_audio(CLIPS / f"{name}.opus")[8000:]
    _, after_silence = scores_of(model, np.concatenate([np.zeros(16_000, np.int16), begins]))
    _, at_once = scores_of(model, begins)
    assert at_once == pytest.approx(after_silence, abs=0.01)


def test_a_reset_detector_repeats_itself(model: WakeModel) -> None:
    frames = LogMel()(read_audio(RECORDINGS[0]))
    detector = WakeDetector(model, model.thresholds)
    first, scores = detector.push(frames), dict(detector.top_scores)
    detector.reset()
    assert max(detector.top_scores.values()) == 0
    assert detector.push(frames) == first
    assert detector.top_scores == scores


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_real_word_is_found_and_no_other(model: WakeModel, path: Path) -> None:
    found, _ = detect(model, path)
    expected = path.stem.split(".")[0].replace("-", " ")
    assert [hit.word for hit in found] == ([] if expected == "none" else [expected])


@pytest.mark.parametrize("kind", ["digital silence", "hiss", "tone", "clipped noise"])
def test_sounds_without_speech_stay_quiet(model: WakeModel, kind: str) -> None:
    at_s = np.arange(16000 * 20) / 16000
    noise = np.random.default_rng(1).standard_normal(len(at_s))
    pcm = {
        "digital silence": np.zeros(len(at_s)),
        "hiss": noise * 20,
        "tone": 8000 * np.sin(2 * np.pi * 440 * at_s),
        "clipped noise": np.clip(noise * 60000, -32000, 32000),
    }[kind].astype(np.int16)
    detector = WakeDetector(model, model.thresholds)
    assert detector.push(LogMel()(pcm)) == []
