"""Audio lists: JSON-lines manifests, speaker- and sentence-disjoint splits, decoded PCM."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeasr.audio import Pcm
from edgeasr.sources import read_audio

__all__ = [
    "Utterance", "held_out_order", "in_held_out_share", "read_manifest", "read_manifests",
    "read_pcm",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One clip of a manifest."""

    audio: Path
    seconds: float
    corpus: str
    """Name of the manifest's folder"""
    speaker: str | None = None
    text: str | None = None
    label: str | None = None
    split: str | None = None
    keyword_s: tuple[float, float] | None = None
    """Start and end of the keyword, seconds"""


def read_manifest(path: Path) -> list[Utterance]:
    """Return the clips of a `manifest.jsonl`; `audio` is relative to its folder."""
    with path.open(encoding="utf-8") as lines:
        return [_utterance(json.loads(line), path) for line in lines if line.strip()]


def read_manifests(root: Path, names: Iterable[str]) -> Iterator[Utterance]:
    """Yield the clips of `root/<name>/manifest.jsonl` for each name that exists."""
    for name in names:
        path = root / name / "manifest.jsonl"
        if path.is_file():
            yield from read_manifest(path)


def in_held_out_share(key: str, share: float, *, salt: str = "") -> bool:
    """Return whether a speaker or sentence is held out; the same on every machine."""
    return held_out_order(key, salt=salt) < share


def held_out_order(key: str, *, salt: str = "") -> float:
    """Return 0 to 1, by chance but the same on every machine: below the share is held out."""
    digest = hashlib.sha256((salt + key).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def read_pcm(utterance: Utterance) -> Pcm:
    """Return the whole clip, int16 [n] at 16 kHz. Raises AudioError."""
    return read_audio(utterance.audio)


def _utterance(row: dict[str, Any], path: Path) -> Utterance:
    keyword = row.get("keyword_s")
    return Utterance(
        audio=path.parent / row["audio"],
        seconds=float(row["seconds"]),
        corpus=path.parent.name,
        speaker=row.get("speaker"),
        text=row.get("text"),
        label=row.get("label"),
        split=row.get("split"),
        keyword_s=(float(keyword[0]), float(keyword[1])) if keyword else None,
    )
