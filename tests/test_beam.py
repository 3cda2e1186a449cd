"""Search over made-up decoders whose best answers are known."""

import itertools

import numpy as np
import pytest

from edgeasr.beam import BeamConfig, beam_search, greedy_search, length_penalty

BEGIN, END, PIECES = 0, 1, 6


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def chain(seed, calls=None):
    """A decoder whose next token depends on the last two tokens, kept in the state."""
    table = log_softmax(2.0 * np.random.default_rng(seed).normal(size=(PIECES, PIECES, PIECES)))
    table = table.astype(np.float32)

    def step(tokens, state):
        if calls is not None:
            calls.append(len(tokens))
        last = state[:, 0].astype(int)
        attention = np.full((len(tokens), 3), 1 / 3, np.float32)
        return table[last, tokens], tokens[:, None].astype(np.float32), attention

    return step, np.zeros((1, 1), np.float32), table


def config(**changes):
    return BeamConfig(
        **{"begin": BEGIN, "end": END, "max_length": 12, "repeats": 99, "alpha": 0.8} | changes
    )


@pytest.mark.parametrize("seed", range(8))
def test_width_one_is_greedy(seed):
    step, state, _ = chain(seed)
    (found,) = beam_search(step, state, config(width=1))
    assert found == greedy_search(step, state, config())


def test_wide_beam_finds_the_best_of_all_sequences():
    for seed in range(6):
        step, state, table = chain(seed)
        best = -np.inf
        for length in range(4):
            inner = [t for t in range(PIECES) if t != END]
            for tokens in itertools.product(inner, repeat=length):
                path = (0, BEGIN, *tokens, END)
                total = sum(
                    float(table[a, b, c]) for a, b, c in zip(path, path[1:], path[2:], strict=False)
                )
                best = max(best, total / length_penalty(length + 1, 0.0))
        found = beam_search(step, state, config(width=400, max_length=4, alpha=0.0))
        assert found[0].log_probability == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_n_best_is_sorted_distinct_and_scored_as_it_says(seed):
    step, state, table = chain(seed)
    found = beam_search(step, state, config(width=5, n_best=5, max_length=60))
    scores = [one.score(0.8) for one in found]
    assert scores == sorted(scores, reverse=True)
    assert len({one.tokens for one in found}) == len(found) == 5
    for one in found:
        path = (0, BEGIN, *one.tokens, END)
        expected = [table[a, b, c] for a, b, c in zip(path, path[1:], path[2:], strict=False)]
        assert one.token_log_probabilities == pytest.approx(expected)
        assert len(one.attention) == len(expected)


def test_all_beams_go_through_the_decoder_in_one_call():
    calls = []
    step, state, _ = chain(5, calls)
    found = beam_search(step, state, config(width=4))
    assert max(calls) <= 4
    assert calls[0] == 1
    assert len(calls) <= 13
    assert found


def test_search_is_repeatable():
    step, state, _ = chain(2)
    assert beam_search(step, state, config(width=4)) == beam_search(step, state, config(width=4))


def test_length_penalty_is_wus():
    assert length_penalty(1, 0.7) == 1.0
    assert length_penalty(7, 1.0) == pytest.approx(2.0)
    assert length_penalty(30, 0.0) == 1.0


def stutter(tokens, state):
    """A decoder that would say tokens 2 and 3 for ever, and never ends by itself."""
    scores = np.full((len(tokens), PIECES), -5.0, np.float32)
    scores[:, END] = -20.0
    scores[np.arange(len(tokens)), np.where(tokens == 2, 3, 2)] = -0.1
    return scores, state, np.ones((len(tokens), 1), np.float32)


def test_length_is_capped():
    state = np.zeros((1, 1), np.float32)
    found = beam_search(stutter, state, config(width=3, max_length=7))
    assert all(len(one.tokens) == 7 and not one.ended for one in found)
    assert len(greedy_search(stutter, state, config(max_length=7)).tokens) == 7


@pytest.mark.parametrize("width", [1, 4])
def test_loops_are_broken(width):
    state = np.zeros((1, 1), np.float32)
    for one in beam_search(stutter, state, config(width=width, max_length=12, repeats=3)):
        text = "".join(map(str, one.tokens))
        assert "232323" not in text
        assert "323232" not in text
