"""Chains of a few layers."""
