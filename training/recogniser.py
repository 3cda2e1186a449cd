"""`python -m training recogniser`: the streaming recogniser, from open Whisper tiny.en weights.

With `--encoder gru` a smaller one of GRU layers, from nothing, to compare with.
Joint CTC/attention training (Watanabe et al. 2017) with dynamic chunks (Zhang et al. 2020).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgeasr.sources import read_audio
from training.augment import Noises
from training.loop import LoopConfig, train
from training.models.gru_recogniser import GruRecogniser
from training.models.recogniser import Dims, Recogniser
from training.recogniser_batches import Batch, Batches
from training.recogniser_data import CORPORA, DEV_CORPUS, Clip, dev_sample, load_clips
from training.recogniser_decode import DevSet
from training.recogniser_shipped import read_shipped
from training.recogniser_teacher import Teacher
from training.recogniser_text import read_lines
from training.recogniser_units import PieceUnits, Units
from training.whisper_weights import read_weights, weights_folder

__all__ = ["RecogniserTask", "from_nothing", "main"]

CHUNKS = (8, 12, 16, 24, 32, 48)  # 20 ms frames: 160 to 960 ms
FULL_SHARE = 0.4
SHIPPED_CHUNK, SHIPPED_SHARE = 32, 0.7
"""Of the batches in chunks when a teacher is imitated: the chunk that bundles use"""
CTC_WEIGHT = 0.3
WHISPER_RATE = 4e-5
CTC_RATE = 1.2e-3
"""Of everything that starts from nothing"""
KEYWORDS = frozenset({"operator", "think engine", "onword", "wildfire", "voyager"})


class RecogniserTask:
    """The recipe's model, batches, loss and dev figures."""

    def __init__(
        self,
        model: Recogniser | GruRecogniser,
        units: PieceUnits,
        batches: Batches,
        dev: DevSet,
        *,
        rate: float,
        ctc_rate: float = CTC_RATE,
        decoder_alone: bool = False,
        imitation: float = 0.0,
    ) -> None:
        """With `decoder_alone` the encoder and the CTC branch stay as they are.

        `imitation` weighs the distance of the encoder's states to those of the encoder as it is
        now, which hears the clips whole and undisturbed.
        """
        self.model = model
        self._ctc_rate = ctc_rate
        self._imitation = imitation
        self._teacher = Teacher(model.encoder) if imitation else None
        self.units, self.batches, self.dev = units, batches, dev
        self._rate = rate
        self._ctc_weight = 0.0 if decoder_alone else CTC_WEIGHT
        if decoder_alone:
            model.encoder.requires_grad_(requires_grad=False)
            model.ctc.requires_grad_(requires_grad=False)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Whisper's layers move little, the new branch learns from nothing."""
        own = {n: v for n, v in self.model.named_parameters() if v.requires_grad}
        new = [value for name, value in own.items() if name.startswith("ctc.")]
        old = [value for name, value in own.items() if not name.startswith("ctc.")]
        groups = ((old, self._rate), (new, self._ctc_rate))
        return [{"params": some, "lr": rate, "weight_decay": 0.01} for some, rate in groups if some]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return this process's share of batch `step`."""
        return self.batches.batch(step, rank=rank, world=world)

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return label-smoothed cross entropy, CTC and distance to the teacher, weighted."""
        model = self.model
        last, middle = model.encoder(batch.mel, batch.lengths, self._chunk(step))
        inputs, targets = self.units.decoder_batch(batch.texts)
        logits = model.decoder(inputs, last, batch.lengths)
        words = F.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), label_smoothing=0.05, ignore_index=-100
        )
        figures = {"attention": float(words.detach()), "weight": float((targets >= 0).sum())}
        if not self._ctc_weight:
            return words, figures
        labels, counts = self.units.ctc_batch(batch.texts)
        steps = model.ctc(last, middle).float().log_softmax(-1).transpose(0, 1)
        lengths = -(-batch.lengths // model.CTC_FRAMES)
        ctc = F.ctc_loss(steps, labels, lengths, counts, zero_infinity=True)
        total = (1 - self._ctc_weight) * words + self._ctc_weight * ctc
        figures["ctc"] = float(ctc.detach())
        if self._teacher is None:
            return total, figures
        distance = self._teacher.distance(batch, last, middle)
        return total + self._imitation * distance, {**figures, "distance": float(distance.detach())}

    def _chunk(self, step: int) -> int | None:
        rng = np.random.default_rng((1, step))
        if rng.random() < FULL_SHARE:
            return None
        chunk = int(rng.choice(CHUNKS))
        return SHIPPED_CHUNK if self._teacher and rng.random() < SHIPPED_SHARE else chunk

    def evaluate(self) -> dict[str, float]:
        """Return dev word error rates."""
        return self.dev.evaluate(self.model)


def main(argv: list[str]) -> int:
    """Train, resuming what lies in the run's folder."""
    arguments = _arguments(argv)
    data, run = arguments.data, arguments.run
    cache = run.parent / "cache"
    store = load_clips([(data / "speech", [*CORPORA, DEV_CORPUS])], cache, name="speech")
    real = [clip for clip in store.clips if not clip.dev]
    sources = [(store, _thin_keywords(real), 1.0)]
    if arguments.synthetic:
        name = arguments.synthetic.name
        made = load_clips([(arguments.synthetic.parent, [name])], cache, name=name)
        sources.append((made, made.clips, arguments.synthetic_share))
    texts = [clip.text for clip in real]
    model: Recogniser | GruRecogniser
    units: PieceUnits
    if arguments.encoder == "gru":
        model, units = from_nothing(run.parent / "gru-units", texts, seed=arguments.seed)
    else:
        model, units = _from_whisper(arguments, texts)
    rooms = [read_audio(p).astype(np.float32) for p in sorted((data / "rir").rglob("*.flac"))]
    batches = Batches(sources, Noises.read(data / "noise"), rooms,
                      seconds=arguments.batch_s, seed=arguments.seed,
                      clean=arguments.imitation > 0)  # fmt: skip
    task = RecogniserTask(
        model, units, batches,
        DevSet(store, *dev_sample(store), units, chunk=None if arguments.encoder == "gru" else 32),
        rate=arguments.rate, ctc_rate=arguments.ctc_rate, decoder_alone=arguments.decoder_alone,
        imitation=arguments.imitation,
    )  # fmt: skip
    config = LoopConfig(
        run=run, steps=arguments.steps, warmup_steps=100, evaluate_every=arguments.evaluate_every,
        average_decay=0.998, bf16=True, seed=arguments.seed, threads=arguments.threads,
    )  # fmt: skip
    print(f"best checkpoint: {train(task, config)}")
    return 0


