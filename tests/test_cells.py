"""The recurrent cells against torch's own and against finite differences."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.analysis import agreement, asr, clipping, wake  # noqa: E402
from training.analysis.cells import main  # noqa: E402
from training.models.cells import CELLS, Bidirectional, hidden_for  # noqa: E402
from training.models.convolutions import CausalConvolutions  # noqa: E402

pytestmark = pytest.mark.train

OWN = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def copied(name, own, *, suffix=""):
    """Our cell with the weights of torch's."""
    cell = CELLS[name](own.input_size, own.hidden_size).double()
    for parameter in NAMES:
        getattr(cell, parameter).data.copy_(getattr(own, f"{parameter}_l0{suffix}").data)
    return cell


@pytest.mark.parametrize("name", OWN)
def test_outputs_states_and_gradients_equal_torchs(name):
    torch.manual_seed(1)
    own = OWN[name](5, 7, batch_first=True).double()
    cell = copied(name, own)
    x = torch.randn(3, 11, 5, dtype=torch.float64, requires_grad=True)
    y = x.detach().clone().requires_grad_(True)
    expected, last = own(x)
    actual, state = cell(y)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(state[0], (last[0] if name == "lstm" else last)[0])
    if name == "lstm":
        torch.testing.assert_close(state[1], last[1][0])
    weights = torch.randn_like(expected)
    (expected * weights).sum().backward()
    (actual * weights).sum().backward()
    torch.testing.assert_close(y.grad, x.grad)
    for parameter in NAMES:
        expected = getattr(own, f"{parameter}_l0").grad
        torch.testing.assert_close(getattr(cell, parameter).grad, expected)


@pytest.mark.parametrize("name", OWN)
def test_both_directions_equal_torchs(name):
    torch.manual_seed(2)
    own = OWN[name](4, 6, batch_first=True, bidirectional=True).double()
    both = Bidirectional(CELLS[name], 4, 6).double()
    both.left, both.right = copied(name, own), copied(name, own, suffix="_reverse")
    x = torch.randn(2, 9, 4, dtype=torch.float64)
    torch.testing.assert_close(both(x)[0], own(x)[0])


@pytest.mark.parametrize("name", CELLS)
def test_gradients_equal_finite_differences(name):
    torch.manual_seed(3)
    cell = CELLS[name](3, 4).double()
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    names, values = zip(*cell.named_parameters(), strict=True)

    def outputs(x, *parameters):
        given = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(cell, given, (x,))[0]

    assert torch.autograd.gradcheck(outputs, (x, *values))


@pytest.mark.parametrize("name", CELLS)
def test_a_sequence_in_two_parts_is_the_same_sequence(name):
    torch.manual_seed(4)
    cell = CELLS[name](3, 5)
    x = torch.randn(2, 8, 3)
    whole, _ = cell(x)
    first, state = cell(x[:, :3])
    second, _ = cell(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)


def test_a_peephole_of_zero_is_a_plain_lstm():
    torch.manual_seed(5)
    plain, peep = CELLS["lstm"](3, 5), CELLS["lstm-peephole"](3, 5)
    peep.load_state_dict({**plain.state_dict(), "peep": torch.zeros(3, 5)})
    x = torch.randn(2, 6, 3)
    torch.testing.assert_close(peep(x)[0], plain(x)[0])


def test_peepholes_see_the_new_cell_in_the_output_gate():
    """By hand, one step: only the output gate's peephole set, so h = sigmoid(c') * tanh(c')."""
    cell = CELLS["lstm-peephole"](1, 1)
    for parameter in cell.parameters():
        parameter.data.zero_()
    cell.weight_ih.data[2] = 1.0
    cell.peep.data[2] = 1.0
    output, (_, c) = cell(torch.ones(1, 1, 1))
    expected = torch.sigmoid(torch.tensor(0.0)) * torch.tanh(torch.tensor(1.0))
    torch.testing.assert_close(c[0, 0], expected)
    torch.testing.assert_close(output[0, 0, 0], torch.sigmoid(expected) * torch.tanh(expected))


def test_a_closed_update_gate_keeps_the_state():
    cell = CELLS["gru-update"](2, 3)
    cell.bias_ih.data[:3] = 100.0
    before = torch.rand(1, 3)
    _, (after,) = cell(torch.randn(1, 4, 2), (before,))
    torch.testing.assert_close(after, before)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_equal_parameters(name, directions):
    hidden = hidden_for(name, 24, 20_000, directions=directions)
    cell = CELLS[name](24, hidden)
    count = directions * sum(one.numel() for one in cell.parameters())
    assert count == pytest.approx(20_000, rel=0.05)


