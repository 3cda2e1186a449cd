"""BIO paths and spans, and the shipped tagger."""

import itertools

import numpy as np
import pytest

from edgeasr.bio import Span, best_path, certainty, label_names, spans
from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.errors import TextError
from edgeasr.tagger import NONE, Encoder, Tagger

KINDS = ("room", "time")
LABELS = label_names(KINDS)


def allowed(path):
    names = [LABELS[i] for i in path]
    return all(
        not after.startswith("I-") or before[2:] == after[2:]
        for before, after in itertools.pairwise(["O", *names])
    )


def drawn(seed, words=4):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(words, len(LABELS))).astype(np.float32)
    moves = random.normal(size=(len(LABELS), len(LABELS))).astype(np.float32)
    every = [p for p in itertools.product(range(len(LABELS)), repeat=words) if allowed(p)]
    return scores, moves, every


def total(path, scores, moves):
    pairs = itertools.pairwise(path)
    return sum(scores[i, x] for i, x in enumerate(path)) + sum(moves[pair] for pair in pairs)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_path_is_the_best_of_all_allowed_ones(seed):
    scores, moves, every = drawn(seed)
    without = max(every, key=lambda path: total(path, scores, moves * 0))
    assert tuple(best_path(scores)) == without
    assert tuple(best_path(scores, moves)) == max(every, key=lambda p: total(p, scores, moves))


def test_certainty_is_the_share_of_all_allowed_paths():
    scores, moves, every = drawn(7)
    path = best_path(scores, moves)
    weights = np.exp([total(one, scores, moves) for one in every])
    shares = [
        sum(w for one, w in zip(every, weights, strict=True) if one[i] == path[i]) / weights.sum()
        for i in range(len(path))
    ]
    np.testing.assert_allclose(certainty(scores, moves, path), shares, rtol=1e-5)


def test_spans_of_labels():
    labels = ["B-room", "I-room", "O", "B-time", "B-time", "I-room"]
    assert spans(labels) == (
        Span("room", 0, 2), Span("time", 3, 4), Span("time", 4, 5), Span("room", 5, 6),
    )  # fmt: skip


def test_words_are_looked_up_without_case_apostrophes_and_digits():
    further = ["abba", "zürich"]
    encoder = Encoder(["whats", "000"], "abc", word_letters=4, further_words=further)
    ids, letters = encoder.encode(["What's", "123", "zzz", "abcabcab", "Zürich", "abba", "'"])
    assert ids.tolist() == [2, 3, 1, 1, 5, 4, 1]
    assert letters.shape == (7, 4)
    assert letters[3].tolist() == [2, 3, 2, 3]  # "ab" and "ab": both ends


@pytest.fixture(scope="module")
def tagger():
    return Tagger(Bundle(MODELS_FOLDER / "tagger-en", kind="tagger"))


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("Wake me up at seven am tomorrow.", "alarm_set",
         {"time": "seven am", "date": "tomorrow"}),
        ("will it rain in paris tomorrow", None, {}),
        ("book a table for four people in boston", "BookRestaurant",
         {"party_size_number": "four"}),
        ("add this song to my workout playlist", "AddToPlaylist", {"playlist": "workout"}),
    ],
)  # fmt: skip
def test_commands_outside_the_training_data(tagger, text, intent, slots):
    found = tagger.tag(text)
    assert intent is None or found.intent == intent
    assert found.intent != NONE
    given = {slot.name: slot.text for slot in found.slots}
    for name, words in slots.items():
        assert given.get(name) == words
    for slot in found.slots:
        assert text[slot.start : slot.end] == slot.text


@pytest.mark.parametrize("text", ["", " ... ", "word " * 61, "x" * 3_000])
def test_text_without_words_or_too_long_is_refused(tagger, text):
    with pytest.raises(TextError):
        tagger.tag(text)


