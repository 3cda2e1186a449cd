"""An encoder that imitates one which hears the clip whole and undisturbed."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.augment import Noises  # noqa: E402 - after the skip
from training.models.recogniser import Dims, Encoder  # noqa: E402
from training.recogniser_batches import Batches  # noqa: E402
from training.recogniser_data import ClipStore  # noqa: E402
from training.recogniser_teacher import Teacher  # noqa: E402

pytestmark = pytest.mark.train
SECOND = 16_000


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(3)
    rng.normal(0, 2000, 12 * SECOND).astype(np.int16).tofile(tmp_path / "pcm.i16")
    rows = [(n * SECOND, SECOND, "one", "some corpus", False) for n in range(12)]
    (tmp_path / "index.json").write_text(json.dumps(rows))
    return ClipStore(tmp_path)


def batches(store, **options):
    hum = np.sin(np.arange(5 * SECOND) / 20).astype(np.float32) * 3000
    return Batches([(store, store.clips, 1.0)], Noises([hum]), [], seconds=4, seed=1, **options)


@pytest.fixture
def encoder():
    torch.manual_seed(1)
    return Encoder(Dims(units=9, ctc_units=5, width=32, heads=2, layers=2)).eval()


def test_the_teacher_hears_the_same_clips_at_the_same_times(store):
    plain = batches(store).batch(3, rank=0, world=1)
    both = batches(store, clean=True).batch(3, rank=0, world=1)
    assert plain.clean is None
    assert torch.equal(plain.mel, both.mel)
    assert both.clean.shape == both.mel.shape
    assert not torch.equal(both.clean, both.mel)


def test_there_is_no_distance_to_oneself_and_one_to_what_is_heard_in_chunks(store, encoder):
    batch = batches(store, clean=True).batch(0, rank=0, world=1)
    teacher = Teacher(encoder)
    undisturbed = dataclasses.replace(batch, mel=batch.clean)

    def distance(chunk):
        with torch.no_grad():
            states = encoder(undisturbed.mel, undisturbed.lengths, chunk)
        return float(teacher.distance(undisturbed, *states))

    assert distance(None) == pytest.approx(0, abs=1e-6)
    assert distance(8) > 1e-4


def test_padding_does_not_count_and_the_teacher_stays_as_it_was(store, encoder):
    batch = batches(store, clean=True).batch(0, rank=0, world=1)
    states = encoder(batch.mel, batch.lengths, None)
    teacher = Teacher(encoder)
    before = float(teacher.distance(batch, *states).detach())
    with torch.no_grad():
        encoder.conv1.weight.mul_(2)
    padded = [state.detach().clone() for state in states]
    for state in padded:
        for row, length in zip(state.unbind(), batch.lengths, strict=True):
            row[length:] = 1e3
    assert float(teacher.distance(batch, *padded)) == pytest.approx(before, rel=1e-5)


def test_batches_without_undisturbed_clips_are_refused(store, encoder):
    batch = batches(store).batch(0, rank=0, world=1)
    states = encoder(batch.mel, batch.lengths, None)
    with pytest.raises(ValueError, match="clean=True"):
        Teacher(encoder).distance(batch, *states)
