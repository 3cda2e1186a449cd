"""The baseline from scratch: a network that never looks ahead, its units, and its recipe."""

import csv
import json

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")

from training.analysis import gru  # noqa: E402 - after the skip
from training.models.gru_recogniser import GruRecogniser  # noqa: E402
from training.models.recogniser import Dims  # noqa: E402
from training.recogniser import main  # noqa: E402
from training.recogniser_batches import collate  # noqa: E402
from training.recogniser_data import DEV_CORPUS  # noqa: E402
from training.recogniser_units import PieceUnits  # noqa: E402

pytestmark = pytest.mark.train
SMALL = Dims(units=20, ctc_units=20, mels=8, width=16, heads=2, layers=2, text_units=12)


@pytest.fixture(scope="module")
def texts():
    """Sentences of made-up words, enough of them for all sub-words."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 4)) for _ in range(900)]
    return [" ".join(words[i : i + 3]) for i in range(0, 900, 3)]


@pytest.fixture(scope="module")
def units(texts, tmp_path_factory):
    return PieceUnits.train(tmp_path_factory.mktemp("units"), texts)


@pytest.fixture
def model():
    torch.manual_seed(1)
    return GruRecogniser(SMALL).eval()


def test_what_comes_later_changes_nothing(model):
    mel = torch.randn(1, 64, 8)
    changed = mel.clone()
    changed[:, 40:] += 1
    (one, _), (two, _) = (model.encoder(x, torch.tensor([32]), None) for x in (mel, changed))
    torch.testing.assert_close(one[:, :5], two[:, :5])  # 80 ms steps that end before frame 40
    assert not torch.allclose(one[:, 5], two[:, 5])


def test_a_clip_is_heard_alike_beside_a_longer_one(model):
    rng = np.random.default_rng(1)
    mels = [rng.normal(size=(frames, 8)).astype(np.float32) for frames in (37, 90)]
    typed = torch.tensor([[0, 3, 4]])

    def heard(batch):
        last, middle = model.encoder(batch.mel, batch.lengths, None)
        steps = -(-int(batch.lengths[0]) // model.CTC_FRAMES)
        decoded = model.decoder(typed.expand(len(last), -1), last, batch.lengths)
        return model.ctc(last, middle)[0, :steps], decoded[0]

    alone, beside = heard(collate(mels[:1], ["a"])), heard(collate(mels, ["a", "b"]))
    torch.testing.assert_close(alone, beside)
    assert len(alone[0]) == 5  # 370 ms


def test_unit_by_unit_with_the_past_equals_the_whole_text(model):
    audio, lengths = torch.randn(3, 10, SMALL.width), torch.tensor([40, 20, 33])
    typed = torch.randint(0, SMALL.units, (3, 7))
    memory, heard = model.decoder.memory(audio), model.decoder.heard(audio, lengths)
    past, parts = [], []
    for first, last in ((0, 2), (2, 3), (3, 7)):
        states, past = model.decoder.advance(typed[:, first:last], past, memory, heard)
        parts.append(states)
    torch.testing.assert_close(torch.cat(parts, dim=1), model.decoder.states(typed, audio, lengths))


def test_texts_come_back_from_both_branches_units(units, texts):
    inputs, targets = units.decoder_batch(texts[:2])
    assert inputs[:, 0].tolist() == [units.start[0]] * 2
    assert [units.decode([n for n in row if n >= 0]) for row in targets.tolist()] == texts[:2]
    size = len(units.encode(texts[0]))
    assert targets[0, :size].tolist() == inputs[0, 1 : size + 1].tolist()
    assert targets[0, size] == units.end
    labels, counts = units.ctc_batch(texts[:2])
    assert units.spell([0, *labels[: counts[0]].tolist(), 0]) == texts[0]


def test_the_recipe_trains_it_and_the_study_tells_of_it(texts, tmp_path, noise):
    """Three steps over a decoded store; then the page holds the errors of both branches."""
    speech = tmp_path / "runs" / "cache" / "speech"
    speech.mkdir(parents=True)
    noise(2.0).tofile(speech / "pcm.i16")
    corpora = [DEV_CORPUS, "an4", *["fsdd"] * (len(texts) - 2)]
    rows = [(i * 50, 16_000, text, corpora[i], i < 2) for i, text in enumerate(texts)]
    (speech / "index.json").write_text(json.dumps(rows))
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "hiss.flac", noise(1.0), 16_000)
    run = tmp_path / "runs" / "gru"
    arguments = ["--encoder", "gru", "--data", str(tmp_path), "--run", str(run), "--steps", "3",
                 "--batch-s", "4", "--evaluate-every", "3"]  # fmt: skip
    assert main(arguments) == 0
    (row,) = csv.DictReader((run / "curve.csv").open())
    for name in ("loss", "attention", "ctc", "clean", "clean_ctc", "other", "other_ctc"):
        assert np.isfinite(float(row[name]))
    assert gru.main(["--run", str(run), "--out", str(tmp_path), "--examples", "1"]) == 0
    page = (tmp_path / "gru.md").read_text()
    assert f"| 3 | 0.0 | {float(row['attention']):.2f} |" in page
    assert page.count("CPU s an hour") == 2
    assert page.count(', CTC "') == 2
    assert (tmp_path / "gru.png").stat().st_size > 5_000


def test_it_takes_no_weights(tmp_path):
    with pytest.raises(SystemExit):
        main(["--encoder", "gru", "--data", str(tmp_path), "--go-on-from", str(tmp_path)])
