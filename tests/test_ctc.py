import itertools

import numpy as np
import pytest

from edgeasr.ctc import PrefixBeam, align, label_score


def random_log_probs(steps, units, seed, sharpness=1.0):
    logits = np.random.default_rng(seed).standard_normal((steps, units)) * sharpness
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def collapse(path):
    return tuple(unit for unit, _ in itertools.groupby(path) if unit)


def brute_force(log_probs):
    """Sum the probability of every path of each label sequence."""
    steps, units = log_probs.shape
    totals = {}
    for path in itertools.product(range(units), repeat=steps):
        score = sum(log_probs[at, unit] for at, unit in enumerate(path))
        labels = collapse(path)
        totals[labels] = np.logaddexp(totals.get(labels, -np.inf), score)
    return totals


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_best_of_all_sequences(seed):
    log_probs = random_log_probs(5, 4, seed, 2.0)
    totals = brute_force(log_probs)
    beam = PrefixBeam(width=500, units_per_step=4)
    beam.push(log_probs)
    best, score = beam.n_best()[0]
    assert best.units == max(totals, key=totals.get)
    assert score == pytest.approx(totals[best.units], abs=1e-4)


@pytest.mark.parametrize("labels", [(1,), (1, 2), (2, 2), (1, 2, 1)])
def test_the_forward_score_sums_all_paths(labels):
    log_probs = random_log_probs(5, 4, 3)
    assert label_score(log_probs, labels) == pytest.approx(brute_force(log_probs)[labels], abs=1e-4)


def test_the_empty_sequence_is_all_blanks():
    log_probs = random_log_probs(6, 4, 1)
    assert label_score(log_probs, []) == pytest.approx(float(log_probs[:, 0].sum()), abs=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_the_beam_does_not_depend_on_the_pieces(size):
    log_probs = random_log_probs(20, 12, 5, 3.0)
    whole, pieces = PrefixBeam(), PrefixBeam()
    whole.push(log_probs)
    for start in range(0, 20, size):
        pieces.push(log_probs[start : start + size])
    assert whole.best() == pieces.best()


def test_sure_blanks_cost_nothing_and_change_nothing():
    log_probs = random_log_probs(6, 5, 2, 4.0)
    sure = np.full((10, 5), np.log(0.0001), np.float32)
    sure[:, 0] = np.log(0.9996)
    one, two = PrefixBeam(), PrefixBeam()
    one.push(log_probs)
    two.push(np.concatenate([log_probs, sure]))
    assert one.best().units == two.best().units


@pytest.mark.parametrize("seed", range(5))
def test_alignment_is_the_best_path(seed):
    log_probs = random_log_probs(6, 4, seed, 2.0)
    labels = (1, 3, 3)
    paths = (p for p in itertools.product(range(4), repeat=6) if collapse(p) == labels)
    best = max(paths, key=lambda path: sum(log_probs[at, unit] for at, unit in enumerate(path)))
    spans = align(log_probs, labels)
    rebuilt = np.zeros(6, int)
    for label, (first, last) in zip(labels, spans, strict=True):
        rebuilt[first : last + 1] = label
    assert tuple(rebuilt) == best


def test_too_many_labels_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        align(random_log_probs(3, 4, 0), (1, 1, 2))


def test_nothing_aligns_to_nothing():
    assert align(random_log_probs(3, 4, 0), ()) == []
