"""The trigger's recipes: what is looked at, kept and held out."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from edgeasr.wake_verify import Candidates, VerifyRule  # noqa: E402
from training import wake_second  # noqa: E402
from training.evaluation.wake_kept import Kept  # noqa: E402
from training.models.wake import WakeConfig, WakeNet  # noqa: E402
from training.synthesis import Voice  # noqa: E402
from training.wake_batches import GAP, RowMaker  # noqa: E402
from training.wake_dev import Scorer  # noqa: E402
from training.wake_export import DEFAULT_RATE, operating  # noqa: E402
from training.wake_looks import Evidence, Look, load, looks, save  # noqa: E402
from training.wake_measure import Curve, threshold_at  # noqa: E402
from training.wake_packs import Clip  # noqa: E402
from training.wake_speech import held_out, held_out_of  # noqa: E402

RNG = np.random.default_rng(4)


def tracks() -> list[np.ndarray]:
    """Smoothed scores that rise and fall, some over the candidate's 0.05."""
    noise = RNG.random((20, 400)) ** 4
    kernel = np.ones(6) / 6
    return [np.convolve(row, kernel, mode="same").astype(np.float32) * 0.4 for row in noise]


@pytest.mark.parametrize("track", tracks())
def test_the_recipe_looks_where_the_detector_looks(track: np.ndarray) -> None:
    frames = np.repeat(np.arange(len(track) * 4, dtype=np.float32)[:, None], 80, axis=1)
    seen = []

    def score(word: str, heard: np.ndarray) -> float:
        seen.append(float(heard[-1, 0]))
        return 0.0

    rule = VerifyRule(("jarvis",), candidate=0.05, weight=1.0)
    verifier: Any = SimpleNamespace(rules={"jarvis": rule}, score=score)
    candidates = Candidates(verifier)
    tops = [
        candidates.judge({"jarvis": float(value)}, frames[: (step + 1) * 4])["jarvis"]
        for step, value in enumerate(track)
    ]
    found = looks(track, frames)
    assert [float(look.frames[-1, 0]) for look in found] == seen
    assert seen
    assert max(look.top for look in found) == pytest.approx(max(tops), rel=1e-5)


def test_evidence_is_kept_for_its_trigger_alone(tmp_path: Path) -> None:
    source, other = ("clean", "jarvis", 0), ("negative", "jarvis", 1)
    frames = [RNG.random((n, 80)).astype(np.float16).astype(np.float32) for n in (220, 40, 220)]
    evidence = Evidence(
        hours=(1.5, 2.5),
        alone={source: [0.9, 0.25], other: []},
        clips={source: [0, 1], other: [0]},
        found={
            source: [Look(0.5, frames[0]), Look(0.25, frames[1])],
            other: [Look(1.0, frames[2])],
        },
        delays={"jarvis": 30},
        candidate={"jarvis": 0.2},
    )
    save(evidence, tmp_path / "looks.npz", trigger="abc")
    assert load(tmp_path / "looks.npz", trigger="other") is None
    assert load(tmp_path / "none.npz", trigger="abc") is None
    kept = load(tmp_path / "looks.npz", trigger="abc")
    assert kept is not None
    assert (kept.hours, kept.alone, kept.clips) == (evidence.hours, evidence.alone, evidence.clips)
    assert (kept.delays, kept.candidate) == (evidence.delays, evidence.candidate)
    for name, some in evidence.found.items():
        for one, two in zip(some, kept.found[name], strict=True):
            assert one.top == two.top
            np.testing.assert_array_equal(one.frames, two.frames)


def test_a_machine_with_few_voices_still_keeps_some_to_measure_with() -> None:
    names = {"espeak": ("en-us", "en-gb", "en-029"), "flite": ("kal16", "awb", "rms", "slt")}
    stock = [Voice(engine, name, "free") for engine, some in names.items() for name in some]
    stock.append(Voice("piper", "joe", "free"))
    kept = [voice for voice in stock if held_out_of(stock)(voice)]
    assert not any(map(held_out, stock))
    assert sorted(voice.engine for voice in kept) == ["espeak", "flite"]
    assert kept == [voice for voice in stock if held_out_of(stock[::-1])(voice)]