def test_it_is_small_and_keeps_no_state(tagger):
    folder = MODELS_FOLDER / "tagger-en"
    assert sum(path.stat().st_size for path in folder.glob("*.onnx")) <= 5_000_000
    first = tagger.tag("play some jazz")
    tagger.tag("what is the weather like in london")
    assert tagger.tag("play some jazz") == first


TABLES = {
    "words": ["light", "on", "the"], "letters": "abcdefghijklmnopqrstuvwxyz", "word_letters": 8,
    "schemes": [{"name": "home", "intents": ["off", "on"], "slots": ["room"]}],
}  # fmt: skip


@pytest.mark.train
@pytest.mark.parametrize("bidirectional", [True, False])
def test_an_exported_tagger_says_what_torch_says(tmp_path, bidirectional):
    torch = pytest.importorskip("torch")
    from training.models.tagger import TaggerNet  # noqa: PLC0415
    from training.tagger import size_of  # noqa: PLC0415
    from training.tagger_export import export  # noqa: PLC0415
    from training.tagger_vectors import STEP, add_vectors  # noqa: PLC0415

    (tmp_path / "vectors.txt").write_text("the 1 0\nlamp 0 2\n2000 3 3\nlight -1 1\nrare 1 1\n")
    tables = dict(TABLES)
    vectors = torch.from_numpy(add_vectors(tables, tmp_path / "vectors.txt", most=3))
    assert tables["further_words"] == "lamp"
    unpacked = torch.stack([vectors & 15, vectors >> 4], dim=2).flatten(1).float() - 8
    np.testing.assert_array_equal(unpacked[:2], 0)  # padding and unknown: the mean
    assert (unpacked * STEP)[5].tolist() == pytest.approx([-0.507, 0.447], abs=STEP / 2)
    torch.manual_seed(1)
    sizes = {"hidden": 8, "bidirectional": bidirectional, "vectors": 6, "vector_width": 2}
    net = TaggerNet(size_of(tables, **sizes))
    net.vectors.copy_(vectors)
    export(net, tables, tmp_path)  # checks parity itself
    with np.load(tmp_path / "moves.npz") as moves:
        assert moves["home"].shape == (3, 3)


