"""The console: pages a person reads, rendered here, in Turkish and English."""

from tekil.console.app import create_app

__all__ = ["create_app"]