def test_the_second_stage_is_kept_where_it_tells_words_from_others() -> None:
    frames = np.zeros((220, 80), np.float32)
    alone, clips, found, ratios = {}, {}, {}, {}
    for half in (0, 1):
        for condition, ratio in (("clean", -0.2), ("noise10", -0.5), ("negative", -6.0)):
            source = (condition, "jarvis", half)
            tops = RNG.uniform(0.1, 0.9, 40).tolist()
            alone[source], clips[source] = tops, list(range(40))
            found[source] = [Look(top, frames) for top in tops]
            ratios[source] = [ratio] * 40
    evidence = Evidence((2.0, 2.0), alone, clips, found, {"jarvis": 30}, {"jarvis": 0.05})
    rules = {word: VerifyRule((word,), 0.05, 1.0) for word in ("jarvis", "view glass")}
    before = {word: {"delay_frames": 12} for word in rules}
    judge = wake_second._Judge(evidence, ratios)
    first, both, curves = wake_second._fitted(judge, rules, before)
    assert list(curves) == ["jarvis"]
    assert list(both) == ["jarvis"]
    assert first["view glass"] == before["view glass"]
    assert (first["jarvis"]["delay_frames"], both["jarvis"]["delay_frames"]) == (12, 30)
    assert [point["miss"] for point in both["jarvis"]["operating_points"]] == [0.0] * 7
    assert first["jarvis"]["operating_points"][0]["miss"] > 0.5
    assert judge.crossed("jarvis", rules["jarvis"]).startswith(
        "crossed: missed {'clean': 0, 'noise10': 0} of 80, 0 accepts in 4.0 h"
    )


def test_words_of_people_leave_a_margin_and_synthetic_ones_none() -> None:
    curve = Curve(hits=np.full(40, 0.9, np.float32), accepts=np.array([0.3, 0.2]), hours=10.0)
    people = operating(curve, 12)
    voices = operating(curve, 12, synthetic=True)
    least = threshold_at(curve.accepts, curve.hours, DEFAULT_RATE)
    assert voices["threshold"] == pytest.approx(least, abs=1e-4)
    assert people["threshold"] == pytest.approx((least * 0.9) ** 0.5, abs=1e-4)
    assert people["operating_points"] == voices["operating_points"]


def test_an_evaluation_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    bundle = tmp_path / "wake"
    bundle.mkdir()
    (bundle / "bundle.json").write_text("{}")

    def never() -> None:
        raise AssertionError

    with pytest.raises(AssertionError):
        Kept(tmp_path, bundle, "abc").get("view glass clean", never)
    assert Kept(tmp_path, bundle, "abc").get("view glass clean", lambda: [0.25]) == [0.25]
    assert Kept(tmp_path, bundle, "abc").get("view glass clean", never) == [0.25]
    assert Kept(tmp_path, bundle, "other").get("view glass clean", lambda: [0.5]) == [0.5]
    (bundle / "bundle.json").write_text('{"settings": 1}')
    assert Kept(tmp_path, bundle, "abc").get("view glass clean", list) == []


def test_recordings_are_scored_as_a_fresh_detector_hears_them() -> None:
    scorer = Scorer(WakeNet(WakeConfig(("jarvis", "alexa"), hidden=8)).eval())
    clips = [RNG.uniform(-6, 1, (n, 80)).astype(np.float32) for n in (61, 120, 33)]
    quiet = np.full((100, 80), -10.0, np.float32)
    for clip in clips:
        alone = scorer.scores(np.concatenate([quiet, clip])).max(axis=0)
        np.testing.assert_allclose(scorer.recordings([clip])[0], alone, atol=1e-6)


def test_a_synthetic_word_lies_in_the_quiet_of_real_rooms(tmp_path: Path) -> None:
    """Half of the rows have the pauses of a recording behind them; the hiss is lower."""
    loud, quiet = np.zeros((90, 80), np.float16), np.full((30, 80), -2.0, np.float16)
    clips = [Clip(key="speech", kind="speech", frames=120, start=0)]
    pack: Any = SimpleNamespace(clips=clips, frames=lambda _clip: np.concatenate([loud, quiet]))
    rows = RowMaker(("jarvis",), [pack])
    silence = np.full((rows.frames, 80), GAP, np.float32)
    levels = [float(np.median(rows.colour(silence.copy(), RNG))) for _ in range(60)]
    roomy = sum(level > -5.2 for level in levels)
    assert 10 < roomy < 50
