"""The trunk that learns phones before it learns a phrase."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

import torch  # noqa: E402

from training.models.wake import WakeConfig, WakeNet  # noqa: E402
from training.pronunciation import Pronunciations  # noqa: E402
from training.wake_export import TRUNK_FILE, load_trunk, save_trunk  # noqa: E402
from training.wake_packs import Clip, Pack, build_pack  # noqa: E402
from training.wake_phones import PhoneTask, Said, transcribed  # noqa: E402

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Eight clips of a second, the last two held out."""
    clips = (
        (
            Clip(key=f"some/{number}.wav", kind="speech", dev=number > 5),
            RNG.normal(0, 2000, 16000).astype(np.int16),
        )
        for number in range(8)
    )
    return build_pack(tmp_path_factory.mktemp("pack") / "negatives", clips)


def test_a_row_holds_whole_clips_of_training_and_their_phones(pack: Pack) -> None:
    said = [Said(number, (number + 1, 20 + number)) for number in range(8)]
    task = PhoneTask(pack, said, rows=2, seed=1)
    frames, phones = task.row(np.random.default_rng(5))
    assert frames.shape == (1200, 80)
    assert np.isfinite(frames).all()
    pairs = list(zip(phones[::2], phones[1::2], strict=True))
    assert 6 <= len(pairs) <= 12
    assert all(second == first + 19 and first <= 6 for first, second in pairs)


def test_loss_and_error_are_of_the_phones(pack: Pack) -> None:
    said = [Said(number, (3, 4, 5)) for number in range(8)]
    task = PhoneTask(pack, said, rows=2, seed=1)
    loss, _ = task.loss(task.batch(0, rank=0, world=1), step=0)
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    task.model.eval()
    assert task.evaluate()["phone_error"] == pytest.approx(1.0, abs=0.5)


def test_clips_with_words_of_the_dictionary_are_taken(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "speech" / "some"
    folder.mkdir(parents=True)
    texts = ["lamp", "lamp zyx", "lamp 5", "lamp " * 20]
    rows = [
        {"audio": f"{number}.wav", "seconds": 1.0, "text": text}
        for number, text in enumerate(texts)
    ]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    dictionary = tmp_path / "cmudict.dict"
    dictionary.write_text("lamp L AE1 M P\n")
    assert transcribed(pack, tmp_path, Pronunciations(dictionary)) == [Said(0, (21, 2, 22, 27))]


def test_a_trunk_gives_another_network_its_layers(tmp_path: Path) -> None:
    one, other = WakeNet(WakeConfig(("a", "b"))), WakeNet(WakeConfig(("c",)))
    save_trunk(one, tmp_path)
    load_trunk(other, tmp_path / TRUNK_FILE)
    for name, weight in one.state_dict().items():
        if weight.dtype.is_floating_point and not name.startswith("head"):
            torch.testing.assert_close(weight, other.state_dict()[name], atol=1e-3, rtol=1e-3)
