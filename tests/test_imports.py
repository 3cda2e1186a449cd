"""Dependencies flow one way, and `import edgeasr` is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import edgeasr

ROOT = Path(edgeasr.__file__).parent
HEAVY = ("torch", "sounddevice", "paho", "training", "matplotlib", "amqtt", "hassil")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in ROOT.rglob("*.py")}


def imported(path: Path, *, lazily: bool) -> set[str]:
    """Names that a module imports, at its top or (lazily) anywhere."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazily else iter(tree.body)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_there_are_no_cycles():
    graph = {
        name: imported(path, lazily=True) & MODULES.keys() - {"edgeasr"}
        for name, path in MODULES.items()
        if name != "edgeasr"
    }
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in finished:
            for other in graph.get(name, ()):
                visit(other, (*trail, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize(
    ("part", "forbidden"),
    [
        ("assistant", ("mqtt", "runtime", "microphone", "cli", "threading", "time", "socket")),
        ("utterance", ("assistant", "wake", "threading", "time")),
        ("recogniser", ("assistant", "wake", "translator", "endpoint")),
        ("translator", ("assistant", "recogniser", "wake")),
        ("wake", ("assistant", "translator", "endpoint")),
        ("features", ("recogniser", "wake", "assistant", "bundle")),
        ("events", ("assistant", "mqtt", "bundle")),
    ],
)
def test_no_module_looks_up(part, forbidden):
    names = imported(MODULES[f"edgeasr.{part}"], lazily=True)
    wrong = [name for name in names for bad in forbidden if name in (bad, f"edgeasr.{bad}")]
    assert not wrong


def test_only_the_runtime_starts_threads():
    starters = [
        name for name, path in MODULES.items()
        if "Thread(" in path.read_text() or "loop_start(" in path.read_text()
    ]  # fmt: skip
    assert set(starters) <= {"edgeasr.runtime"}


def test_the_runtime_never_imports_training_or_pickle():
    for name, path in MODULES.items():
        bad = imported(path, lazily=True) & {"torch", "training", "pickle", "marshal", "shelve"}
        assert not bad, f"{name} imports {bad}"


def test_importing_edgeasr_loads_nothing_heavy():
    code = (
        "import sys, edgeasr, edgeasr.assistant\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_public_names_are_reachable():
    for name in edgeasr.__all__:
        assert getattr(edgeasr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        edgeasr.nothing  # noqa: B018 - the access is the test
