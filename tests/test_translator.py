"""The shipped translators: sentences, bad input, attention, confidence."""

import numpy as np
import pytest

from edgeasr.attention_map import draw_attention
from edgeasr.beam import BeamConfig, greedy_search
from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.errors import TextError
from edgeasr.loading import load_translator
from edgeasr.translator import BEGIN, END, MAX_WORDS, Translator

ORDERS = {
    "turn off the kitchen lights": "Éteins les lumières de la cuisine.",
    "Turn off the kitchen lights.": "Éteins les lumières de la cuisine.",
    "turn on the lamp in the hallway": "Allume la lampe du couloir.",
    "is the kitchen light on": "La lumière de la cuisine est-elle allumée ?",
    "set a timer for ten minutes": "Mets un minuteur de 10 minutes.",
    "could you please close the blinds in the office": (
        "Pourrais-tu fermer les stores du bureau, s'il te plaît ?"
    ),
    "set the living room temperature to twenty one degrees": (
        "Règle la température du salon sur 21 degrés."
    ),
    "what time is it": "Quelle heure est-il ?",
    "lock the front door": "Verrouille la porte d'entrée.",
    "add milk to the shopping list": "Ajoute du lait à la liste de courses.",
}


@pytest.fixture(scope="module")
def french():
    return Translator(Bundle(MODELS_FOLDER / "translator-en-fr", kind="translator"))


@pytest.mark.parametrize("order", ORDERS)
def test_orders_come_out_as_a_native_speaker_says_them(french, order):
    result = french.translate(order)
    assert result.text == ORDERS[order]
    assert not result.doubtful


def test_both_text_forms_are_read(french):
    plain = french.translate("what is the temperature in the bathroom").text
    assert french.translate("What is the temperature in the bathroom?").text == plain


def test_numbers_are_kept(french):
    for number in (17, 25, 40, 85):
        assert str(number) in french.translate(f"set the kitchen lights to {number}%").text


def test_width_one_equals_greedy_search(french):
    for order in [*ORDERS, "my sister bought a new car last week"]:
        source = [*french._source.encode(order), END]
        step, state = french._encode(source)
        limit = 2 * len(source) + 10
        config = BeamConfig(begin=BEGIN, end=END, max_length=limit, alpha=french._alpha)
        greedy = greedy_search(step, state, config)
        assert french.translate(order, beam=1).text == french._text(greedy)


def test_batched_beams_score_as_single_ones_do(french):
    for order in ORDERS:
        for one in french.translate(order, beam=4, n_best=4).n_best:
            alone = french.score(order, one.text)
            # another segmentation of the same text may score lower, never much higher; the beams
            # of a step share the rounding of their int8 products, which unlikely words feel most
            rounding = 0.05 + 0.1 * abs(one.score)
            assert alone.score(french._alpha) <= one.score + rounding or one.text == ""


def test_forced_score_equals_the_searched_one(french):
    order = "turn off the kitchen lights"
    result = french.translate(order)
    assert french.score(order, result.text).score(french._alpha) == pytest.approx(
        result.score, abs=0.02
    )


def test_n_best_is_sorted_and_starts_with_the_text(french):
    result = french.translate("open the window in the bedroom", beam=4, n_best=4)
    scores = [one.score for one in result.n_best]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert result.n_best[0].text == result.text


def test_two_calls_give_the_same(french):
    one, two = (french.translate("remind me to call the doctor tomorrow") for _ in range(2))
    assert (one.text, one.score, one.confidence) == (two.text, two.score, two.confidence)
    assert np.array_equal(one.attention, two.attention)


def test_attention_is_a_distribution_per_piece_and_finds_the_word(french):
    result = french.translate("turn off the kitchen lights")
    assert result.attention.shape == (len(result.tokens), len(result.source_tokens))
    assert result.attention.dtype == np.float32
    assert np.allclose(result.attention.sum(axis=1), 1, atol=1e-4)
    row = result.tokens.index("▁cuisine")
    near = result.attention[row].argmax() - result.source_tokens.index("▁kitchen")
    assert abs(near) <= 1


def test_drawing_writes_a_picture(french, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "map.png"
    draw_attention(french.translate("play 5 $ songs"), path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "...", "?!", "\x00\x01"])
def test_text_without_words_is_refused(french, text):
    with pytest.raises(TextError, match="give a sentence"):
        french.translate(text)


