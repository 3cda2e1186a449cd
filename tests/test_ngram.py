"""The runtime's trigrams say what they were counted to say, and turn the beam."""

import numpy as np
import pytest
from scripted_decoder import scripted_decoder

from edgeasr.attention_search import Fusion, SearchConfig, search
from edgeasr.errors import BundleError
from edgeasr.ngram import Trigrams

pytest.importorskip("torch")

from training.ngram import NGram
from training.recogniser_lm import count_trigrams, write_trigrams

UNITS, END = 6, 0
TEXT = [[1, 2, 3], [1, 2, 4], [1, 2, 3], [5, 2, 4], [5, 2, 4], [3]]


def trigrams(tmp_path, *, least):
    path = tmp_path / "trigrams.npz"
    write_trigrams(count_trigrams(TEXT, end=END, least=least), path, units=UNITS)
    return Trigrams(path)


@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize("history", [(0, 0), (0, 1), (1, 2), (5, 2), (4, 4), (3, 1)])
def test_chances_of_all_units_sum_to_one(tmp_path, least, history):
    chances = np.exp(trigrams(tmp_path, least=least).log_probs(history, np.arange(UNITS)))
    assert chances.sum() == pytest.approx(1.0, abs=5e-3)  # stored in half precision


@pytest.mark.parametrize("history", [(0, 0), (0, 5), (1, 2), (2, 3), (4, 1)])
def test_they_equal_the_plain_estimate(tmp_path, history):
    plain = NGram(TEXT, order=3, units=UNITS)
    expected = [plain.probability(history, unit) for unit in range(UNITS)]
    said = np.exp(trigrams(tmp_path, least=1).log_probs(history, np.arange(UNITS)))
    np.testing.assert_allclose(said, expected, rtol=5e-3)


def test_a_file_that_is_no_language_model_is_named(tmp_path):
    path = tmp_path / "trigrams.npz"
    path.write_bytes(b"PK not really")
    with pytest.raises(BundleError, match=r"trigrams\.npz is no language model"):
        Trigrams(path)


@pytest.mark.parametrize(("weight", "expected"), [(0.0, (5, 2, 3)), (0.5, (5, 2, 4))])
def test_fusion_decides_between_sounds_that_are_equal(tmp_path, weight, expected):
    """The decoder hears 3 and 4 alike, 3 a little more; after 5 2 only 4 was ever read."""
    chances = {(): {5: 0.9}, (5,): {2: 0.9}, (5, 2): {3: 0.5, 4: 0.45}}

    step = scripted_decoder(chances, start=2, end=END, units=8)
    fusion = Fusion(model=trigrams(tmp_path, least=1), weight=weight, reward=0.0)
    config = SearchConfig(start=[6, 7], end=END, width=2, most_units=6, banned=(6, 7),
                          starts_word=np.ones(8, bool), fusion=fusion)  # fmt: skip
    empty = np.zeros((1, 0), int)
    assert search(step, empty, config, None)[0].units == expected
