import json
import re

import pytest

from edgeasr.bundle import MODELS_FOLDER, Bundle, find_bundle, seal_bundle
from edgeasr.errors import BundleError
from edgeasr.features import FeatureSpec

CARD = {
    "the data and licences": r"data\b[\s\S]*(CC|Apache|MIT)",
    "the command": "python -m training",
    "the seed": r"seeds? \d",
    "figures in a table": r"\n\|.*\d.*\|",
    "the size": r"\d MB|\d kB",
    "weaknesses": "weak",
}
SHIPPED = sorted(path.parent for path in MODELS_FOLDER.glob("*/bundle.json"))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "tokens.json").write_text('["a"]')
    seal_bundle(folder, kind="wake", files=["tokens.json"], settings={"words": ["toy"]},
                features=FeatureSpec().digest())  # fmt: skip
    return folder


def change(folder, **fields):
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_sealed_bundle_opens(folder):
    bundle = Bundle(folder, kind="wake")
    assert bundle.name == "toy"
    assert bundle.settings == {"words": ["toy"]}
    assert bundle.json("tokens.json") == ["a"]


def test_a_changed_file_is_refused(folder):
    (folder / "tokens.json").write_text('["b"]')
    with pytest.raises(BundleError, match="damaged"):
        Bundle(folder, kind="wake")


def test_a_missing_file_is_refused(folder):
    (folder / "tokens.json").unlink()
    with pytest.raises(BundleError, match="missing"):
        Bundle(folder, kind="wake")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"features": "0123456789abcdef"}, "trained on features 0123456789abcdef"),
        ({"format": 99}, "format 99"),
        ({"kind": "translator"}, "holds a translator"),
        ({"files": {"../../etc/passwd": "00"}}, "outside"),
        ({"surprise": 1}, "wrong fields"),
    ],
)
def test_a_mismatch_is_refused(folder, fields, message):
    change(folder, **fields)
    with pytest.raises(BundleError, match=message):
        Bundle(folder, kind="wake")


def test_a_broken_manifest_is_refused(folder):
    (folder / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="can not read"):
        Bundle(folder, kind="wake")


def test_an_unknown_name_lists_what_there_is(folder):
    with pytest.raises(BundleError, match="'x'; there are: toy"):
        find_bundle("x", [folder.parent])


def test_a_network_of_other_features_is_refused(folder, tmp_path):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "toy",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"features": "feedfeedfeedfeed"})
    onnx.save(model, folder / "net.onnx")
    seal_bundle(folder, kind="wake", files=["net.onnx"], settings={},
                features=FeatureSpec().digest())  # fmt: skip
    with pytest.raises(BundleError, match="other features"):
        Bundle(folder, kind="wake").session("net.onnx")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_shipped_bundle_is_whole_and_has_a_card(folder):
    kind = json.loads((folder / "bundle.json").read_text())["kind"]
    Bundle(folder, kind=kind)
    card = (folder / "card.md").read_text()
    for part, sign in CARD.items():
        assert re.search(sign, card, re.IGNORECASE), f"{folder.name}: the card lacks {part}"


def test_all_shipped_models_fit_in_80_megabytes():
    total = sum(path.stat().st_size for path in MODELS_FOLDER.rglob("*") if path.is_file())
    assert len(SHIPPED) >= 3
    assert total <= 80_000_000
