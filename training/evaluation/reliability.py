"""A reliability plot: how often transcripts of a given confidence are indeed usable."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

__all__ = ["plot_reliability"]

_BINS = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])


def plot_reliability(judged: Sequence[tuple[float, bool]], path: Path) -> float:
    """Write the plot; return the expected calibration error (Naeini et al. 2015), 0 to 1.

    `judged` are the confidence of each transcript and whether it is usable.
    """
    sure, right = np.array(judged, float).T
    place = np.clip(np.digitize(sure, _BINS) - 1, 0, len(_BINS) - 2)
    filled = [number for number in range(len(_BINS) - 1) if (place == number).any()]
    means = np.array([sure[place == number].mean() for number in filled])
    rates = np.array([right[place == number].mean() for number in filled])
    counts = np.array([(place == number).sum() for number in filled])
    figure = Figure(figsize=(5, 4.5), layout="tight")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.scatter(means, rates, s=20 + 200 * counts / counts.max())
    for x, y, count in zip(means, rates, counts, strict=True):
        axes.annotate(str(count), (x, y), textcoords="offset points", xytext=(8, -10), fontsize=8)
    axes.set_xlabel("confidence of the transcript")
    axes.set_ylabel("share with at most a third of the words wrong")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.05)
    figure.savefig(path, dpi=100)
    return float((counts * np.abs(means - rates)).sum() / counts.sum())