def test_ten_thousand_words_are_refused_with_the_limit(french):
    with pytest.raises(TextError, match=f"at most {MAX_WORDS} words"):
        french.translate("light " * 10_000)


def test_what_is_no_text_is_refused(french):
    with pytest.raises(TextError, match="int is not text"):
        french.translate(5)
    with pytest.raises(TextError, match="beam of 0"):
        french.translate("hello", beam=0)


def test_long_text_is_cut_at_its_marks_and_all_of_it_translated(french):
    text = " ".join(["Turn off the kitchen lights.", "Open the window in the bedroom."] * 8)
    result = french.translate(text)
    assert result.text.count("cuisine") == 8
    assert result.text.count("chambre") == 8
    assert result.attention.shape == (len(result.tokens), len(result.source_tokens))


@pytest.mark.parametrize(
    "text", ["x" * 3000, "日本語 " * 30, "é\u0301" * 50, "🙂 a 🙂", "'" + "a" * 9]
)
def test_odd_text_gets_some_answer_of_bounded_length(french, text):
    result = french.translate(text)
    assert isinstance(result.text, str)
    assert 0 <= result.confidence <= 1


def test_nonsense_is_marked_and_orders_are_trusted(french):
    sure = [french.translate(order).confidence for order in ORDERS]
    unsure = [
        french.translate(text).confidence
        for text in ("xqzv blorf gnitz wup", "qgwrt plkmnb zzxcv tt", "og eht dna fo taht")
    ]
    assert min(sure) > max(unsure)
    assert french.translate("xqzv blorf gnitz wup").doubtful


@pytest.mark.parametrize(
    ("language", "order", "said"),
    [
        ("de", "turn off the kitchen lights", "Schalte die Lichter in der Küche aus."),
        ("es", "turn off the kitchen lights", "Apaga las luces de la cocina."),
        ("es", "do not open the corridor curtains", "No abras las cortinas del pasillo."),
    ],
)
def test_other_languages_say_orders(language, order, said):
    translator = Translator(Bundle(MODELS_FOLDER / f"translator-en-{language}", kind="translator"))
    assert translator.translate(order).text == said
    assert (translator.source_language, translator.target_language) == ("en", language)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("ouvre la porte du garage", "Open the garage door."),
        ("n'ouvre jamais la porte du garage", "Never open the garage door."),
        ("ne verrouillez pas la porte d'entrée", "Don't lock the front door."),
        ("Quelle heure est-il ?", "What time is it?"),
    ],
)
def test_french_orders_come_out_in_english(order, said):
    translator = load_translator("en", source="fr")
    assert translator.translate(order).text == said


@pytest.mark.train
def test_network_steps_equal_the_whole_sequence():
    torch = pytest.importorskip("torch")
    from training.models.translator import TranslatorConfig, TranslatorNet  # noqa: PLC0415

    torch.manual_seed(0)
    sizes = {"embedding": 16, "encoder": 12, "decoder": 20, "attention": 8}
    net = TranslatorNet(TranslatorConfig(source_pieces=30, target_pieces=25, **sizes)).eval()
    source, target = torch.randint(4, 30, (2, 5)), torch.randint(4, 25, (2, 7))
    with torch.inference_mode():
        whole = net(source, target)
        encoded = net.encode(source)
        state, steps = encoded.state, []
        for column in target.unbind(1):
            logits, state, weights = net.step(column, encoded, state)
            steps.append(logits)
    assert torch.allclose(torch.stack(steps, 1), whole, atol=1e-5)
    with torch.inference_mode():
        _, whole_state, whole_weights = net.decode(target, encoded, encoded.state)
    assert torch.allclose(state, whole_state, atol=1e-5)
    assert torch.allclose(weights, whole_weights[:, -1], atol=1e-5)


@pytest.mark.train
def test_exported_network_equals_torch_with_rounded_matrices(tmp_path):
    torch = pytest.importorskip("torch")
    from training.models.translator import TranslatorConfig, TranslatorNet  # noqa: PLC0415
    from training.translator_export import export_networks  # noqa: PLC0415

    torch.manual_seed(0)
    net = TranslatorNet(TranslatorConfig(source_pieces=60, target_pieces=50)).eval()
    assert export_networks(net, tmp_path, {"tokens": "x"}) < 1e-3
