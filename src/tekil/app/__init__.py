"""Where things are wired together: the processes of `tekil up`, and what watches over them.

Each process has a module of its own, found by name, so that the collector never loads what only the engine
needs.
"""

PARTS = {"collector": "tekil.app.collector", "engine": "tekil.app.serving"}
"""A part of Tekil → the module whose `run(config, say)` is that part."""

__all__ = ["PARTS"]
