"""Training the translator: the sampled softmax, one translation a pass, reading a bundle back."""

from dataclasses import dataclass

import pytest

pytest.importorskip("torch")
pytest.importorskip("sentencepiece")

import torch

from training.models.translator import TranslatorConfig, TranslatorNet
from training.translator import TranslatorTask
from training.translator_batches import Batch, Epoch
from training.translator_data import Pair
from training.translator_export import export_networks
from training.translator_restore import bundle_weights

PIECES = 300


@dataclass(frozen=True)
class Letters:
    """Stands for a Direction: a piece per letter."""

    source: str = "en"
    target: str = "fr"

    def sides(self, pair):
        return pair.english, pair.other

    def spoken(self, text):
        return text.lower()

    def source_ids(self, text):
        return [4 + ord(mark) % 200 for mark in text]

    def target_ids(self, text):
        return [2, *self.source_ids(text), 3]


def small_net(seed=0):
    torch.manual_seed(seed)
    sizes = {"embedding": 64, "encoder": 64, "decoder": 80, "attention": 40}
    config = TranslatorConfig(source_pieces=PIECES, target_pieces=PIECES, dropout=0.0, **sizes)
    return TranslatorNet(config).eval()


def task(net, sampled):
    pairs = [Pair("A cat sat.", "Un chat.", "tatoeba"), Pair("Go on.", "Continue.", "tatoeba")]
    corpora = {"train": pairs, "dev": pairs, "dev_commands": []}
    return TranslatorTask(net, Letters(), corpora, seed=1, sampled=sampled)


BATCH = Batch(torch.tensor([[5, 6, 7], [8, 9, 10]]), torch.tensor([[2, 20, 21, 3], [2, 22, 3, 0]]))


def test_sampled_softmax_over_all_other_pieces_is_the_softmax():
    net = small_net()
    whole, _ = task(net, 0).loss(BATCH, step=0)
    sampled, _ = task(net, PIECES).loss(BATCH, step=0)
    assert float(sampled) == pytest.approx(float(whole), rel=1e-5)


def test_sampled_softmax_is_right_on_average():
    net = small_net()
    with torch.inference_mode():
        whole = float(task(net, 0).loss(BATCH, step=0)[0])
        few = task(net, 60)
        draws = [float(few.loss(BATCH, step=0)[0]) for _ in range(60)]
    assert len(set(draws)) > 50
    assert sum(draws) / len(draws) == pytest.approx(whole, rel=0.03)


def test_a_pass_shows_a_source_once_with_one_of_its_translations():
    pairs = [Pair("Go.", other, "tatoeba") for other in ("Va.", "Allez.", "Partez.")]
    pairs += [Pair("Stop.", "Halte.", "tatoeba"), Pair("Go.", "Va.", "commands")]
    shown = set()
    for seed in range(60):
        epoch = Epoch(Letters(), pairs, seed=seed)
        rows = [tuple(target) for batch in epoch.batches for _, target in batch]
        assert len(rows) == 3  # two sources of Tatoeba, one command
        shown.update(rows)
    assert shown == {tuple(Letters().target_ids(pair.other)) for pair in pairs}


def test_a_bundle_read_back_scores_what_was_exported(tmp_path):
    net = small_net()
    export_networks(net, tmp_path, {})  # also rounds the matrices of `net`
    restored = small_net(seed=1)
    restored.load_state_dict(bundle_weights(tmp_path))
    with torch.inference_mode():
        expected = net(BATCH.source, BATCH.target)
        assert torch.allclose(restored(BATCH.source, BATCH.target), expected, atol=1e-4)
