"""Matrices of 4-bit integers with a scale for each block of a row, as onnxruntime has them."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "pack_four_bits", "widen_four_bits"]

BLOCK = 32
_ZERO = 8
_TRIED = np.linspace(0.7, 1.0, 13, dtype=np.float32)


def pack_four_bits(matrix: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return codes uint8 [rows, blocks, BLOCK / 2] and scales float32 [rows, blocks].

    A value is (code - 8) * scale, the even columns in the low half of each byte. Of several
    scales each block takes the one with the least squared error. `matrix` is float32 [rows,
    columns], a whole number of blocks wide.
    """
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    at = np.abs(blocks).argmax(axis=2)[:, :, None]
    largest = np.take_along_axis(blocks, at, axis=2)[:, :, 0]
    full = (np.where(largest == 0, 1e-3, largest) / -_ZERO).astype(np.float32)
    best, error = full, np.full(full.shape, np.inf, np.float32)  # the largest becomes code 0
    for share in _TRIED:
        scale = (full * share).astype(np.float16).astype(np.float32)
        own = np.square(_codes(blocks, scale) * scale[:, :, None] - blocks).sum(axis=2)
        best = np.where(own < error, scale, best).astype(np.float32)
        error = np.minimum(own, error)
    codes = (_codes(blocks, best) + _ZERO).astype(np.uint8)
    packed: NDArray[np.uint8] = np.bitwise_or(codes[:, :, ::2], codes[:, :, 1::2] << np.uint8(4))
    return packed, best


def widen_four_bits(codes: NDArray[np.uint8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 [rows, columns] of `pack_four_bits`."""
    pairs = np.stack([codes & 15, codes >> 4], axis=3).astype(np.float32) - _ZERO
    values: NDArray[np.float32] = pairs.reshape(*scales.shape, BLOCK) * scales[:, :, None]
    return values.reshape(len(scales), -1)


def _codes(blocks: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    codes: NDArray[np.float32] = np.clip(np.rint(blocks / scale[:, :, None]), -_ZERO, _ZERO - 1)
    return codes
