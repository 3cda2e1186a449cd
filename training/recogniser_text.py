"""Transcripts as the recogniser writes them, and the two sets of units that spell them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from edgeasr.bpe import Bpe
from edgeasr.transcription import as_spoken

__all__ = ["normalise", "prune_bpe", "read_lines", "train_ctc_units"]

_SPOKEN = {
    "dr.": "doctor", "st.": "saint", "etc.": "et cetera", "&": " and ", "%": " percent ",
}  # fmt: skip
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})


def normalise(text: str) -> str | None:
    """Return lower-case words as spoken, or None when the text has what can not be read surely.

    Apostrophes inside words stay; other punctuation goes; digits make the text unusable.
    """
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()
    for written, spoken in _SPOKEN.items():
        text = text.replace(written, spoken)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    if re.search(r"[0-9@#$€£+=*<>_\[\]{}]", text):
        return None
    text = re.sub(r"[^a-z' ]", " ", text)
    text = re.sub(r"(?<![a-z])'|'(?![a-z])", " ", text)
    return as_spoken(text)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file as `normalise` writes them, without the unusable ones."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := normalise(line))]


def prune_bpe(
    vocabulary: dict[str, int],
    merges: list[tuple[str, str]],
    texts: Iterable[str],
    *,
    units: int,
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the `units` most used byte-pair units of normalised texts, and their merges.

    A word all of whose units are kept is encoded as Whisper learned to write it; another one is
    spelled by shorter units. All letters are kept, so that every word can be spelled.
    """
    full = Bpe(list(vocabulary), merges)
    counts: Counter[str] = Counter()
    for word, times in Counter(w for text in texts for w in text.split()).items():
        for unit in full.encode_word(word):
            counts[unit] += times
    letters = [*"abcdefghijklmnopqrstuvwxyz'", "Ġ"]
    kept = dict.fromkeys([*letters, *(unit for unit, _ in counts.most_common(units))])
    chosen = list(kept)[:units]
    parents = {left + right: (left, right) for left, right in reversed(merges)}
    needed = set().union(*(_family(unit, parents) for unit in chosen))
    return chosen, [(left, right) for left, right in merges if left + right in needed]


def _family(unit: str, parents: dict[str, tuple[str, str]]) -> set[str]:
    if unit not in parents:
        return {unit}
    left, right = parents[unit]
    return {unit} | _family(left, parents) | _family(right, parents)


def train_ctc_units(texts: Iterable[str], path: Path, *, units: int) -> None:
    """Write a sentencepiece model (Kudo 2018) of the CTC branch's sub-words to `path`."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(path.with_suffix("")),
        vocab_size=units,
        model_type="unigram",
        character_coverage=1.0,
        unk_id=0,
        bos_id=-1,
        eos_id=-1,
        pad_id=-1,
        num_threads=1,
        input_sentence_size=400_000,
        shuffle_input_sentence=True,
        minloglevel=2,
    )
