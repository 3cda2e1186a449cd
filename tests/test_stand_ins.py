import re
from dataclasses import replace

import numpy as np
import pytest

from edgeasr.bundle import Bundle
from edgeasr.faithful import Faithful
from edgeasr.figures import figures
from edgeasr.loading import MODELS_FOLDER
from edgeasr.pieces import exchanged
from edgeasr.stand_ins import Draft, unknown_words
from edgeasr.translation import Alternative, TranslationResult
from edgeasr.translator import Translator


@pytest.fixture(scope="module")
def french():
    return Translator(Bundle(MODELS_FOLDER / "translator-en-fr", kind="translator"))


def pieces(word):
    return 4 if word[0] in "xX" else 1


def result(text, score=-1.0):
    return TranslationResult(
        text=text, confidence=0.8, doubtful=False, score=score, source_tokens=(), tokens=(),
        attention=np.zeros((0, 0), np.float32), n_best=(Alternative(text, score),),
    )  # fmt: skip


def improved(text, plain, others):
    """Improve a translation with a network that knows the sentences in `others`."""
    asked = []

    def translate(text):
        asked.append(text)
        return result(*others.get(text, ("?", -9.0)))

    faithful = Faithful("en", "fr", translate, pieces, doubt_below=0.3)
    return faithful.improve(text, result(*plain)), asked


def test_long_spelled_words_that_were_not_copied_are_unknown():
    assert unknown_words("call Xiaoping and xenia", "Appelle Wayaque", pieces) == [
        "Xiaoping", "xenia",
    ]  # fmt: skip
    assert unknown_words("call Xiaoping", "Appelle xiaoping.", pieces) == []


def test_only_whole_words_are_exchanged():
    assert Draft("call xi, xiao and xi").with_name("xi", "fr").text == "call Tom, xiao and Tom"


def test_there_are_two_names():
    draft = Draft("call xi and xo").with_name("xi", "fr").with_name("xo", "fr")
    assert draft.text == "call Tom and John"
    assert draft.restored("Appelle Tom et John.") == "Appelle Xi et Xo."
    assert draft.with_name("and", "fr") is None
    assert Draft("Tom calls Xo").with_name("Xo", "fr").text == "Tom calls John"


@pytest.mark.parametrize(
    ("translation", "text", "word", "named"),
    [
        ("Appelle Tom.", "call xiaoping", "xiaoping", "Appelle Xiaoping."),
        ("Appelle Tom.", "Call McGee.", "McGee", "Appelle McGee."),
        ("La chambre de Tom.", "ada's room", "ada", "La chambre d'Ada."),
        ("Je pense que Tom dort.", "i think ada sleeps", "ada", "Je pense qu'Ada dort."),
        ("Chambre de Tom.", "Bo's room.", "Bo", "Chambre de Bo."),
        ("J'ai Tom.", "I have xylophones.", "xylophones", "J'ai xylophones."),
        ("Tom appelle Tom.", "call xiaoping", "xiaoping", None),
        ("Appelle une tomate.", "call xiaoping", "xiaoping", None),
    ],
)
def test_a_word_comes_back_where_its_stand_in_is(translation, text, word, named):
    assert Draft(text).with_name(word, "fr").restored(translation) == named


@pytest.mark.parametrize(
    ("text", "sent", "translation", "restored"),
    [
        ("set it to 67 degrees", "set it to 20 degrees", "sur 20 degrés", "sur 67 degrés"),
        ("set it to 67 degrees", "set it to 20 degrees", "sur vingt degrés", "sur 67 degrés"),
        ("it costs 12,500 euros", "it costs 300 euros", "300 euros", "12 500 euros"),
        ("to 21.5 degrees", "to 20 degrees", "à 20 degrés", "à 21,5 degrés"),
        ("born in 1987", "born in 2013", "né en 2013", "né en 1987"),
        ("on may 23rd", "on may 20th", "le 20 mai", "le 23 mai"),
        ("call 555 0192", "call 300", "le 300", "le 555 0192"),
        ("20 or 67", "20 or 30", "20 ou 30", "20 ou 67"),
        ("set it to 67 degrees", "set it to 20 degrees", "sur 120 degrés", None),
    ],
)
def test_a_number_comes_back_where_its_stand_in_is(text, sent, translation, restored):
    draft = Draft(text).with_numbers(figures(text, "en")[-1:], "fr")
    assert draft.text == sent
    assert draft.restored(translation) == restored


@pytest.mark.parametrize(
    ("found", "put", "shown", "starts"),
    [
        ("tom", "Xi", ("▁call", "▁Xi", "</s>"), [0, 1, 3]),
        ("call", "dial", ("▁dial", "▁t", "om", "</s>"), [0, 1, 2, 3]),
        ("all t", "x", ("▁cx", "om", "</s>"), [0, 2, 3]),
        ("nobody", "x", ("▁call", "▁t", "om", "</s>"), [0, 1, 2, 3]),
    ],
)
def test_pieces_show_what_stands_there(found, put, shown, starts):
    pieces = ("▁call", "▁t", "om", "</s>")
    assert exchanged(pieces, re.compile(found), lambda _: put) == (shown, starts)


