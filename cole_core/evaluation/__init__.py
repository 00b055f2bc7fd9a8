"""Measured values: sources, trainings, proxies."""
