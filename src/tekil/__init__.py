"""Tekil: an open, self-hosted customer data platform. `tekil.open(path)` is the library's door."""

__version__ = "0.1.0"
