"""A reshape that an export writes as one operator, where torch writes eight for a view."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["keep_two_axes"]


class _KeepTwoAxes(torch.autograd.Function):
    @staticmethod
    def forward(_context: object, x: Tensor, *rest: int) -> Tensor:
        return x.reshape(*x.shape[:2], *rest)

    @staticmethod
    def symbolic(graph: Any, x: Any, *rest: int) -> Any:  # noqa: ANN401 - torch's own types
        shape = graph.op("Constant", value_t=torch.tensor([0, 0, *rest]))  # 0: as it is
        return graph.op("Reshape", x, shape)


def keep_two_axes(x: Tensor, *rest: int) -> Tensor:
    """(B, T, ...) -> (B, T, *rest); one of `rest` is -1."""
    if torch.onnx.is_in_onnx_export():
        exported: Tensor = _KeepTwoAxes.apply(x, *rest)  # type: ignore[no-untyped-call]
        return exported
    return x.reshape(*x.shape[:2], *rest)
