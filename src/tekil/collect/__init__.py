"""The door: HTTP in, log append, nothing else. A 200 means that the messages are on disk."""

from tekil.collect.server import serve

__all__ = ["serve"]
