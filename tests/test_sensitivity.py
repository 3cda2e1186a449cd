import pytest

from edgeasr.errors import CommandError
from edgeasr.loading import load_wake
from edgeasr.sensitivity import with_thresholds


@pytest.fixture(scope="module")
def wake():
    return load_wake()


def test_a_half_is_the_models_own_threshold(wake):
    words = with_thresholds({"sensitivity": 0.5}, wake)["words"]
    assert words.keys() == set(wake.words)
    for name, own in words.items():
        assert own["threshold"] == pytest.approx(wake.thresholds[name])


def test_more_sensitive_is_a_lower_threshold(wake):
    at = [with_thresholds({"words": {"alexa": {"sensitivity": s}}}, wake) for s in (0, 0.5, 1)]
    thresholds = [one["words"]["alexa"]["threshold"] for one in at]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[2]


def test_a_words_own_sensitivity_goes_before_the_common_one(wake):
    changes = {"sensitivity": 1.0, "words": {"alexa": {"on": False, "sensitivity": 0.5}}}
    words = with_thresholds(changes, wake)["words"]
    assert words["alexa"] == {"on": False, "threshold": pytest.approx(wake.thresholds["alexa"])}


@pytest.mark.parametrize("value", [2, -1, "high", True, None])
def test_what_is_no_sensitivity_is_refused(wake, value):
    with pytest.raises(CommandError, match="0 to 1"):
        with_thresholds({"words": {"alexa": {"sensitivity": value}}}, wake)


def test_other_changes_pass_untouched(wake):
    changes = {"beam": 3, "words": {"hal": {"sensitivity": 1}, "alexa": True}}
    assert with_thresholds(changes, wake) == changes
