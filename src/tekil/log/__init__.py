"""The log: what was said, durable, ordered, raw. Accepted messages wait here until they are loaded."""

from tekil.log.open import open_log
from tekil.log.protocol import READ_SCHEMA, Cipher, Entry, Log, SourceCount

__all__ = ["READ_SCHEMA", "Cipher", "Entry", "Log", "SourceCount", "open_log"]
