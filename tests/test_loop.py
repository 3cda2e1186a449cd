"""The training loop: two processes are as good as one, and a stopped run goes on as it was."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.loop import LoopConfig, train  # noqa: E402 - after the skip

pytestmark = pytest.mark.train
ROWS = 5  # an odd number, so that two processes have unequal shares


class Regression:
    """Least squares on rows drawn by the step."""

    def __init__(self):
        torch.manual_seed(1)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
        )

    def parameter_groups(self):
        return [{"params": list(self.model.parameters()), "lr": 0.02, "weight_decay": 0.0}]

    def batch(self, step, *, rank, world):
        rows = np.random.default_rng((7, step)).normal(size=(ROWS, 3)).astype(np.float32)
        return torch.from_numpy(rows[rank::world])

    def loss(self, batch, *, step):
        error = self.model(batch)[:, 0] - batch.prod(dim=1)
        return error.square().mean(), {"weight": float(len(batch))}

    def evaluate(self):
        return {"score": float(self.loss(self.batch(10_000, rank=0, world=1), step=0)[0])}


def run(folder, *, steps=12):
    train(Regression(), LoopConfig(run=Path(folder), steps=steps, warmup_steps=2, evaluate_every=3))


def curve(folder):
    with (folder / "curve.csv").open() as lines:
        return [
            (int(row["step"]), float(row["loss"]), float(row["score"]))
            for row in csv.DictReader(lines)
        ]


def test_two_gloo_processes_train_like_one(tmp_path):
    run(tmp_path / "one")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
               __file__, str(tmp_path / "two")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(curve(tmp_path / "one")) == 4
    np.testing.assert_allclose(curve(tmp_path / "two"), curve(tmp_path / "one"), rtol=1e-4)


def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path):
    run(tmp_path / "whole")
    config = LoopConfig(run=tmp_path / "parts", steps=12, warmup_steps=2, evaluate_every=3,
                        save_every_s=0.0)  # fmt: skip
    task = Regression()
    draw, task.batch = task.batch, None

    def stop_at_seven(step, *, rank, world):
        if step == 7:
            raise KeyboardInterrupt
        return draw(step, rank=rank, world=world)

    task.batch = stop_at_seven
    with pytest.raises(KeyboardInterrupt):
        train(task, config)
    train(Regression(), config)
    np.testing.assert_allclose(curve(tmp_path / "parts"), curve(tmp_path / "whole"), rtol=1e-5)


def test_figures_that_some_batches_lack_shift_no_column(tmp_path):
    task = Regression()
    loss = task.loss

    def some_tell_more(batch, *, step):
        value, figures = loss(batch, step=step)
        return value, figures | ({"more": 1.0} if step < 3 else {})

    task.loss = some_tell_more
    train(task, LoopConfig(run=tmp_path, steps=6, warmup_steps=2, evaluate_every=3))
    with (tmp_path / "curve.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["more"] for row in rows] == ["1", ""]
    assert all(float(row["score"]) > 0 for row in rows)


def test_a_step_of_plain_descent_is_the_rate_times_the_clipped_gradient(tmp_path):
    task = Regression()
    before = [one.detach().clone() for one in task.model.parameters()]
    config = LoopConfig(run=tmp_path, steps=1, warmup_steps=1, clip_norm=0.01, optimizer="sgd")
    train(task, config)
    moved = [one.detach() - old for one, old in zip(task.model.parameters(), before, strict=True)]
    length = float(torch.cat([one.flatten() for one in moved]).norm())
    assert length == pytest.approx(0.02 * 0.01, rel=1e-3)


if __name__ == "__main__":
    run(sys.argv[1])
