"""A picture of what each word of a translation looked at: `edgeasr translate --attention`."""

from pathlib import Path

from edgeasr.errors import ConfigError
from edgeasr.translation import TranslationResult

__all__ = ["draw_attention"]

MAX_PIECES = 120
"""A larger map has no readable labels"""


def draw_attention(result: TranslationResult, path: Path) -> None:
    """Write the attention of `result` as a heat map; the format is the file name's (PNG, SVG, PDF).

    Raises ConfigError when drawing is not installed, the map is too large or the file can not be
    written.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - not needed to translate
    except ImportError as error:
        raise ConfigError(
            "drawing needs matplotlib; install it with: pip install 'edgeasr[train]'"
        ) from error
    rows, columns = result.attention.shape
    if max(rows, columns) > MAX_PIECES:
        raise ConfigError(f"{max(rows, columns)} pieces can not be drawn; give a shorter text")
    figure = Figure(figsize=(1.5 + 0.45 * columns, 1.5 + 0.35 * rows), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(result.attention, cmap="viridis", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(columns), [_label(t) for t in result.source_tokens], rotation=60)
    axes.set_yticks(range(rows), [_label(token) for token in result.tokens])
    axes.set_xlabel("source")
    axes.set_ylabel("translation")
    figure.colorbar(picture, label="attention")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can not write {path}: {error}") from error


def _label(piece: str) -> str:
    """Return a piece as drawn: a low line for a word's begin; `$` would start a formula."""
    return piece.replace("▁", "_").replace("$", r"\$")
