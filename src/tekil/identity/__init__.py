"""Identity: evidence → persons. A pure function of what was said, whatever order it was said in."""

from tekil.identity.assertions import SOURCE, IdentityDesk, Plan
from tekil.identity.components import label_components
from tekil.identity.evaluation import Quality, evaluate
from tekil.identity.explain import Explanation
from tekil.identity.keys import identifier_key, person_id, person_key
from tekil.identity.overview import Overview
from tekil.identity.persons import resolve_graph
from tekil.identity.portrait import Moment, Portrait
from tekil.identity.refresh import Reached, finish, reach, reach_without, write
from tekil.identity.resolve import People, Resolved, resolve, resolve_unlinked
from tekil.identity.sql import of_persons
from tekil.identity.tables import (
    CONFLICTS,
    EVIDENCE,
    IDENTITY,
    OWNERSHIP,
    PLACES,
    SHARED,
    TABLES,
)

__all__ = [
    "CONFLICTS",
    "EVIDENCE",
    "IDENTITY",
    "OWNERSHIP",
    "PLACES",
    "SHARED",
    "SOURCE",
    "TABLES",
    "Explanation",
    "IdentityDesk",
    "Moment",
    "Overview",
    "People",
    "Plan",
    "Portrait",
    "Quality",
    "Reached",
    "Resolved",
    "evaluate",
    "finish",
    "identifier_key",
    "label_components",
    "of_persons",
    "person_id",
    "person_key",
    "reach",
    "reach_without",
    "resolve",
    "resolve_graph",
    "resolve_unlinked",
    "write",
]
