"""The second stage: the phrase's log ratio, the verdict's moment, and doing without it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeasr.bundle import Bundle, find_bundle
from edgeasr.loading import SHIPPED, load_recogniser, load_wake
from edgeasr.wake import WakeModel
from edgeasr.wake_verify import VERIFY_STEPS, Candidates, VerifyRule, phrase_log_ratio

FRAMES = np.zeros((10_000, 80), np.float32)


def log_probs(path: list[int], *, units: int = 5, sure: float = 0.9) -> np.ndarray:
    probabilities = np.full((len(path), units), (1 - sure) / (units - 1), np.float32)
    probabilities[np.arange(len(path)), path] = sure
    return np.log(probabilities)


def judged(ratio: float, track: list[float]) -> list[float]:
    """Final scores of one word whose log ratio is always `ratio`."""
    rule = VerifyRule(("jarvis",), candidate=0.1, weight=1.0)
    verifier: Any = SimpleNamespace(rules={"jarvis": rule}, score=lambda word, heard: ratio)
    candidates = Candidates(verifier)
    return [candidates.judge({"jarvis": score}, FRAMES)["jarvis"] for score in track]


@pytest.mark.parametrize(
    "path", [[0, 1, 0, 2, 0], [3, 1, 1, 2, 2], [1, 2, 4, 4, 4], [4, 4, 0, 1, 2]]
)
def test_a_phrase_that_is_read_somewhere_costs_nothing(path: list[int]) -> None:
    assert phrase_log_ratio(log_probs(path), [1, 2]) == pytest.approx(0, abs=1e-5)


def test_a_phrase_that_is_not_read_costs_what_it_lacks() -> None:
    one_missing = phrase_log_ratio(log_probs([0, 1, 0, 3, 0]), [1, 2])
    both_missing = phrase_log_ratio(log_probs([0, 3, 0, 4, 0]), [1, 2])
    assert both_missing < one_missing < -1


def test_a_double_letter_needs_a_blank_between() -> None:
    assert phrase_log_ratio(log_probs([1, 1, 1]), [1, 1]) < -1
    assert phrase_log_ratio(log_probs([1, 0, 1]), [1, 1]) == pytest.approx(0, abs=1e-5)


def test_the_verdict_comes_once_a_fixed_time_after_the_candidate() -> None:
    final = judged(0.0, [0.0] * 3 + [0.9] * 12 + [0.0] * 5)
    assert [step for step, score in enumerate(final) if score > 0.5] == [3 + VERIFY_STEPS]


def test_the_recogniser_turns_a_sure_score_down_and_lets_a_faint_one_pass() -> None:
    assert max(judged(-6.0, [0.9] * 12)) < 0.1
    assert max(judged(0.0, [0.15] * 12)) == pytest.approx(0.15)


def test_a_score_below_the_candidates_counts_next_to_nothing() -> None:
    assert max(judged(0.0, [0.09] * 50)) < 0.001


def test_another_recogniser_than_the_fitted_one_leaves_the_first_stage_alone() -> None:
    bundle = Bundle(find_bundle("wake", list(SHIPPED)), kind="wake")
    other: Any = SimpleNamespace(digest="other")
    model = WakeModel(bundle, other)
    assert model.verifier is None
    assert model.thresholds == load_wake().thresholds


def test_a_fitted_stage_has_its_own_thresholds_and_tables() -> None:
    recogniser = load_recogniser()
    model = load_wake(recogniser=recogniser)
    if model.verifier is None:
        pytest.skip("the trigger was fitted to another recogniser; run training wake_second")
    assert set(model.verifier.rules) <= set(model.words)
    for word in model.words:
        points = [point.threshold for point in model.tables[word]]
        assert points == sorted(points, reverse=True)
        assert 0 < model.thresholds[word] < 1
