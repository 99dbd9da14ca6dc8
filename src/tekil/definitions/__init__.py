"""What a company decides: small YAML documents, planned, applied, and every version kept with its author."""

from tekil.definitions.change import Change, FieldChange, apply, check, plan
from tekil.definitions.document import (
    Definition,
    Flaw,
    InvalidDefinitions,
    Kind,
    Problem,
    Written,
    dump,
    parse,
    read,
    stored,
)

__all__ = [
    "Change",
    "Definition",
    "FieldChange",
    "Flaw",
    "InvalidDefinitions",
    "Kind",
    "Problem",
    "Written",
    "apply",
    "check",
    "dump",
    "parse",
    "plan",
    "read",
    "stored",
]
