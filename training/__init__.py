"""Recipes that make the shipped models: manifests -> checkpoints -> ONNX -> bundle."""