def test_rows_and_columns_of_a_stand_in_become_those_of_the_original():
    draft = Draft("set it to 67").with_numbers(figures("set it to 67", "en"), "fr")
    found = replace(
        result("sur vingt."), source_tokens=("▁to", "▁2", "0", "</s>"),
        tokens=("▁sur", "▁v", "ingt", ".", "</s>"),
        attention=np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.4, 0.4, 0.1], [0.1, 0.2, 0.6, 0.1],
                            [0.2, 0.1, 0.1, 0.6], [0.1, 0.0, 0.1, 0.8]], np.float32),
    )  # fmt: skip
    restored = draft.restore(found)
    assert restored.tokens == ("▁sur", "▁67", ".", "</s>")
    assert restored.source_tokens == ("▁to", "▁67", "</s>")
    assert restored.attention[1] == pytest.approx([0.1, 0.8, 0.1])


def test_nothing_more_is_asked_where_all_is_there():
    best, asked = improved("call Bob at 7:20", ("Appelle Bob à 7 h 20.", -1.0), {})
    assert best.text == "Appelle Bob à 7 h 20."
    assert asked == []


def test_figures_are_tried_for_number_words():
    others = {"it costs 389 dollars": ("Cela coûte 389 dollars.", -2.0)}
    text = "it costs three hundred eighty nine dollars"
    best, asked = improved(text, ("Cela coûte trois cents dollars.", -1.0), others)
    assert best.text == "Cela coûte 389 dollars."
    assert best.n_best[0].text == best.text
    assert asked == list(others)


def test_an_hour_that_is_lost_is_tried_by_the_other_clock():
    others = {"wake me at 14:00": ("Réveille-moi à 14 h.", -1.0)}
    best, _ = improved("wake me at two pm", ("Réveille-moi à 23 h.", -0.5), others)
    assert (best.text, best.doubtful) == ("Réveille-moi à 14 h.", False)


def test_a_name_beside_a_number_may_be_in_its_way():
    others = {"Tom bought 20 apples": ("Tom a acheté vingt pommes.", -1.0)}
    best, _ = improved("Xiao bought 47 apples", ("Xiao a acheté des pommes.", -1.0), others)
    assert best.text == "Xiao a acheté 47 pommes."
    assert not best.doubtful


def test_a_number_that_stays_lost_is_marked():
    best, asked = improved("she is 93", ("Elle a 40 ans.", -1.0), {})
    assert best.text == "Elle a 40 ans."
    assert best.doubtful
    assert best.confidence == pytest.approx(0.4)
    assert 0 < len(asked) < 8


def test_a_name_is_exchanged_only_where_the_score_gains():
    plain = ("Appelle Wayo.", -2.0)
    better, _ = improved("call xiao", plain, {"call Tom": ("Appelle Tom.", -0.5)})
    alike, _ = improved("call xiao", plain, {"call Tom": ("Appelle Tom.", -1.5)})
    assert (better.text, alike.text) == ("Appelle Xiao.", "Appelle Wayo.")


def test_attention_is_told_for_the_words_of_the_text(french):
    found = french.translate("call Xiaoping")
    assert (found.source_tokens, found.tokens[1]) == (("▁call", "▁Xiaoping", "</s>"), "▁Xiaoping")
    assert found.attention.shape == (len(found.tokens), len(found.source_tokens))
    assert found.attention[1].argmax() == 1


@pytest.mark.parametrize("order", ["call Xiaoping", "call xiaoping"])
def test_a_name_never_seen_is_copied(french, order):
    found = french.translate(order, n_best=3)
    assert found.text == "Appelle Xiaoping."
    assert found.n_best[0].text == found.text
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize("number", ["67 degrees", "sixty seven degrees", "98 degrees"])
def test_a_number_is_kept(french, number):
    text = french.translate(f"set the thermostat to {number}").text
    assert ("98" if "98" in number else "67") in text


def test_a_sentence_with_two_parts_keeps_its_name(french):
    text = french.translate("Call Xiaoping. Turn off the lights.").text
    assert "Xiaoping" in text
    assert "lumières" in text


@pytest.mark.parametrize("time", ["at quarter to nine", "at a quarter to nine", "at 8:45"])
def test_a_quarter_to_an_hour_is_before_it(french, time):
    assert french.translate(f"wake me up {time}").text == "Réveille-moi à 8 h 45."


@pytest.mark.parametrize(
    "text", ["9" * 4500, "7 " * 500, "1,234,567.89 " * 60, "at 25:99 pm 3rd " * 30]
)
def test_endless_numbers_are_answered(french, text):
    assert french.translate(text, beam=1).text
