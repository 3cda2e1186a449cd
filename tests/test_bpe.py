import pytest

from edgeasr.bpe import Bpe

UNITS = [*"abcdefghijklmnopqrstuvwxyz'", "Ġ", "Ġt", "he", "Ġthe", "Ġl", "Ġli", "ght"]
MERGES = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("Ġ", "l"), ("Ġl", "i")]


def test_merges_apply_in_their_order():
    assert Bpe(UNITS, MERGES).encode_word("the") == ["Ġthe"]
    assert Bpe(UNITS, MERGES).encode_word("light") == ["Ġli", "g", "h", "t"]


@pytest.mark.parametrize("text", ["", "the", "the light isn't the", "zzz"])
def test_decoding_gives_the_text_back(text):
    bpe = Bpe(UNITS, MERGES)
    assert bpe.decode(bpe.encode(text)) == text


def test_a_piece_that_is_no_unit_is_split_again():
    bpe = Bpe([unit for unit in UNITS if unit != "Ġli"], MERGES)
    assert bpe.encode_word("light") == ["Ġl", "i", "g", "h", "t"]


def test_letters_without_a_unit_are_left_out():
    bpe = Bpe(UNITS, MERGES)
    assert bpe.decode(bpe.encode("café")) == "caf"


def test_a_name_takes_the_capitals_that_spell_it_in_fewer_units():
    bpe = Bpe(
        [*UNITS, "ĠL", "ĠLi", "ĠThe"], [*MERGES, ("Ġ", "L"), ("ĠL", "i"), ("Ġ", "T"), ("ĠT", "he")]
    )
    without_li = Bpe([u for u in bpe.units if u != "Ġli"], [*MERGES, ("Ġ", "L"), ("ĠL", "i")])
    assert without_li.encode_word("light") == ["ĠLi", "g", "h", "t"]
    assert bpe.encode_word("light") == ["Ġli", "g", "h", "t"]  # lower case where it is no longer
    assert bpe.encode_word("the") == ["Ġthe"]
    assert without_li.decode(without_li.encode("the light")) == "the light"
