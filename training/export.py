"""From torch to ONNX: named inputs and outputs, metadata, and proof that both say the same."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

__all__ = ["check_parity", "export_onnx"]

_OPSET = 17


def export_onnx(
    module: nn.Module,
    example: Mapping[str, Tensor],
    path: Path,
    *,
    outputs: list[str],
    dynamic: Mapping[str, Mapping[int, str]],
    metadata: Mapping[str, str],
) -> None:
    """Write `module` as it answers to `example` (name -> input, in the order of `forward`).

    `dynamic` names the axes that may vary, by input or output. The network is checked and given
    its metadata.
    """
    module.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module, tuple(example.values()), str(path), input_names=list(example),
        output_names=outputs, dynamic_axes={name: dict(axes) for name, axes in dynamic.items()},
        opset_version=_OPSET, dynamo=False, do_constant_folding=True,
    )  # fmt: skip
    network = onnx.load(str(path))
    onnx.checker.check_model(network)
    onnx.helper.set_model_props(network, dict(metadata))
    onnx.save(network, str(path))


def check_parity(
    module: nn.Module, inputs: Mapping[str, Tensor], path: Path, *, atol: float = 1e-4
) -> float:
    """Return the largest difference between torch and onnxruntime on `inputs`.

    Raises AssertionError above `atol`, which fails the export.
    """
    with torch.inference_mode():
        expected = module(*inputs.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    actual = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    worst = max(
        float(np.abs(one.numpy() - two).max(initial=0.0))
        for one, two in zip(expected, actual, strict=True)
    )
    assert worst <= atol, f"{path}: onnxruntime differs from torch by {worst}, more than {atol}"
    return worst
