import numpy as np
import pytest
from scripted_decoder import scripted_decoder

from edgeasr.attention_search import SearchConfig, search
from edgeasr.errors import ConfigError
from edgeasr.hints import Hints, HintTree

WORDS = {"go": [0], "play": [1], "abba": [2, 3], "abbey": [2, 4], "road": [5]}
STARTS = np.array([True, True, True, False, False, True, False])
END = 6
ONES = [1.0] * 7


def encode(text):
    return [unit for word in text.split() for unit in WORDS[word]]


def run(tree, units):
    """Return the bonus after each unit."""
    state, total, after = tree.start, 0.0, []
    for unit in units:
        state, change = tree.step(state, unit, at_word_start=bool(STARTS[unit]))
        total += change
        after.append(total)
    return state, after


def test_each_matched_unit_earns_the_bonus():
    tree = HintTree(Hints(["abbey road"]), encode, bonuses=ONES)
    _, after = run(tree, [1, 2, 4, 5])
    assert after == [0.0, 1.0, 2.0, 3.0]


def test_a_phrase_that_breaks_off_gives_its_bonus_back():
    tree = HintTree(Hints(["abbey road"]), encode, bonuses=ONES)
    _, after = run(tree, [2, 4, 0])
    assert after == [1.0, 2.0, 0.0]
    state, _ = run(tree, [2, 4])
    assert tree.settle(state) == -2.0


def test_a_finished_phrase_keeps_its_bonus():
    tree = HintTree(Hints(["abba"]), encode, bonuses=ONES)
    state, after = run(tree, [2, 3])
    assert after[-1] + tree.settle(state) == 2.0
    _, after = run(tree, [2, 3, 0])
    assert after[-1] == 2.0


def test_a_word_that_goes_on_after_the_phrase_gives_its_bonus_back():
    tree = HintTree(Hints(["go"]), encode, bonuses=ONES)
    _, after = run(tree, [0, 3])
    assert after == [1.0, 0.0]
    _, after = run(tree, [0, 1])
    assert after == [1.0, 1.0]


def test_each_unit_has_a_bonus_of_its_own():
    tree = HintTree(Hints(["abbey road"]), encode, bonuses=[0, 0, 0.5, 0, 2.0, 3.0, 0])
    _, after = run(tree, [2, 4, 5])
    assert after == [0.5, 2.5, 5.5]


def test_a_broken_phrase_can_begin_another():
    tree = HintTree(Hints(["abbey road", "play abba"]), encode, bonuses=ONES)
    _, after = run(tree, [2, 4, 1, 2, 3])
    assert after == [1.0, 2.0, 1.0, 2.0, 3.0]


def test_hints_are_normalised():
    assert Hints(["  Abbey—Road! ", "", "Don’t  Stop"]).normalised() == ["abbey road", "don't stop"]


@pytest.mark.parametrize("phrases", [["x"] * 10_001, ["x" * 201]])
def test_too_many_or_too_long_hints_are_refused(phrases):
    with pytest.raises(ConfigError, match=r"at most|longer"):
        Hints(phrases)


def decode(tree, width=3):
    """Search a decoder that finds `abba` a little likelier than `abbey`."""
    log_probs = {
        (): {1: 0.9}, (1,): {2: 0.95}, (1, 2): {3: 0.55, 4: 0.44}, (1, 2, 3): {END: 0.9},
        (1, 2, 4): {END: 0.9},
    }  # fmt: skip

    step = scripted_decoder(log_probs, start=1, end=END, units=7)
    empty = np.zeros((1, 0), int)
    config = SearchConfig(start=[9], end=END, width=width, most_units=6, starts_word=STARTS)
    return search(step, empty, config, tree)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_without_hints_the_likelier_wins(width):
    assert decode(None, width)[0].units == (1, 2, 3)


def test_a_hint_turns_the_choice():
    tree = HintTree(Hints(["abbey"]), encode, bonuses=[0.5] * 7)
    assert decode(tree)[0].units == (1, 2, 4)


def test_candidates_come_best_first():
    scores = [candidate.score for candidate in decode(None, 4)]
    assert scores == sorted(scores, reverse=True)
