"""The language models' bench: n-grams, networks, sampling and scores."""

import math

import pytest

torch = pytest.importorskip("torch")

from training import sample as sampling  # noqa: E402
from training import score  # noqa: E402
from training.analysis.language_model import main  # noqa: E402
from training.models.language_model import END, LanguageNet, LanguageSize, Units  # noqa: E402
from training.ngram import NGram  # noqa: E402

pytestmark = pytest.mark.train

TEXT = ["turn on the light", "turn off the light", "turn on the fan", "open the door"]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_an_ngrams_probabilities_sum_to_one(order):
    units = Units.of("word", TEXT * 2)
    model = NGram(map(units.encode, TEXT), order=order, units=len(units.names))
    for history in ([END, END], units.encode("turn on"), units.encode("fan fan")):
        total = sum(model.probability(history, unit) for unit in range(len(units.names)))
        assert total == pytest.approx(1)


def test_a_bigram_by_hand():
    """After "turn": on, on, off. T = 2; "on": (2 + 2 P(on)) / (3 + 2)."""
    units = Units.of("word", TEXT * 2)
    names = len(units.names)
    model = NGram(map(units.encode, TEXT), order=2, units=names)
    turn, on = units.encode("turn on")
    tokens, kinds = 19, 9  # 15 words and 4 ends; 8 different words and the end
    lower = (2 + kinds / names) / (tokens + kinds)
    assert model.probability([turn], on) == pytest.approx((2 + 2 * lower) / 5)


def test_units_come_back():
    units = Units.of("char", TEXT * 2)
    assert units.decode(units.encode("the fan")) == "the fan"
    assert Units.of("word", TEXT).encode("turn the zebra")[-1] == 1


def test_a_sentences_log_probability_does_not_depend_on_cutting():
    torch.manual_seed(1)
    net = LanguageNet(LanguageSize(units=9, hidden=8)).eval()
    whole = net.log_p([3, 4, 5])
    logits, state = net(torch.tensor([[END, 3]]))
    more, _ = net(torch.tensor([[4, 5]]), state)
    steps = torch.cat([logits, more], dim=1).log_softmax(dim=2)[0]
    parts = [float(steps[i, unit]) for i, unit in enumerate((3, 4, 5, END))]
    assert whole == pytest.approx(parts, abs=1e-5)


def test_study_sample_and_score(tmp_path, capsys):
    text = tmp_path / "text.txt"
    rooms = ("kitchen", "hall", "office", "garage", "bedroom")
    verbs = ("turn on", "turn off", "dim", "check")
    lines = [f"{v} the {n} light in the {r} {i}" for v in verbs for n in rooms for r in rooms
             for i in ("now", "please", "later")]  # fmt: skip
    text.write_text("\n".join(lines))
    runs, out = tmp_path / "runs", tmp_path / "docs"
    assert main(["--text", str(text), "--runs", str(runs), "--out", str(out), "--quick"]) == 0
    page = (out / "language-model.md").read_text()
    assert page.count("| word") == 4
    assert "seed 1" in page
    assert (out / "language-model.png").stat().st_size > 5_000
    capsys.readouterr()
    assert score.main(["--runs", str(runs), "turn on the light", "light light light"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert math.isfinite(float(first.split("\t")[0]))
    assert float(first.split("\t")[0]) != float(second.split("\t")[0])
    arguments = ["--runs", str(runs), "--prompt", "turn", "--count", "2", "--temperature", "1"]
    assert sampling.main(arguments) == 0
    drawn = capsys.readouterr().out
    assert sampling.main(arguments) == 0
    assert capsys.readouterr().out == drawn
    assert all(line.startswith("turn") for line in drawn.splitlines())


@pytest.mark.parametrize(("ask", "words"), [(sampling.main, []), (score.main, ["a word"])])
def test_without_a_trained_model_the_error_names_the_command(tmp_path, capsys, ask, words):
    with pytest.raises(SystemExit):
        ask(["--runs", str(tmp_path), *words])
    assert "training.analysis language-model --text" in capsys.readouterr().err
