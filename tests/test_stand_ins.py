import pytest

from edgeasr.bundle import Bundle
from edgeasr.loading import MODELS_FOLDER
from edgeasr.stand_ins import put_back, stand_in, unknown_words
from edgeasr.translator import Translator


@pytest.fixture(scope="module")
def french():
    return Translator(Bundle(MODELS_FOLDER / "translator-en-fr", kind="translator"))


def pieces(word):
    return 4 if word[0] in "xX" else 1


def test_long_spelled_words_that_were_not_copied_are_unknown():
    assert unknown_words("call Xiaoping and xenia", "Appelle Wayaque", pieces) == [
        "Xiaoping", "xenia",
    ]  # fmt: skip
    assert unknown_words("call Xiaoping", "Appelle xiaoping.", pieces) == []
    assert unknown_words("call Tom and Xiaoping", "Appelle Tom.", pieces) == []
    assert len(unknown_words("xa1 xbb xcc xdd xee", "", pieces)) == 2


def test_only_whole_words_are_exchanged():
    assert stand_in("call xi, xiao and xi", "xi") == "call Tom, xiao and Tom"


@pytest.mark.parametrize(
    ("translation", "text", "word", "named"),
    [
        ("Appelle Tom.", "call xiaoping", "xiaoping", "Appelle Xiaoping."),
        ("Appelle Tom.", "Call McGee.", "McGee", "Appelle McGee."),
        ("J'ai Tom.", "I have xylophones.", "xylophones", "J'ai xylophones."),
        ("Tom appelle Tom.", "call xiaoping", "xiaoping", None),
        ("Appelle une tomate.", "call xiaoping", "xiaoping", None),
    ],
)
def test_a_word_comes_back_where_its_stand_in_is(translation, text, word, named):
    assert put_back(translation, text, word) == named


@pytest.mark.parametrize("order", ["call Xiaoping", "call xiaoping"])
def test_a_name_never_seen_is_copied(french, order):
    result = french.translate(order, n_best=3)
    assert result.text == "Appelle Xiaoping."
    assert result.n_best[0].text == result.text
    assert 0 <= result.confidence <= 1


def test_a_sentence_with_two_parts_keeps_its_name(french):
    text = french.translate("Call Xiaoping. Turn off the lights.").text
    assert "Xiaoping" in text
    assert "lumières" in text
