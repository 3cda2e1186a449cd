"""Add a trained tagger's word to the teacher's: `python -m training.tagger_blend --run RUN`.

Two networks of different kinds err in different places: the geometric mean of their probabilities
is a better teacher than either (Hinton et al. 2015).
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgeasr.tagger import Encoder, Scheme, encoder_of, read_schemes
from training.models.crf import word_shares
from training.models.tagger import TaggerNet
from training.tagger_data import Said, Sentence
from training.tagger_export import load_net
from training.tagger_targets import read_lessons, write_lessons

__all__ = ["blend", "main", "opinions"]

_BATCH = 256
_LEAST = 1e-7


def opinions(
    net: TaggerNet, encoder: Encoder, scheme: Scheme, sentences: Sequence[Sentence]
) -> Iterator[tuple[int, Said]]:
    """Yield places of sentences, and log probabilities within the scheme, by length."""
    labels = slice(scheme.first_label, scheme.first_label + len(scheme.labels))
    intents = slice(scheme.first_intent, scheme.first_intent + len(scheme.intents))
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(sentences):
        by_length[len(one.words)].append(place)
    for group in by_length.values():
        for start in range(0, len(group), _BATCH):
            places = group[start : start + _BATCH]
            inputs = zip(*(encoder.encode(sentences[i].words) for i in places), strict=True)
            with torch.no_grad():
                of_intents, scores = net(*(torch.from_numpy(np.stack(part)) for part in inputs))
            shares = word_shares(scores[:, :, labels], net.moves[labels, labels])
            logs = _numbers(of_intents[:, intents].log_softmax(1)), _numbers(_log(shares))
            yield from zip(places, map(Said, *logs), strict=True)


def blend(one: Said, other: Said, share: float) -> Said:
    """Return the geometric mean: logits and logits -> log probabilities, unnormalised."""
    return Said(*(
        (1 - share) * _numbers(torch.tensor(a, dtype=torch.float32).log_softmax(-1)) + share * b
        for a, b in ((one.intents, other.intents), (one.labels, other.labels))
    ))  # fmt: skip


def _log(shares: Tensor) -> Tensor:
    return shares.clamp(min=_LEAST).log()


def _numbers(values: Tensor) -> np.ndarray:
    return values.numpy()


def main(argv: Sequence[str] | None = None) -> int:
    """Read what the teacher said, and write the blend."""
    given = _options(argv)
    torch.set_num_threads(given.threads)
    net, tables = load_net(given.run)
    scheme = read_schemes(tables["schemes"])[0]
    taught = read_lessons(given.taught, scheme)
    pairs = [(variants[0], one) for variants in taught.values() for one in variants]
    said: list[Said | None] = [one.said for _, one in pairs]
    for place, own in opinions(net, encoder_of(tables), scheme, [one for _, one in pairs]):
        teachers = said[place]
        assert teachers is not None
        said[place] = blend(teachers, own, given.share)
    both = [(one.intents, one.labels) for one in said if one is not None]
    write_lessons(given.out, scheme, pairs, both)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.tagger_blend", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="of the trained tagger")
    parser.add_argument("--taught", type=Path, default=Path("runs/tagger-taught.npz"))
    parser.add_argument("--share", type=float, default=0.5, help="of that tagger, 0 to 1")
    parser.add_argument("--out", type=Path, default=Path("runs/tagger-blended.npz"))
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
