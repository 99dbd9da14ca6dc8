"""Tekil: an open, self-hosted customer data platform. `tekil.open(path)` is the library's door."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["open"]

if TYPE_CHECKING:
    from tekil.library import open


def __getattr__(name: str) -> Any:
    # The collector must start fast and lean, so the library's weight is loaded when it is asked for.
    if name == "open":
        return importlib.import_module("tekil.library").open
    raise AttributeError(f"module 'tekil' has no attribute {name!r}")
