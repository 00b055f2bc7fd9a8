"""The explorer: a page over a living warehouse, on loopback, that reads and never writes into it.

The modules here gather and compute, and are tested without a browser; `pages` lays out.
"""
