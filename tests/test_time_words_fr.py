import pytest

from edgeasr.bundle import Bundle
from edgeasr.loading import MODELS_FOLDER
from edgeasr.time_words_fr import clock_figures_fr
from edgeasr.translator import Translator


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Réveille-moi à sept heures et demie.", "Réveille-moi à 7 h 30."),
        ("il est dix heures moins vingt", "il est 9 h 40"),
        ("à huit heures moins le quart", "à 7 h 45"),
        ("à vingt et une heures cinq", "à 21 h 05"),
        ("à une heure moins cinq", "à 12 h 55"),
        ("à sept heures du soir", "à 19 h"),
        ("à 3 heures de l'après-midi", "à 15 h"),
        ("à 9h du matin", "à 9 h"),
        ("Il est midi et demi.", "Il est 12 h 30."),
        ("à minuit moins le quart", "à 23 h 45"),
        ("une alarme pour 7h30", "une alarme pour 7 h 30"),
        ("à 14 h 30", "à 14 h 30"),
        ("une alarme pour six heures et quart", "une alarme pour 6 h 15"),
    ],
)
def test_times_are_written_in_figures(said, written):
    assert clock_figures_fr(said) == written


@pytest.mark.parametrize(
    "text",
    [
        "à sept heures", "J'ai attendu deux heures et demie.", "dans 2 heures",
        "un minuteur de deux heures trente minutes", "pendant 2 heures 30 minutes", "à minuit",
        "il a 7 habits", "à 99h99", "",
    ],
)  # fmt: skip
def test_what_is_no_such_time_stays(text):
    assert clock_figures_fr(text) == text


@pytest.mark.parametrize("time", ["sept heures et demie", "7h30", "7 h 30"])
def test_a_time_in_words_is_translated(time):
    translator = Translator(Bundle(MODELS_FOLDER / "translator-fr-en", kind="translator"))
    assert "7:30" in translator.translate(f"Réveille-moi à {time}.").text
