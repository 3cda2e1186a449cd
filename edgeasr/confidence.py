"""How far a transcript can be trusted, as a probability."""

from collections.abc import Sequence

import numpy as np

from edgeasr.ctc import LogProbs, label_score

__all__ = ["confidence", "confidence_features"]

_WORST_AGREEMENT = -20.0


def confidence_features(
    unit_log_probs: Sequence[float], log_probs: LogProbs, labels: Sequence[int]
) -> tuple[float, ...]:
    """Return what the calibration weighs.

    That is 1, the decoder's mean and worst log probability of a unit, and how much less likely,
    per label, the CTC branch, float32 [steps, units], finds the `labels` than its own best path.
    """
    free = float(log_probs.max(axis=1).sum())
    agreement = (label_score(log_probs, labels) - free) / max(1, len(labels))
    mean = sum(unit_log_probs) / len(unit_log_probs)
    return 1.0, mean, min(unit_log_probs), max(agreement, _WORST_AGREEMENT)


def confidence(features: Sequence[float], weights: Sequence[float]) -> float:
    """Return the logistic function of the weighted features.

    It estimates the probability that at most a third of the words is wrong, fitted on held-out
    speech and on noise, where every word is wrong.
    """
    z = sum(weight * value for weight, value in zip(weights, features, strict=True))
    return float(1 / (1 + np.exp(-z)))
