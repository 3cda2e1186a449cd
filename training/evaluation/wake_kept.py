"""Results of a bundle kept on disk: an evaluation that was cut off goes on where it was."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeasr.bundle import BUNDLE_FILE

__all__ = ["Kept"]


class Kept:
    """Named JSON values of one bundle together with what verifies it."""

    def __init__(self, folder: Path, bundle: Path, verifier: str) -> None:
        """Keep below `folder`; another bundle or verifier has values of its own."""
        content = json.loads((bundle / BUNDLE_FILE).read_text(encoding="utf-8"))
        content.get("files", {}).pop("card.md", None)  # written from these results
        digest = hashlib.sha256((json.dumps(content, sort_keys=True) + verifier).encode())
        self._folder = folder / f"kept-{digest.hexdigest()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        """Return the value called `name`, made and written where it is not there yet."""
        path = self._folder / f"{name.replace(' ', '-')}.json"
        if not path.is_file():
            fresh = path.with_suffix(".tmp")
            fresh.write_text(json.dumps(make()), encoding="utf-8")
            fresh.replace(path)
        return json.loads(path.read_text(encoding="utf-8"))
