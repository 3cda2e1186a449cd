import pytest

from edgeasr.figures import figures, lost_figures, written


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("set it to 67 degrees at 6:47", "en", ["67", "6", "47"]),
        ("12,500 euros and 21.5 degrees", "en", ["12500", "21.5"]),
        ("12 500 euros et 21,5 degrés", "fr", ["12500", "21.5"]),
        ("12.500 Euro und 21,5 Grad", "de", ["12500", "21.5"]),
        ("call 555 0192", "en", ["5550192"]),
        ("code 0042", "en", ["0042"]),
        ("1 lamp", "en", []),
        ("no number", "en", []),
    ],
)
def test_figures_are_read_as_the_language_writes_them(text, language, values):
    found = figures(text, language)
    assert [figure.value for figure in found] == values
    assert all(text[figure.start].isdigit() for figure in found)


@pytest.mark.parametrize(
    ("text", "translation", "source", "target"),
    [
        ("it costs 12,500 euros", "ça coûte 12 500 euros", "en", "fr"),
        ("at 6:47 pm", "à 18 h 47", "en", "fr"),
        ("at 7:00", "à sept heures", "en", "fr"),
        ("at 7:30", "à sept heures et demie", "en", "fr"),
        ("add 3 eggs", "ajoute trois œufs", "en", "fr"),
        ("in the 1960s", "dans les années soixante", "en", "fr"),
        ("march 3rd", "le trois mars", "en", "fr"),
        ("a hundred: 100", "einhundert hundert", "en", "de"),
        ("20 apples", "veinte manzanas", "en", "es"),
        ("call 555 0192", "appelle le 5550 192", "en", "fr"),
        ("21,5 degrés", "21.5 degrees", "fr", "en"),
    ],
)
def test_numbers_may_look_different_in_the_translation(text, translation, source, target):
    assert lost_figures(text, translation, source, target) == []


@pytest.mark.parametrize(
    ("text", "translation", "values"),
    [
        ("set it to 67 degrees", "règle-le sur 4 degrés", ["67"]),
        ("at 6:47", "à 6 h", ["47"]),
        ("12,500 euros", "12,500 euros", ["12500"]),
        ("20 and 20", "20 et", ["20"]),
        ("march 23rd", "en mars", ["23"]),
        ("call 555 0192", "appelle le 555", ["5550192"]),
    ],
)
def test_a_number_that_is_not_there_is_lost(text, translation, values):
    lost = lost_figures(text, translation, "en", "fr")
    assert [figure.value for figure in lost] == values


@pytest.mark.parametrize(
    ("said", "language", "text"),
    [
        ("12,500", "fr", "12 500"), ("12,500", "de", "12.500"), ("12500", "fr", "12500"),
        ("21.5", "fr", "21,5"), ("21.5", "en", "21.5"), ("1,234,567.5", "es", "1.234.567,5"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_the_language_does(said, language, text):
    (figure,) = figures(said, "en")
    assert written(figure, said, language) == text
