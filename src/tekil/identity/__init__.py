"""Identity: evidence → persons. A pure function of what was said, whatever order it was said in."""

from tekil.identity.components import label_components
from tekil.identity.keys import person_id, person_key
from tekil.identity.resolve import resolve
from tekil.identity.tables import EVIDENCE, IDENTITY, TABLES

__all__ = ["EVIDENCE", "IDENTITY", "TABLES", "label_components", "person_id", "person_key", "resolve"]
