"""A recogniser that is exported anew keeps its trigger's second look, if it hears the same."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402 - after the skip
from onnx import numpy_helper  # noqa: E402

from edgeasr.bundle import MODELS_FOLDER, Bundle, seal_bundle  # noqa: E402
from edgeasr.recogniser import Recogniser  # noqa: E402
from training.recogniser_reexport import adopt  # noqa: E402

pytestmark = pytest.mark.train


def recogniser(folder):
    return Recogniser(Bundle(folder, kind="recogniser"))


@pytest.fixture
def trigger(tmp_path):
    shutil.copytree(MODELS_FOLDER / "wake", tmp_path / "wake")
    return tmp_path / "wake"


@pytest.fixture
def changed(tmp_path):
    """The shipped recogniser with the CTC network changed by a function."""

    def copy(change):
        folder = tmp_path / "recogniser-en"
        shutil.copytree(MODELS_FOLDER / "recogniser-en", folder)
        model = onnx.load(folder / "ctc.onnx")
        change(model)
        onnx.save(model, folder / "ctc.onnx")
        manifest = Bundle(MODELS_FOLDER / "recogniser-en", kind="recogniser").manifest
        seal_bundle(folder, kind="recogniser", files=list(manifest.files),
                    settings=manifest.settings, features=manifest.features)  # fmt: skip
        return recogniser(folder)

    return copy


def trusted(trigger):
    return json.loads((trigger / "bundle.json").read_text())["settings"]["verified_with"]


def test_another_form_of_the_same_network_is_trusted(trigger, changed):
    before = recogniser(MODELS_FOLDER / "recogniser-en")
    after = changed(lambda model: setattr(model, "doc_string", "written again"))
    assert trusted(trigger) == before.digest != after.digest
    adopt(trigger, before, after)
    assert trusted(trigger) == after.digest


def test_a_network_that_hears_something_else_is_not(trigger, changed, capsys):
    def louder_blank(model):
        bias = next(t for t in model.graph.initializer if t.name.endswith("out.bias"))
        values = numpy_helper.to_array(bias).copy()
        values[0] += 0.5
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))

    before = recogniser(MODELS_FOLDER / "recogniser-en")
    adopt(trigger, before, changed(louder_blank))
    assert trusted(trigger) == before.digest
    assert "wake_second" in capsys.readouterr().out


def test_a_trigger_that_was_fitted_to_another_recogniser_is_left_alone(trigger, changed):
    after = changed(lambda model: setattr(model, "doc_string", "written again"))
    adopt(trigger, after, recogniser(MODELS_FOLDER / "recogniser-en"))
    assert trusted(trigger) != after.digest
