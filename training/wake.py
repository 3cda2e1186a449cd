"""Train the trigger: `python -m training wake --words ... --data ROOT`, or `--phrase "hey marvin"`.

The shipped bundle takes two stages. The first learns where the words are from real recordings
whose word ends are guessed from energy. The second takes over its weights into a wider network,
its opinion of where the words end, and all synthetic speech. Both mine the training negatives
for what they fire on, every few hundred steps.
"""

import argparse
from pathlib import Path

import torch

from training.loop import LoopConfig, load_weights, train
from training.models.wake import WakeConfig, WakeNet
from training.wake_align import align, widened
from training.wake_corpus import WORDS
from training.wake_data import WakePacks
from training.wake_release import release
from training.wake_task import Recipe, WakeTask

__all__ = ["main"]

_FIRST = Recipe(hidden=96, rate=3e-3, negative_weight=0.5, ramp_steps=1500)
_SECOND = Recipe(hidden=128, rate=2e-3, negative_weight=1.0, ramp_steps=0, seed=2)


def main(argv: list[str]) -> int:
    """Run the recipe."""
    parser = argparse.ArgumentParser(prog="training wake", description=__doc__)
    parser.add_argument("--phrase", action="append", help="train this phrase from its text alone")
    parser.add_argument("--words", default=",".join(WORDS), help="separated by commas")
    parser.add_argument("--data", type=Path, help="folder of corpora")
    parser.add_argument("--run", type=Path, default=Path("runs/wake"))
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/wake"))
    parser.add_argument("--steps", default="2500,4500", help="of both stages")
    parser.add_argument("--seed", type=int, default=1)
    options, rest = parser.parse_known_args(argv)
    if options.phrase is not None:
        from training import wake_from_text  # noqa: PLC0415 - its own arguments and imports

        return wake_from_text.main(argv)
    if rest or options.data is None:
        parser.error(f"unknown arguments {rest}" if rest else "--data is needed")
    torch.set_num_threads(1)
    words = tuple(word.strip() for word in options.words.split(","))
    packs = WakePacks.build(options.data, options.run / "cache", words, seed=options.seed)
    first, second = (int(steps) for steps in options.steps.split(","))
    net = _train_stages(words, packs, options.run, first, second)
    release(net, [packs.real, *packs.synthetic], packs.negatives, options.bundle)
    return 0


def _train_stages(
    words: tuple[str, ...], packs: WakePacks, run: Path, first: int, second: int
) -> WakeNet:
    """Return the network after both stages, with its best weights."""
    only = [pack for pack in packs.synthetic if "only" in pack.name]
    task = WakeTask(words, [packs.real, *only], packs.negatives, _FIRST, run / "first")
    small = _best(task, steps=first, every=500, seed=1)
    print(f"word ends moved in {align(packs.real, small)} clips")
    everything = [packs.real, *packs.synthetic]
    task = WakeTask(words, everything, packs.negatives, _SECOND, run / "second")
    widened(small, task.model)
    return _best(task, steps=second, every=750, seed=2)


def _best(task: WakeTask, *, steps: int, every: int, seed: int) -> WakeNet:
    config = LoopConfig(
        run=task.run, steps=steps, warmup_steps=200, clip_norm=5.0, final_rate=0.02,
        evaluate_every=every, average_decay=0.998, bf16=True, seed=seed,
    )  # fmt: skip
    best = load_weights(train(task, config))
    net = WakeNet(WakeConfig(task.words, hidden=task.recipe.hidden))
    net.load_state_dict(best["model"])
    return net.eval()
