"""Settings that `command/set` keeps over a restart."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["keep", "kept"]

_LOG = logging.getLogger(__name__)
_MAX_FILE_BYTES = 2_000_000


def keep(path: Path, changes: Mapping[str, Any]) -> None:
    """Add changes to those that `kept` returns after a restart. Raises OSError."""
    merged = _merged(kept(path), changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(merged, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def kept(path: Path) -> dict[str, Any]:
    """Return the changes kept on disk; a damaged file is reported and counts as empty."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_FILE_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        _LOG.error("kept settings %s can not be read (%s); the configuration holds", path, error)
        return {}
    return content if isinstance(content, dict) else {}


def _merged(before: object, changes: object) -> Any:  # noqa: ANN401 - JSON
    """Return both, `changes` first; of the wake words each keeps what is not changed."""
    if not isinstance(changes, Mapping):
        return changes
    if isinstance(before, bool):  # the short form of a wake word
        before = {"on": before}
    if not isinstance(before, Mapping):
        return dict(changes)
    return {**before, **{key: _merged(before.get(key), value) for key, value in changes.items()}}
