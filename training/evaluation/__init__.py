"""Measurements of the shipped models on held-out data."""
