"""A bundle is a folder with one trained model: networks, tokens, card, and `bundle.json`.

`bundle.json` names every file with its SHA-256, what the model is (`kind`), the digest of the
features it was trained on and of its token table, and the settings its runtime class reads. A
folder that does not match is refused, since a model fed other features answers nonsense quietly.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgeasr.errors import BundleError
from edgeasr.features import FeatureSpec
from edgeasr.session import OnnxSession

__all__ = ["BUNDLE_FILE", "MODELS_FOLDER", "Bundle", "Manifest", "find_bundle", "seal_bundle"]

BUNDLE_FILE = "bundle.json"
FORMAT = 1
MAX_FILE_BYTES = 200_000_000
MODELS_FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Manifest:
    """The content of `bundle.json`."""

    name: str
    kind: str
    """wake, recogniser, translator or tagger"""
    files: dict[str, str]
    """File name -> SHA-256 in hex"""
    features: str | None = None
    """FeatureSpec.digest() of the training features; None for text models"""
    settings: dict[str, Any] = field(default_factory=dict)
    """What the runtime class needs to know: words, chunk sizes, thresholds"""
    format: int = FORMAT


class Bundle:
    """An opened and verified bundle."""

    def __init__(self, folder: Path, *, kind: str) -> None:
        """Check `folder` against its manifest. Raises BundleError with the file and the remedy."""
        self.folder = folder
        self.manifest = _read_manifest(folder)
        self.settings = self.manifest.settings
        if self.manifest.kind != kind:
            raise BundleError(f"{folder} holds a {self.manifest.kind} model, not a {kind}")
        _check_features(self.manifest, folder)
        for name, digest in self.manifest.files.items():
            _check_file(folder / name, digest)

    @property
    def name(self) -> str:
        """The bundle's name, as in the configuration."""
        return self.manifest.name

    def path(self, name: str) -> Path:
        """Return the path of a listed file. Raises BundleError when it is not listed."""
        if name not in self.manifest.files:
            raise BundleError(f"{self.folder} lists no file {name}; export the model again")
        return self.folder / name

    def session(self, name: str, *, threads: int = 1) -> OnnxSession:
        """Load a network and compare the features digest inside it with the manifest's."""
        session = OnnxSession(self.path(name), threads=threads)
        inside = session.metadata.get("features")
        if inside is not None and inside != self.manifest.features:
            raise BundleError(f"{self.folder / name} was exported for other features; export again")
        return session

    def json(self, name: str) -> Any:  # noqa: ANN401 - parsed JSON
        """Return a listed JSON file. Raises BundleError when it does not parse."""
        return _parse_json(self.path(name))


def find_bundle(name: str, folders: list[Path]) -> Path:
    """Return the first folder that holds a bundle called `name`.

    Raises BundleError that lists what there is.
    """
    for folder in folders:
        if (folder / name / BUNDLE_FILE).is_file():
            return folder / name
    known = {path.parent.name for folder in folders for path in folder.glob(f"*/{BUNDLE_FILE}")}
    raise BundleError(f"no model called {name!r}; there are: {', '.join(sorted(known)) or 'none'}")


def seal_bundle(
    folder: Path,
    *,
    kind: str,
    files: list[str],
    settings: dict[str, Any],
    features: str | None = None,
) -> Manifest:
    """Write `bundle.json` over files that lie in `folder`; the folder's name is the bundle's."""
    digests = {name: _sha256(folder / name) for name in sorted(files)}
    manifest = Manifest(folder.name, kind, digests, features, settings)
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False, sort_keys=True)
    (folder / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")
    return manifest


def _read_manifest(folder: Path) -> Manifest:
    path = folder / BUNDLE_FILE
    if not path.is_file():
        raise BundleError(f"{folder} is no model folder: it has no {BUNDLE_FILE}")
    content = _parse_json(path)
    try:
        manifest = Manifest(**content)
        names = [Path(name).name == name for name in manifest.files]
    except TypeError as error:
        raise BundleError(f"{path} has wrong fields ({error}); reinstall the model") from error
    if manifest.format != FORMAT:
        raise BundleError(f"{path} is of format {manifest.format}, this edgeasr reads {FORMAT}")
    if not all(names):
        raise BundleError(f"{path} names files outside its folder; reinstall the model")
    return manifest


def _parse_json(path: Path) -> Any:  # noqa: ANN401 - parsed JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"can not read {path}: {error}; reinstall the model") from error


def _check_features(manifest: Manifest, folder: Path) -> None:
    expected = FeatureSpec().digest()
    if manifest.features not in (None, expected):
        raise BundleError(
            f"{folder} was trained on features {manifest.features}, this edgeasr computes "
            f"{expected}; export it again or install the matching version"
        )


def _check_file(path: Path, digest: str) -> None:
    if not path.is_file():
        raise BundleError(f"{path} is missing; reinstall the model")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BundleError(f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB; not a model")
    if _sha256(path) != digest:
        raise BundleError(f"{path} is damaged (its SHA-256 differs); reinstall the model")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
