"""What the laws are founded on serves here, too."""

from __future__ import annotations

from tests.laws.conftest import found, store

__all__ = ["found", "store"]
