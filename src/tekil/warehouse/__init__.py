"""The warehouse: what was said, understood. One protocol, an adapter for each engine.

SQL is written once, in DuckDB's dialect with the macros of `dialect`, and rendered for the engine at hand.
"""

from tekil.warehouse.dialect import RESERVED_WORDS, bind, columns_given, columns_used, wake_expression
from tekil.warehouse.open import open_warehouse
from tekil.warehouse.protocol import (
    BY_IDENTIFIER,
    BY_PERSON,
    Column,
    Erasure,
    Marks,
    Table,
    Warehouse,
    arrow_schema,
    check_erasure_declared,
)

__all__ = [
    "BY_IDENTIFIER",
    "BY_PERSON",
    "RESERVED_WORDS",
    "Column",
    "Erasure",
    "Marks",
    "Table",
    "Warehouse",
    "arrow_schema",
    "bind",
    "check_erasure_declared",
    "columns_given",
    "columns_used",
    "open_warehouse",
    "wake_expression",
]
