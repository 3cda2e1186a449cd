"""Studies of the models that ship with tables and plots in `docs/analysis`."""
