"""The log: what was said, durable, ordered, raw. Accepted messages wait here until they are loaded."""

from tekil.log.open import open_log
from tekil.log.protocol import Cipher, Entry, Log, SourceCount

__all__ = ["Cipher", "Entry", "Log", "SourceCount", "open_log"]
