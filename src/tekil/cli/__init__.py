"""The command line: everything one person needs to run Tekil."""

from tekil.cli.root import main

__all__ = ["main"]
