"""What a company decides: small YAML documents, planned, applied, and every version kept with its author."""

from tekil.definitions.change import Change, FieldChange, Key, apply, check, plan, renames
from tekil.definitions.document import (
    Definition,
    Flaw,
    InvalidDefinitions,
    Kind,
    Problem,
    Written,
    difference,
    dump,
    parse,
    read,
    stored,
)
from tekil.definitions.uses import dependents, expressions_of, uses

__all__ = [
    "Change",
    "Definition",
    "FieldChange",
    "Flaw",
    "InvalidDefinitions",
    "Key",
    "Kind",
    "Problem",
    "Written",
    "apply",
    "check",
    "dependents",
    "difference",
    "dump",
    "expressions_of",
    "parse",
    "plan",
    "read",
    "renames",
    "stored",
    "uses",
]