def _from_whisper(arguments: argparse.Namespace, texts: list[str]) -> tuple[Recogniser, Units]:
    """Return Whisper's network with the units that `texts` and the given text need."""
    weights = arguments.weights or weights_folder()
    shipped = arguments.go_on_from
    units = Units.make(
        arguments.run.parent / "recogniser-units", weights,
        texts + _texts(arguments.data / "text" / "lm"),
        pieces=shipped / "ctc.model" if shipped else None,
    )  # fmt: skip
    model = Recogniser(Dims(units=len(units.bpe.units), ctc_units=units.ctc_units))
    model.load_whisper(read_weights(weights), units.whisper_ids)
    if shipped:
        model.load_state_dict(read_shipped(shipped), strict=False)
    return model, units


def from_nothing(folder: Path, texts: list[str], *, seed: int) -> tuple[GruRecogniser, PieceUnits]:
    """Return a GRU network with sub-words of `texts`, kept in `folder`, for both its branches."""
    torch.manual_seed(seed)
    units = PieceUnits.train(folder, texts)
    size = units.ctc_units
    return GruRecogniser(Dims(units=size, ctc_units=size, width=256, heads=4, layers=2)), units


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training recogniser", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/, noise/, ...")
    parser.add_argument("--run", type=Path, default=Path("runs/recogniser"))
    parser.add_argument("--encoder", choices=("whisper", "gru"), default="whisper")
    parser.add_argument("--weights", type=Path, help="folder of Whisper tiny.en weights")
    parser.add_argument("--go-on-from", type=Path, help="bundle whose weights to start with")
    parser.add_argument("--decoder-alone", action="store_true", help="train nothing else")
    parser.add_argument("--synthetic", type=Path, help="folder with a manifest of synthetic speech")
    parser.add_argument("--synthetic-share", type=float, default=0.35, help="batches, real is 1")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch-s", type=float, default=48.0, help="seconds of audio a batch")
    parser.add_argument("--rate", type=float, help="4e-5; with --encoder gru 1.2e-3")
    parser.add_argument("--ctc-rate", type=float, default=CTC_RATE)
    parser.add_argument(
        "--imitation", type=float, default=0.0,
        help="weight of being near the whole-utterance encoder as it is at the start",
    )  # fmt: skip
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    gru = arguments.encoder == "gru"
    whisper_only = ("weights", "go_on_from", "decoder_alone", "imitation")
    if gru and any(getattr(arguments, name) for name in whisper_only):
        parser.error("--encoder gru starts from nothing: leave the weights' options out")
    arguments.rate = arguments.rate or (CTC_RATE if gru else WHISPER_RATE)
    return arguments


def _thin_keywords(clips: list[Clip]) -> list[Clip]:
    """Keep one in four of the telephone keywords, which say the same five things."""
    return [clip for clip in clips if clip.text not in KEYWORDS or clip.start // 160 % 4 == 0]


def _texts(folder: Path) -> list[str]:
    return [text for path in sorted(folder.glob("*.txt")) for text in read_lines(path)]
