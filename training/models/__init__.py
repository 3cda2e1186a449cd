"""The networks, as torch modules with a whole-signal `forward` and a streaming `step`."""
