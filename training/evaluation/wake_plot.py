"""Detection curves as small pictures for a card."""

from pathlib import Path

import numpy as np

from training.wake_measure import Curve

__all__ = ["draw_curves"]


def draw_curves(curves: dict[str, Curve], *, title: str, path: Path) -> None:
    """Write a PNG of miss rate against false accepts per hour, a line for each condition."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(4.2, 3.2), dpi=90)
    for name, curve in curves.items():
        counts = np.arange(0, min(len(curve.accepts), int(10 * curve.hours)) + 1)
        rates = counts / curve.hours
        misses = [100 * curve.miss_at(rate) for rate in rates]
        axes.step(np.maximum(rates, 0.03), misses, where="post", label=name, linewidth=1.2)
    axes.set(xscale="log", xlabel="false accepts per hour", ylabel="missed, %", title=title)
    axes.set_ylim(bottom=-0.5)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
