"""Identity: evidence → persons. A pure function of what was said, whatever order it was said in."""

from tekil.identity.components import label_components
from tekil.identity.keys import person_id, person_key
from tekil.identity.refresh import finish, reach, write
from tekil.identity.resolve import People, Resolved, resolve
from tekil.identity.sql import of_persons
from tekil.identity.tables import CONFLICTS, EVIDENCE, IDENTITY, OWNERSHIP, SHARED, TABLES

__all__ = [
    "CONFLICTS",
    "EVIDENCE",
    "IDENTITY",
    "OWNERSHIP",
    "SHARED",
    "TABLES",
    "People",
    "Resolved",
    "finish",
    "label_components",
    "of_persons",
    "person_id",
    "person_key",
    "reach",
    "resolve",
    "write",
]
