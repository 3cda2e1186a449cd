"""BLEU, time and length by beam width and by the length penalty's exponent."""

import time

from training.analysis.translation_report import (
    Curve,
    bleu,
    dev_sentences,
    draw,
    open_translator,
    parser,
    write_table,
)

__all__ = ["main"]

WIDTHS = (1, 2, 3, 5, 10, 20)
ALPHAS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.4)


def main(argv: list[str]) -> int:
    """Write `translator-beam.md` and its plot; returns the exit status."""
    options = parser("beam", sentences=250).parse_args(argv)
    translator = open_translator(options)
    sentences = dev_sentences(options.data, options.pair.split("-")[1], options.sentences)
    references = [reference for _, reference in sentences]
    words = sum(len(reference.split()) for reference in references)
    rows: list[dict[str, object]] = []
    for width, alpha in [*((w, 0.8) for w in WIDTHS), *((5, a) for a in ALPHAS if a != 0.8)]:
        started = time.process_time()
        found = [translator.translate(s, beam=width, alpha=alpha).text for s, _ in sentences]
        spent = time.process_time() - started
        rows.append({
            "beam": width, "alpha": str(alpha), "BLEU": bleu(found, references),
            "CPU ms per sentence": 1000 * spent / len(found),
            "words to the reference's": f"{sum(len(t.split()) for t in found) / words:.3f}",
        })  # fmt: skip
    notes = (
        f"{translator.source_language}-{translator.target_language}, {len(sentences)} sentences of "
        "Tatoeba's dev split as recognised, one thread. Width 1 is greedy search (a test holds it)."
    )
    write_table(options.out / "translator-beam.md", "Beam width and alpha", notes, rows)
    picked = rows[: len(WIDTHS)]
    scores = [float(str(row["BLEU"])) for row in picked]
    times = [float(str(row["CPU ms per sentence"])) for row in picked]
    curves = [Curve("BLEU", WIDTHS, scores), Curve("CPU ms per sentence", WIDTHS, times)]
    draw(options.out / "translator-beam.png", curves, x="beam width", y="", log_x=True)
    return 0
