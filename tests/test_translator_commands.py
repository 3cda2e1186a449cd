"""The command grammar: articles and agreement, splits, text forms, names."""

import random
import re

import pytest

pytest.importorskip("sentencepiece")

from training.translator_commands import command_pairs, templates
from training.translator_data import Pair, split_of, tidy_target
from training.translator_forms import normal_key, slips, spoken_form
from training.translator_names import rename
from training.translator_nouns import Noun, phrase, where


def noun(classes, en, fr, de, es):
    return Noun((classes,), {"en": en, "fr": fr, "de": de, "es": es})


KITCHEN = noun("room", "kitchen", "cuisine f", "Küche f", "cocina f")
LOUNGE = noun("room", "living room", "salon m", "Wohnzimmer n", "salón m")
ENTRANCE = noun("room", "entrance", "entrée f", "Eingang m", "entrada f")
TOILET = noun("room", "toilet", "toilettes fp", "Toilette f", "aseo m")
TERRACE = noun("room-on", "terrace", "terrasse f", "Terrasse f", "terraza f")
FLOOR = noun("floor", "first floor", "premier étage m", "erster Stock m", "primer piso m")
LAMPS = noun("light", "lamps", "lampes fp", "Lampen p", "lámparas fp")
FAN = noun("power", "fan", "ventilateur m", "Ventilator m", "ventilador m")


@pytest.mark.parametrize(
    ("place", "french", "german", "spanish"),
    [
        (KITCHEN, "le ventilateur de la cuisine", "in der Küche", "en la cocina"),
        (LOUNGE, "le ventilateur du salon", "im Wohnzimmer", "en el salón"),
        (ENTRANCE, "le ventilateur de l'entrée", "im Eingang", "en la entrada"),
        (TOILET, "le ventilateur des toilettes", "in der Toilette", "en el aseo"),
        (TERRACE, "le ventilateur de la terrasse", "auf der Terrasse", "en la terraza"),
        (FLOOR, "le ventilateur du premier étage", "im ersten Stock", "en el primer piso"),
    ],
)
def test_articles_and_contractions(place, french, german, spanish):
    assert phrase(FAN, place, "fr") == french
    assert where(place, "de") == german
    assert where(place, "es") == spanish


def test_participles_agree():
    lamps, fan = phrase(LAMPS, None, "fr"), phrase(FAN, None, "fr")
    assert (lamps.il, lamps.est, lamps.allumé) == ("elles", "sont", "allumées")
    assert (fan.il, fan.est, fan.éteint) == ("il", "est", "éteint")
    assert phrase(LAMPS, None, "es").encendido == "encendidas"
    assert phrase(FAN, None, "de").nom == "der Ventilator"
    assert phrase(FAN, None, "de") == "den Ventilator"


@pytest.mark.parametrize("language", ["fr", "de", "es"])
def test_every_template_gives_a_whole_sentence(language):
    for split in ("train", "dev", "test"):
        for pair in command_pairs(language, split, 700):
            assert pair.other[0].isupper() or pair.other[0] == "¿"
            assert pair.other[-1] in ".?"
            for mark in ("{", "}", "<", ">", "|", "  "):
                assert mark not in pair.other + pair.english


def test_held_out_wordings_are_never_taught():
    taught = {t.english for t in templates() if t.split == "train"}
    kept = {t.english for t in templates() if t.split == "test"}
    assert len(kept) > 40
    assert not taught & kept
    sentences = {normal_key(p.english) for p in command_pairs("fr", "test", 300)}
    train = {normal_key(p.english) for p in command_pairs("fr", "train", 8000)}
    assert not sentences & train


def test_training_commands_hold_no_test_sentence():
    assert all(split_of(pair.english) == "train" for pair in command_pairs("fr", "train", 2000))


def test_draws_are_repeatable():
    assert command_pairs("de", "train", 200) == command_pairs("de", "train", 200)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Turn off the kitchen lights!", "turn off the kitchen lights"),
        ("It's 6:05 a.m.", "it's six oh five am"),
        ("Set it to 50%, please.", "set it to fifty percent please"),
        ("He paid $1,250.", "he paid one thousand two hundred fifty dollars"),
        ("In 1984", "in nineteen eighty four"),
        ("A well-known 'trick'", "a well known trick"),
        ("3.5 km", "three point five km"),
        ("On May 23rd", "on may twenty third"),
        ("the 12th, the 100th, the 40th", "the twelfth the one hundredth the fortieth"),
    ],
)
def test_spoken_form(text, spoken):
    assert spoken_form(text) == spoken


def test_slips_keep_most_words():
    draw = random.Random(1)
    for _ in range(50):
        words = slips("turn the light in the kitchen off please", draw).split()
        assert 7 <= len(words) <= 9


def test_splits_ignore_case_and_marks():
    assert split_of("Are you OK?") == split_of("are you ok")


def test_french_marks_have_a_plain_space():
    assert tidy_target("Qui\u202f?", "fr") == "Qui ?"
    assert tidy_target("Qui?", "fr") == "Qui ?"
    assert tidy_target("À 7:30.", "fr") == "À 7:30."


def test_names_change_on_both_sides_and_keep_elision():
    draw = random.Random(0)
    pair = Pair(
        "Tom's sister knows that Tom is ill.", "La sœur de Tom sait que Tom est malade.", ""
    )
    names = set()
    for _ in range(60):
        renamed = rename(pair, "fr", draw)
        name = renamed.english.split("'")[0]
        assert renamed.other == f"La sœur de {name} sait que {name} est malade."
        assert name[0] not in "AEIOUÉ"
        names.add(name)
    assert len(names) > 30


@pytest.mark.parametrize(
    ("english", "french", "pattern"),
    [
        ("I like France.", "J'aime la France.", r"J'aime la [A-Z]\w+\."),
        ("He left for Italy.", "Il est parti en Italie.", r"Il est parti en [AEIÉ]\w+\."),
        ("See you on Monday.", "À lundi.", r"À \w+di\.|À dimanche\."),
        ("We have 5 cats.", "Nous avons 5 chats.", r"Nous avons ([2-9]|1[0-2]) chats\."),
    ],
)
def test_what_both_sides_name_is_replaced_in_both(english, french, pattern):
    draw = random.Random(0)
    renamed = [rename(Pair(english, french, ""), "fr", draw) for _ in range(40)]
    assert all(re.fullmatch(pattern, pair.other) for pair in renamed)
    assert len({(pair.english, pair.other) for pair in renamed}) > 4
    assert all((pair.english == english) == (pair.other == french) for pair in renamed)


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("It is 7:30 now.", "Il est 7 h 30."),
        ("I came two times in two days.", "Je suis venu deux fois en deux jours."),
        ("He may come.", "Il viendra peut-être."),
    ],
)
def test_what_only_one_side_names_stays(english, french):
    draw = random.Random(0)
    assert all(rename(Pair(english, french, ""), "fr", draw).other == french for _ in range(20))
