"""How far a sound stands out of the noise before it, from the spectrogram at hand."""

import numpy as np

from edgeasr.features import Frames

__all__ = ["snr_db"]

_LOUD_FRAMES = 30  # 0.3 s: the vowels of a wake word
_RECENT_FRAMES = 150  # 1.5 s: the word, and the delay of its detection
_QUIET_PERCENT = 10.0
_MOST_DB = 60.0  # digital silence would give more, and mean no more


def snr_db(log_mel: Frames) -> float:
    """Return decibels from the quietest tenth of log10 mel, float32 [n, mels], to its recent peak.

    0 when nothing stands out, at most 60.
    """
    if not len(log_mel):
        return 0.0
    power = (10.0 ** log_mel.astype(np.float64)).sum(axis=1)
    noise = float(np.percentile(power, _QUIET_PERCENT))
    loud = float(np.sort(power[-_RECENT_FRAMES:])[-_LOUD_FRAMES:].mean())
    return float(np.clip(10.0 * np.log10(max(loud - noise, 1e-30) / noise), 0.0, _MOST_DB))
