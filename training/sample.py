"""Write new sentences: `python -m training.sample --level word --temperature 0.8 --prompt "turn"`.

The models are those that `python -m training.analysis language-model` has trained.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from training.models.language_model import END, LanguageNet, Units, load_language_model

__all__ = ["main", "sample"]

_LONGEST = {"char": 120, "word": 30}
_UNKNOWN = 1


@torch.inference_mode()
def sample(
    net: LanguageNet, units: Units, *, temperature: float, seed: int, prompt: str = ""
) -> str:
    """Return one sentence drawn from the model; 0 takes the likeliest unit each time."""
    random = torch.Generator().manual_seed(seed)
    ids = units.encode(prompt)
    logits, state = net(torch.tensor([[END, *ids]]))
    while len(ids) < _LONGEST[units.level]:
        last = logits[0, -1].float()
        last[_UNKNOWN] = -torch.inf
        if temperature > 0:
            chances = (last / temperature).softmax(dim=0)
            unit = int(torch.multinomial(chances, 1, generator=random))
        else:
            unit = int(last.argmax())
        if unit == END:
            break
        ids.append(unit)
        logits, state = net(torch.tensor([[unit]]), state)
    return units.decode(ids)


def main(argv: Sequence[str] | None = None) -> int:
    """Print sampled sentences."""
    parser = argparse.ArgumentParser(prog="python -m training.sample", description=__doc__)
    parser.add_argument("--level", choices=("char", "word"), default="word")
    parser.add_argument("--cell", choices=("gru", "lstm"), default="lstm")
    parser.add_argument("--runs", type=Path, default=Path("runs/language-model"))
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    try:
        net, units = load_language_model(given.runs / f"{given.level}-{given.cell}")
    except FileNotFoundError as error:
        parser.error(str(error))
    for i in range(given.count):
        print(sample(net, units, temperature=given.temperature, seed=given.seed + i,
                     prompt=given.prompt))  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
