"""BIO paths and spans, and the shipped tagger."""

import itertools

import numpy as np
import pytest

from edgeasr.bio import Span, best_path, label_names, spans
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


@pytest.mark.parametrize("seed", range(20))
def test_the_best_path_is_the_best_of_all_allowed_ones(seed):
    scores = np.random.default_rng(seed).normal(size=(4, len(LABELS))).astype(np.float32)
    every = [p for p in itertools.product(range(len(LABELS)), repeat=4) if allowed(p)]
    expected = max(every, key=lambda path: sum(scores[i, x] for i, x in enumerate(path)))
    assert tuple(best_path(scores)) == expected


def test_spans_of_labels():
    labels = ["B-room", "I-room", "O", "B-time", "B-time", "I-room"]
    assert spans(labels) == (
        Span("room", 0, 2), Span("time", 3, 4), Span("time", 4, 5), Span("room", 5, 6),
    )  # fmt: skip


def test_words_are_looked_up_without_case_apostrophes_and_digits():
    encoder = Encoder(["whats", "000"], "abc", word_letters=4)
    ids, letters = encoder.encode(["What's", "123", "zzz", "abcabcab"])
    assert ids.tolist() == [2, 3, 1, 1]
    assert letters.shape == (4, 4)
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
    assert (folder / "tagger.onnx").stat().st_size <= 5_000_000
    first = tagger.tag("play some jazz")
    tagger.tag("what is the weather like in london")
    assert tagger.tag("play some jazz") == first


@pytest.mark.train
@pytest.mark.parametrize("bidirectional", [True, False])
def test_an_exported_tagger_says_what_torch_says(tmp_path, bidirectional):
    torch = pytest.importorskip("torch")
    from training.models.tagger import TaggerNet  # noqa: PLC0415
    from training.tagger import size_of  # noqa: PLC0415
    from training.tagger_export import export  # noqa: PLC0415

    tables = {
        "words": ["light", "on", "the"], "letters": "abcdefghijklmnopqrstuvwxyz", "word_letters": 8,
        "schemes": [{"name": "home", "intents": ["off", "on"], "slots": ["room"]}],
    }  # fmt: skip
    torch.manual_seed(1)
    net = TaggerNet(size_of(tables, hidden=8, bidirectional=bidirectional))
    export(net, tables, tmp_path)  # checks parity itself
    assert (tmp_path / "tagger.onnx").is_file()


@pytest.mark.train
def test_loss_ignores_what_is_not_annotated():
    torch = pytest.importorskip("torch")
    from training.tagger import TaggerTask  # noqa: PLC0415
    from training.tagger_data import Corpus, Sentence, tables_of  # noqa: PLC0415

    words = ("turn", "on", "the", "light")
    labelled = Sentence(words, "home", "on", ("O", "O", "O", "B-device"))
    snips = Sentence(words, "snips", "Off", ("O", "O", "O", "B-thing"))
    bare = Sentence(words, "home", None, None)
    both = [labelled, labelled, snips]
    task = TaggerTask(Corpus(both, {}, {}), tables_of(both))
    task.model.eval()
    with_bare = TaggerTask(Corpus([*both, bare], {}, {}), task.tables)
    with_bare.model.load_state_dict(task.model.state_dict())
    with_bare.model.eval()
    one, _ = task.loss(task.batch(0, rank=0, world=1), step=0)
    two, _ = with_bare.loss(with_bare.batch(0, rank=0, world=1), step=0)
    torch.testing.assert_close(one, two)