@pytest.mark.train
def test_the_path_loss_is_minus_the_log_share_of_the_labels():
    torch = pytest.importorskip("torch")
    from training.models.crf import path_loss  # noqa: PLC0415

    scores, moves, every = drawn(3)
    labels = every[10]
    totals = np.array([total(one, scores, moves) for one in every])
    expected = np.log(np.exp(totals).sum()) - total(labels, scores, moves)
    given = [torch.from_numpy(one) for one in (scores[None], moves)]
    loss = path_loss(given[0], torch.tensor([labels]), given[1])
    assert float(loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.train
def test_batches_hold_one_scheme_and_what_is_annotated_alone():
    torch = pytest.importorskip("torch")
    from training.tagger import TaggerTask  # noqa: PLC0415
    from training.tagger_data import Corpus, Sentence, tables_of  # noqa: PLC0415

    words = ("turn", "on", "the", "light")
    labelled = Sentence(words, "home", "on", ("O", "O", "O", "B-device"))
    snips = Sentence(words, "snips", "Off", ("O", "O", "O", "B-thing"))
    bare = Sentence(words, "home", None, None)
    sentences = [labelled, labelled, snips, bare]
    task = TaggerTask(Corpus(sentences, {}, {}), tables_of(sentences))
    batches = [task.batch(step, rank=0, world=1) for step in range(task.steps_per_epoch)]
    kinds = {(one.scheme.name, one.labels is None): one for one in batches}
    assert {key: len(one.intents) for key, one in kinds.items()} == {
        ("home", False): 2, ("home", True): 1, ("snips", False): 1,
    }  # fmt: skip
    assert kinds["snips", False].labels.tolist() == [[0, 0, 0, 1]]  # within its scheme
    loss, parts = task.loss(kinds["home", True], step=0)
    assert float(loss) == 0
    assert "labels" not in parts
    assert torch.isfinite(task.loss(kinds["home", False], step=0)[0])


@pytest.mark.train
def test_variants_keep_the_kinds_and_spell_figures():
    pytest.importorskip("torch")
    from training.tagger_augment import Augmenter  # noqa: PLC0415
    from training.tagger_data import Sentence  # noqa: PLC0415

    labels = ("O", "B-track", "B-n", "O")
    one = Sentence(("play", "yesterday", "21", "times"), "snips", "Play", labels)
    two = Sentence(("let", "it", "be"), "snips", "Play", ("B-track", "I-track", "I-track"))
    always = Augmenter([one, two], swap=1.0, spell=1.0)
    random = np.random.default_rng(1)
    variants = {always.vary(one, random) for _ in range(30)}
    assert {v.words for v in variants} == {
        ("play", "yesterday", "twenty", "one", "times"),
        ("play", "let", "it", "be", "twenty", "one", "times"),
    }
    for variant in variants:
        assert [span.name for span in spans(variant.labels)] == ["track", "n"]
        assert variant.labels[-3:] == ("B-n", "I-n", "O")
    assert Augmenter([one], swap=0.0, spell=0.0).vary(one, random) == one


@pytest.mark.train
def test_the_study_of_directions_trains_both_and_finds_deciding_pairs(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from training.analysis import directions  # noqa: PLC0415
    from training.tagger_data import Corpus, Sentence  # noqa: PLC0415

    kinds = {"snips": ("Rate", "thing"), "home": ("play", "person")}
    train, dev = [], {}
    for scheme, (intent, kind) in kinds.items():
        whole = Sentence(("the", "wall", "rocks"), scheme, intent, (f"B-{kind}", f"I-{kind}", "O"))
        bare = Sentence(("the", "game", "rocks"), scheme, intent, ("O", "O", "O"))
        dev[scheme] = [whole, bare, Sentence(("rocks",), scheme, intent, ("O",))]
        train += dev[scheme] * 3
    pairs = directions.deciding_pairs([*dev["snips"], *dev["home"]])
    assert list(pairs) == [("snips", ("the",)), ("home", ("the",))]
    assert [len(group) for group in pairs.values()] == [1, 1]
    dev = {"snips": dev["snips"], "massive": dev["home"], "nlu": dev["home"]}
    monkeypatch.setattr(directions, "load_corpus", lambda _root: Corpus(train, dev, {}))
    assert directions.main(["--data", "unused", "--out", str(tmp_path), "--quick"]) == 0
    table = (tmp_path / "directions.md").read_text().splitlines()[-2:]
    assert [row.split("|")[1].strip() for row in table] == ["both ways", "one way"]
    sizes = [int(row.split("|")[4]) for row in table]
    assert abs(sizes[0] - sizes[1]) < 0.1 * sizes[0]


def test_further_values_are_read_and_drawn(tmp_path):
    pytest.importorskip("torch")
    from training.tagger_augment import Augmenter, read_values  # noqa: PLC0415
    from training.tagger_data import Sentence  # noqa: PLC0415
    from training.tagger_places import spoken_names  # noqa: PLC0415

    assert spoken_names(["São Paulo", "Saint-Denis", "St. Ives", "6th of October", "東京"]) == [
        "saint denis", "sao paulo", "st ives",
    ]  # fmt: skip
    (tmp_path / "values.tsv").write_text("snips\tcity\tsao paulo\nhome\tcity\toslo\n")
    rain = Sentence(("rain", "in", "bonn"), "snips", "Weather", ("O", "O", "B-city"))
    augmenter = Augmenter([rain], swap=1.0, further=read_values(tmp_path / "values.tsv"))
    random = np.random.default_rng(1)
    drawn = {(one.words[2:], one.labels[2:]) for one in (augmenter.vary(rain, random)
             for _ in range(40))}  # fmt: skip
    assert drawn == {(("bonn",), ("B-city",)), (("sao", "paulo"), ("B-city", "I-city"))}