def test_convolutions_have_as_many_parameters_and_never_look_ahead():
    torch.manual_seed(1)
    layer = CausalConvolutions.of_size(24, 20_000)
    count = sum(one.numel() for one in layer.parameters())
    assert count == pytest.approx(20_000, rel=0.1)
    x = torch.randn(2, 90, 24)
    later = torch.cat([x[:, :70], torch.randn(2, 20, 24)], dim=1)
    whole, changed = layer(x)[0], layer(later)[0]
    torch.testing.assert_close(whole[:, :70], changed[:, :70])
    assert (whole[:, 70] - changed[:, 70]).abs().max() > 0.01
    with pytest.raises(ValueError, match="too few"):
        CausalConvolutions.of_size(24, 10)


def test_every_verb_agrees_with_the_subject_that_was_opened_last():
    task, random = agreement.Agreement(), np.random.default_rng(1)
    nouns = (task.inputs - 2 - 16) // 2
    depths = set()
    for _ in range(20):
        batch = task.train(random)
        for words, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
            open_numbers, depth = [], 0
            for before, word, target in zip([-1, *words], words, targets):  # noqa: B905
                if before == task.inputs - 2:
                    open_numbers.append(word // nouns)
                    depth = max(depth, len(open_numbers))
                is_verb = word == task.inputs - 1
                assert target == (open_numbers.pop() if is_verb else agreement.UNSCORED)
            assert not open_numbers
            assert words[-1] == task.inputs - 1
            depths.add(depth)
    assert depths == {1, 2, 3, 4}


def test_the_tested_verb_stands_as_far_from_its_subject_as_told():
    task = agreement.Agreement()
    for distance, test in task.test().items():
        words, scored = test.inputs.numpy(), test.targets.numpy() != agreement.UNSCORED
        assert (scored.sum(axis=1) == 1).all()
        subject = (words == task.inputs - 2).argmax(axis=1) + 1
        assert (scored.argmax(axis=1) - subject - 1 == int(distance)).all()
        assert ((words == task.inputs - 1).sum(axis=1) == 4).all()


def test_the_study_runs_and_tells_its_command_seed_and_time(tmp_path):
    arguments = ["--quick", "--out", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main(arguments) == 0
    page = (tmp_path / "cells.md").read_text()
    assert "not trained yet" not in page
    assert "--quick" in page
    assert "seed 1" in page
    assert page.count("\n| ") == 12  # five cells one way and both ways, two lines of head
    for plot in ("agreement", "gradients"):
        assert (tmp_path / f"cells-{plot}.png").stat().st_size > 5_000
    (weights,) = tmp_path.glob("runs/*/lstm-agreement-False/last.pt")
    trained = weights.stat().st_mtime_ns
    assert main(arguments) == 0
    assert weights.stat().st_mtime_ns == trained  # a second run trains nothing again
    known = [line.split(" | ")[2:] for line in page.splitlines() if line.startswith("| ")]
    again = (tmp_path / "cells.md").read_text()
    assert known == [line.split(" | ")[2:] for line in again.splitlines() if line.startswith("| ")]


def test_one_clause_leaves_its_verb_equally_far_from_its_subject():
    test = agreement.OneClause(20).train(np.random.default_rng(1))
    words, scored = test.inputs.numpy(), test.targets.numpy() != agreement.UNSCORED
    assert (scored.sum(axis=1) == 1).all()
    assert (scored.argmax(axis=1) - (words == 40).argmax(axis=1) == 22).all()


def test_the_study_of_clipping_tells_every_way(tmp_path):
    assert clipping.main(["--quick", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "clipping.md").read_text()
    assert "--quick" in page
    assert page.count("\n| ") == 5  # three ways, two lines of head
    assert (tmp_path / "clipping.png").stat().st_size > 5_000


@pytest.mark.parametrize(("study", "rows"), [(asr, 10), (wake, 6)])
def test_the_studies_on_speech_run(tmp_path, study, rows):
    assert study.main(["--quick", "--out", str(tmp_path)]) == 0
    (page,) = tmp_path.glob("*.md")
    text = page.read_text()
    assert "--quick" in text
    assert "seed 1" in text
    assert text.count("\n| ") == rows + 2
    assert page.with_suffix(".png").stat().st_size > 3_000


def test_several_seeds_are_all_told(tmp_path):
    assert wake.main(["--quick", "--seeds", "2", "--out", str(tmp_path)]) == 0
    text = (tmp_path / "wake-cells.md").read_text()
    assert "seeds 1 to 2" in text
    assert text.count(" to ") >= 5
