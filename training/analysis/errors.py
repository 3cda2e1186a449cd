"""Error attribution: whether the search or the model is at fault.

For a sentence x with reference y* and translation y^, both scored as the decoder scores (length-
normalised log-probability): if y* scores higher, the search is at fault, else the model.
"""

from pathlib import Path

from matplotlib.figure import Figure

from training.analysis.translation_report import (
    dev_sentences,
    open_translator,
    parser,
    write_table,
)

__all__ = ["main"]

ALPHA = 0.8
WIDTHS = (1, 4, 10)
EXAMPLES = 12


def main(argv: list[str]) -> int:
    """Write `translator-errors.md`, examples included, and a scatter plot."""
    options = parser("errors", sentences=250).parse_args(argv)
    translator = open_translator(options)
    sentences = dev_sentences(options.data, options.pair.split("-")[1], options.sentences)
    wanted = [translator.score(source, target).score(ALPHA) for source, target in sentences]
    rows: list[dict[str, object]] = []
    points: list[tuple[float, float]] = []
    examples: list[str] = []
    for width in WIDTHS:
        found = [translator.translate(s, beam=width, alpha=ALPHA) for s, _ in sentences]
        wrong = [i for i, (_, target) in enumerate(sentences) if found[i].text != target]
        search = [i for i in wrong if wanted[i] > found[i].score]
        rows.append({
            "beam": width, "sentences": len(sentences), "other than the reference": len(wrong),
            "search errors": len(search), "model errors": len(wrong) - len(search),
            "search's share": f"{100 * len(search) / max(1, len(wrong)):.1f} %",
        })  # fmt: skip
        if width == 4:
            points = [(wanted[i], found[i].score) for i in wrong]
            examples = [
                f"| {sentences[i][0]} | {sentences[i][1]} | {wanted[i]:.2f} | {found[i].text} | "
                f"{found[i].score:.2f} | {'search' if i in search else 'model'} |"
                for i in [*search[: EXAMPLES // 3], *[w for w in wrong if w not in search]][
                    :EXAMPLES
                ]
            ]
    notes = (
        f"{options.pair}, Tatoeba's dev split as recognised, alpha {ALPHA}. A reference is one of "
        "several right answers: what differs from it is counted here, though not always wrong."
    )
    path = options.out / "translator-errors.md"
    write_table(path, "Error attribution", notes, rows)
    head = "\n| source | reference y* | score | translation y^ (beam 4) | score | at fault |\n"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(head + "|---|---|---|---|---|---|\n" + "\n".join(examples) + "\n")
    _scatter(points, options.out / "translator-errors.png")
    return 0


def _scatter(points: list[tuple[float, float]], path: Path) -> None:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.scatter([x for x, _ in points], [y for _, y in points], s=10)
    low = min(min(point) for point in points)
    axes.plot([low, 0], [low, 0], color="grey")
    axes.set_xlabel("score of the reference")
    axes.set_ylabel("score of the translation")
    axes.set_title("below the line: search errors")
    figure.savefig(path, dpi=110)
