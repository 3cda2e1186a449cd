"""Phrases to expect, read from a file: one a line, or lists and templates in TOML.

In TOML every list of texts counts, whatever its name; `{name}` in a text stands for each text of
the list of that name: `song = [...]` and `orders = ["play {song}"]` expect the songs, and orders
to play each of them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import islice, product
from pathlib import Path

from edgeasr.errors import ConfigError

__all__ = ["MAX_PHRASES", "read_phrases"]

MAX_PHRASES = 10_000
_MAX_BYTES = 1_000_000

Lists = Mapping[str, list[str]]


def read_phrases(path: Path) -> list[str]:
    """Return the phrases of a file, each once. Raises ConfigError with the remedy."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: more than {_MAX_BYTES} bytes of phrases; shorten it")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can not read the phrases {path}: {error}; give UTF-8 text") from error
    found = _of_toml(path, text) if path.suffix == ".toml" else _of_lines(text)
    phrases = list(dict.fromkeys(islice(found, MAX_PHRASES + 1)))
    if len(phrases) > MAX_PHRASES:
        raise ConfigError(f"{path}: more than {MAX_PHRASES} phrases; shorten it")
    return phrases


def _of_lines(text: str) -> Iterator[str]:
    """Yield the lines; `#` starts a comment."""
    return filter(None, (line.split("#")[0].strip() for line in text.splitlines()))


def _of_toml(path: Path, text: str) -> Iterator[str]:
    """Yield the texts of all lists, templates with every filling."""
    try:
        lists = tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: no TOML ({error}); write name = [\"text\", ...]") from error
    for name, texts in lists.items():
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise ConfigError(f'{path}: {name}: give a list of texts, ["like", "this"]')
    for texts in lists.values():
        for template in texts:
            yield from _filled(path, template, lists)


def _filled(path: Path, template: str, lists: Lists) -> Iterator[str]:
    fixed, names = re.split(r"\{\w+\}", template), re.findall(r"\{(\w+)\}", template)
    for name in names:
        if name not in lists or any("{" in text for text in lists[name]):
            known = ", ".join(lists)
            raise ConfigError(
                f"{path}: {template!r}: {{{name}}} is no list of plain texts; there are: {known}"
            )
    for chosen in product(*(lists[name] for name in names)):
        pieces = [fixed[0]]
        for choice, after in zip(chosen, fixed[1:], strict=True):
            pieces += [choice, after]
        if text := "".join(pieces).strip():
            yield text
