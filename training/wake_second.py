"""Fit the trigger's second stage: `python -m training wake_second --data ROOT`.

For each word: how much the recogniser's log ratio weighs beside the trigger's own score, and the
operating points of both together, on held-out speakers. Kept only where it misses less. Run again
whenever the recogniser changes (what the trigger handed over is kept, so that takes a minute of
processor time; the first run, or one after a change of the trigger, five); until then the runtime
leaves the stage out. Prints what is missed at thresholds, weights and choice of stage that were
fitted to the other half of the speakers and sources.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeasr.bundle import BUNDLE_FILE, Bundle, seal_bundle
from edgeasr.loading import SHIPPED, load_recogniser
from edgeasr.wake import WakeModel
from edgeasr.wake_verify import PhraseVerifier, VerifyRule
from training.wake_data import held_out_packs
from training.wake_export import operating
from training.wake_looks import CANDIDATE, Evidence, Source, gather, load, save
from training.wake_measure import Curve

__all__ = ["EVIDENCE_FILE", "fit", "main", "trigger_digest"]

EVIDENCE_FILE = "looks.npz"
"""In a cache folder: what the first stage handed over"""

_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
_SPELLINGS = {"snowboy": ("snowboy", "snow boy")}
_RATES = (0.1, 0.2, 0.5, 1.0)  # whose mean miss decides
_CONDITIONS = ("clean", "noise10")

Row = dict[str, Any]


def main(argv: list[str]) -> int:
    """Fit and write the bundle's settings."""
    parser = argparse.ArgumentParser(prog="training wake_second", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--cache", type=Path, default=Path("runs/wake/cache"))
    parser.add_argument("--bundle", type=Path, default=SHIPPED[0] / "wake")
    options = parser.parse_args(argv)
    model = WakeModel(Bundle(options.bundle, kind="wake"))
    path = options.cache / EVIDENCE_FILE
    evidence = load(path, trigger=trigger_digest(options.bundle))
    if evidence is None:
        evidence = gather(model, *held_out_packs(options.data, options.cache, model.words))
        save(evidence, path, trigger=trigger_digest(options.bundle))
    fit(options.bundle, evidence)
    return 0


def trigger_digest(folder: Path) -> str:
    """Return the digest of a bundle's network."""
    return Bundle(folder, kind="wake").manifest.files["wake.onnx"]


def fit(
    folder: Path, evidence: Evidence, *, synthetic: bool = False
) -> dict[str, dict[str, Curve]]:
    """Write the operating points of a bundle's words, with the second stage where it helps.

    `synthetic` tells that no person speaks in the evidence. Returns the curves of what is
    written, by word and condition.
    """
    recogniser = load_recogniser()
    least = dict.fromkeys(WakeModel(Bundle(folder, kind="wake")).words, CANDIDATE)
    rules = {
        word: VerifyRule(_SPELLINGS.get(word, (word,)), candidate, 1.0)
        for word, candidate in (least | evidence.candidate).items()
    }
    judge = _Judge.of(evidence, PhraseVerifier(recogniser, rules), synthetic=synthetic)
    content = json.loads((folder / BUNDLE_FILE).read_text(encoding="utf-8"))
    alone, both, curves = _fitted(judge, rules, content["settings"]["words_alone"])
    settings = {
        **content["settings"], "words_alone": alone, "words_verified": both,
        "verified_with": recogniser.digest,
    }  # fmt: skip
    seal_bundle(folder, kind="wake", files=list(content["files"]), settings=settings,
                features=content["features"])  # fmt: skip
    return curves


def _fitted(
    judge: "_Judge", rules: dict[str, VerifyRule], alone: dict[str, Row]
) -> tuple[dict[str, Row], dict[str, Row], dict[str, dict[str, Curve]]]:
    """Return the operating points of each word alone, of those that verifying helps, the curves.

    A word without recordings keeps what it had, and decides alone.
    """
    rows, both, curves = dict(alone), {}, {}
    for word, rule in rules.items():
        first = judge.curves(word, None)
        if not len(first["clean"].hits):
            print(f"{word:13} no recordings: left as it was, without the second stage")
            continue
        rows[word] = operating(
            first["clean"], alone[word]["delay_frames"], heard=first.values()
        )
        fitted = judge.choose(word, rule)
        weight, shipped = 0.0, first
        if fitted is not None:
            weight, shipped = fitted.weight, judge.curves(word, fitted)
            both[word] = {
                **judge.operating(shipped, judge.evidence.delays[word]),
                "spellings": list(fitted.spellings),
                "candidate": fitted.candidate,
                "weight": weight,
            }
        curves[word] = shipped
        print(f"{word:13} weight {weight}  alone {_line(first)}   shipped {_line(shipped)}   "
              f"{judge.crossed(word, rule)}", flush=True)  # fmt: skip
    return rows, both, curves


@dataclass(frozen=True)
class _Judge:
    """Scores of both stages, for any rule and any half of the evidence."""

    evidence: Evidence
    ratios: dict[Source, list[float]]
    synthetic: bool = False
    """Whether no person speaks in the evidence"""

    @classmethod
    def of(cls, evidence: Evidence, verifier: PhraseVerifier, *, synthetic: bool) -> "_Judge":
        """Let the recogniser read every look."""
        ratios = {
            source: [verifier.score(source[1], look.frames) for look in looks]
            for source, looks in evidence.found.items()
        }
        return cls(evidence, ratios, synthetic)

    def operating(self, curves: dict[str, Curve], delay_frames: int) -> Row:
        """Return the operating points that these curves of the conditions lead to."""
        heard = curves.values()
        return operating(curves["clean"], delay_frames, heard=heard, synthetic=self.synthetic)

    def curves(
        self, word: str, rule: VerifyRule | None, halves: tuple[int, ...] = (0, 1)
    ) -> dict[str, Curve]:
        """Return a curve for each condition; without a rule that of the first stage alone."""
        accepts = self._scores("negative", word, rule, halves)
        hours = sum(self.evidence.hours[half] for half in halves)
        return {
            condition: Curve(self._scores(condition, word, rule, halves), accepts, hours)
            for condition in _CONDITIONS
        }

    def _scores(
        self, condition: str, word: str, rule: VerifyRule | None, halves: tuple[int, ...]
    ) -> Any:  # noqa: ANN401 - float32 [recordings or accepts]
        scores: list[float] = []
        for half in halves:
            source = (condition, word, half)
            alone = self.evidence.alone.get(source, [])
            if rule is None:
                scores += alone
                continue
            looks, ratios = self.evidence.found.get(source, []), self.ratios.get(source, [])
            final = [rule.combined(look.top, ratio)
                     for look, ratio in zip(looks, ratios, strict=True)]  # fmt: skip
            if condition == "negative":
                scores += final
                continue
            best = [0.0] * len(alone)
            for clip, score in zip(self.evidence.clips.get(source, []), final, strict=True):
                best[clip] = max(best[clip], score)
            scores += best
        return np.array(scores, np.float32)

    def choose(
        self, word: str, rule: VerifyRule, halves: tuple[int, ...] = (0, 1)
    ) -> VerifyRule | None:
        """Return the rule with the best weight, None where the first stage alone misses less."""
        rules = [replace(rule, weight=weight) for weight in _WEIGHTS]
        best = min(rules, key=lambda one: _cost(self.curves(word, one, halves)))
        alone = _cost(self.curves(word, None, halves))
        return best if _cost(self.curves(word, best, halves)) < alone else None

    def crossed(self, word: str, rule: VerifyRule) -> str:
        """Say what is missed and accepted at what was chosen on the other half."""
        missed, clips, accepted = dict.fromkeys(_CONDITIONS, 0), 0, 0
        for half in (0, 1):
            chosen = self.choose(word, rule, (1 - half,))
            seen = self.curves(word, chosen, (1 - half,))
            threshold = self.operating(seen, 0)["threshold"]
            counted = self.curves(word, chosen, (half,))
            accepted += int((counted["clean"].accepts >= threshold).sum())
            clips += len(counted["clean"].hits)
            for condition, curve in counted.items():
                missed[condition] += int((curve.hits < threshold).sum())
        hours = sum(self.evidence.hours)
        return f"crossed: missed {missed} of {clips}, {accepted} accepts in {hours:.1f} h"


def _cost(curves: dict[str, Curve]) -> float:
    return float(np.mean([curve.miss_at(rate) for curve in curves.values() for rate in _RATES]))


def _line(curves: dict[str, Curve]) -> str:
    return " ".join(
        f"{name} " + "/".join(f"{100 * curve.miss_at(rate):.1f}" for rate in _RATES)
        for name, curve in curves.items()
    )
