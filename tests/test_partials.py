import numpy as np
import pytest

from edgeasr.partials import PartialDecoder, common_prefix, most_units, repeats

END, START = 9, [7, 8]


FRAMES = 6  # of a unit


class Memory:
    """Each frame's state is the unit that is said in it."""

    def run(self, inputs):
        return {"keys_0": inputs["last"].reshape(1, 1, -1, 1)}


class Decoder:
    """Repeats the units of the memory; the length of the cache says which one is next."""

    def __init__(self):
        self.fed = []

    def zeros(self, name, **dims):
        return np.zeros((1, 1, 0, 1), np.float32)

    def run(self, inputs):
        (units,) = inputs["units"].tolist()
        self.fed.append(units)
        now = np.concatenate([inputs["past"], np.reshape(units, (1, 1, -1, 1))], axis=2)
        said = inputs["memory_keys_0"].reshape(-1)[::FRAMES].astype(int).tolist()
        assert now.reshape(-1)[: len(START)].tolist() == START
        first = now.shape[2] - len(units) - len(START)
        log_probs = np.full((1, len(units), 10), -5.0, np.float32)
        for row in range(len(units)):
            position = first + row + 1
            log_probs[0, row, said[position] if 0 <= position < len(said) else END] = 0.0
        return {"log_probs": log_probs, "now": now}


@pytest.fixture
def decoder():
    return Decoder()


@pytest.fixture
def partial(decoder):
    return PartialDecoder(Memory(), decoder, start=START, end=END)


def states(*units):
    return np.repeat(np.array(units, np.float32), FRAMES).reshape(1, -1, 1)


def hear(partial, *units, ahead=()):
    partial.hear(states(*units), states(*ahead))


def test_words_grow_with_what_is_heard(partial):
    hear(partial, 1, 2)
    assert partial.spell() == (1, 2)
    hear(partial, 3)
    assert partial.spell() == (1, 2, 3)


def test_what_is_heard_ahead_counts_until_the_next_chunk(partial):
    hear(partial, 1, 2, ahead=(6,))
    assert partial.spell() == (1, 2, 6)
    hear(partial, 3, 4, ahead=(5,))
    assert partial.spell() == (1, 2, 3, 4, 5)


def test_what_is_not_settled_is_checked_at_once_and_only_what_is_new_is_spelled(partial, decoder):
    for unit in (1, 2, 3, 4):
        hear(partial, unit)
        partial.spell()
    decoder.fed.clear()
    hear(partial, 5)
    assert partial.spell() == (1, 2, 3, 4, 5)
    assert decoder.fed == [[3, 4], [5]]


def test_what_two_runs_agree_on_stays_and_the_rest_may_change(partial):
    hear(partial, 1, 2)
    partial.spell()
    hear(partial, 3)
    partial.spell()
    partial._heard["memory_keys_0"][0, 0, :, 0] = np.repeat([6, 6, 4], FRAMES)
    hear(partial, 5)
    assert partial.spell() == (1, 2, 4, 5)


def test_no_more_is_spelled_than_can_be_said_in_the_time(partial):
    partial.hear(states(1, 2, 3, 4, 5, 6)[:, ::2], states())
    partial._heard["memory_keys_0"] = np.repeat([1, 2, 3, 4, 5, 6], FRAMES)[None, None, :, None]
    assert partial.spell() == (1, 2, 3)  # half of the frames
    hear(partial, 4)
    assert partial.spell() == (1, 2, 3, 4)
    assert most_units(36, len(START)) == 14
    assert most_units(10_000, 5) == 155


def test_a_loop_is_cut(partial):
    hear(partial, *([1, 2, 3, 4, 5, 6] * 40))
    assert partial.spell() == (1, 2, 3, 4, 5, 6)
    assert repeats([1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4, 5, 6])
    assert not repeats([1] * 11)


def test_common_prefix():
    assert common_prefix((1, 2, 3), (1, 2, 4, 5)) == 2
    assert common_prefix((), (1,)) == 0
