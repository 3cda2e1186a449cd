"""French commands to English, and plans in the present progressive."""

import re

import pytest

pytest.importorskip("sentencepiece")

pytest.importorskip("torch")

from training.translator_corpus import commands_of
from training.translator_data import split_of
from training.translator_french import french_command_pairs, french_templates
from training.translator_plans import plan_pairs


def test_every_row_of_other_wordings_belongs_to_a_command():
    wordings = [template.targets["fr"] for template in french_templates()]
    assert "<tamise|tamiser> {dim}" in wordings
    assert len(wordings) > 450


def test_held_out_french_is_never_taught():
    by_split = {
        split: {t.targets["fr"] for t in french_templates() if t.split == split}
        for split in ("train", "dev", "test")
    }
    assert len(by_split["test"]) > 20
    assert not by_split["test"] & (by_split["train"] | by_split["dev"])
    assert all(split_of(pair.english) == "train" for pair in french_command_pairs("train", 2000))


def test_french_commands_are_whole_sentences():
    pairs = french_command_pairs("train", 4000)
    for pair in pairs:
        assert pair.english[0].isupper()
        assert pair.english[-1] in ".?"
        for mark in ("{", "}", "<", ">", "|", "  "):
            assert mark not in pair.english + pair.other
    said = {pair.other.lower().strip(" .!?"): pair.english for pair in pairs}
    assert any(re.match(r"éteignez .* s'il vous plaît$", text) for text in said)
    assert any(re.match(r"pouvez-vous \w+r ", text) for text in said)
    assert not any("can you don't" in english.lower() for english in said.values())


def test_english_has_one_wording_for_a_meaning():
    """The same French, said twice, is never taught with two English sentences but for an alarm."""
    english = {}
    for pair in french_command_pairs("train", 4000):
        english.setdefault(pair.other.lower().strip(" .!?"), set()).add(pair.english)
    several = {text for text, found in english.items() if len(found) > 1}
    assert len(several) < 0.01 * len(english)


def test_only_languages_with_wordings_have_commands():
    assert commands_of("en-de", "test", 3)[0].other
    with pytest.raises(ValueError, match="no wordings of commands in de"):
        commands_of("de-en", "test", 3)


def test_plans_are_active_in_every_language():
    french = {p.english: p.other for p in plan_pairs("fr", "train", 1500)}
    german = {p.english: p.other for p in plan_pairs("de", "train", 1500)}
    for english, other in french.items():
        if "visiting France" in english and "not" not in english and "n't" not in english:
            assert re.search(r"\bvisit(e|es|ons|ent) la France\b", other)
    refused = [e for e in german if re.search(r"\bnot\b|n't", e)]
    assert len(refused) > 100
    assert all(re.search(r"\b(nicht|keine?)\b", german[e]) for e in refused)
    assert not any(re.search(r"\b(nicht|keine?)\b", german[e]) for e in set(german) - set(refused))


def test_a_visit_to_africa_is_held_out():
    taught = {pair.english for pair in plan_pairs("fr", "train", 3000)}
    assert not any("visiting Africa" in english for english in taught)
    assert any("visiting Africa" in pair.english for pair in plan_pairs("fr", "test", 300))
