"""The plots of the study of recurrent cells."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from training.analysis.agreement import DISTANCES
from training.models.cells import CELLS

__all__ = ["draw_agreement", "draw_gradients"]

_MAJORITY = 69  # percent: the first of four subjects is as most of them are; half of the ties


def draw_agreement(path: Path, rows: list[dict[str, Any]]) -> None:
    """Draw percent right against distance, one way and both ways."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for place, row in enumerate(rows):
        if str(DISTANCES[0]) not in row:
            continue  # not trained yet
        axes = panels[place // len(CELLS)]
        right = [float(row[str(distance)]) for distance in DISTANCES]
        axes.plot(DISTANCES, right, marker="o", label=row["cell"].removesuffix(" both ways"))
    for axes, title in zip(panels, ("one way", "both ways"), strict=True):
        axes.axhline(_MAJORITY, color="grey", linestyle=":", linewidth=1)
        axes.set_xscale("log")
        axes.set_xticks(DISTANCES, [str(distance) for distance in DISTANCES])
        axes.minorticks_off()
        axes.set(xlabel="words between subject and verb", title=title)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    panels[0].set_ylabel("right, % (dotted: majority of subjects)")
    figure.savefig(path, dpi=110)


def draw_gradients(path: Path, norms: dict[str, list[float]]) -> None:
    """Draw the gradient's norm at the input against the distance to the output."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for cell, values in norms.items():
        axes.semilogy(values, label=cell)
    axes.set_xlabel("distance to the output, steps")
    axes.set_ylabel("gradient norm at the input")
    axes.set_title("At the start of training: the further back, the less is learnt")
    axes.legend()
    figure.savefig(path, dpi=110)
