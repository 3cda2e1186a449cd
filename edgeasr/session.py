"""One-thread onnxruntime sessions: named arrays in, named arrays out, metadata as a dict."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.errors import BundleError
from edgeasr.memory import trim_heap

# Nothing leaves the house: from 1.32 on, onnxruntime reports its use to its maker, with an
# identifier that it keeps in the home folder, unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

__all__ = ["Array", "OnnxSession", "Tensors"]

Array = NDArray[Any]
Tensors = dict[str, Array]


class OnnxSession:
    """A loaded network. Holds no stream state: states are inputs and outputs."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Load `path`. Raises BundleError when it is missing or not a usable model."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Arenas keep the largest buffer for ever; a Pi has better uses for the memory.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False  # one more plan for each new length of an utterance
        options.add_session_config_entry("session.use_env_allocators", "0")
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises many unrelated types
            raise BundleError(f"can not load the model {path}: {error}; reinstall it") from error
        trim_heap()  # now, not after the last network: less memory at the worst moment
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.input_names = [node.name for node in self._session.get_inputs()]
        self.output_names = [node.name for node in self._session.get_outputs()]
        self._shapes = {node.name: node.shape for node in self._session.get_inputs()}
        self._types = {node.name: node.type for node in self._session.get_inputs()}

    def zeros(self, name: str, **dims: int) -> Array:
        """Return zeros of an input's shape and type; symbolic axes are given by name."""
        shape = [dims[axis] if isinstance(axis, str) else axis for axis in self._shapes[name]]
        dtype = {"tensor(float)": np.float32, "tensor(int64)": np.int64}[self._types[name]]
        return np.zeros(shape, dtype)

    def run(self, inputs: Mapping[str, Array]) -> Tensors:
        """Return every output by name."""
        return dict(zip(self.output_names, self._session.run(None, dict(inputs)), strict=True))
