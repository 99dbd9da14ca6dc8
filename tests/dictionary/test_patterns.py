"""Patterns mean the same to Python and to every engine, or are refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.dictionary.patterns import complaint, portable
from tekil.dictionary.sql import quoted
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse


@pytest.fixture(scope="module")
def warehouse() -> Warehouse:
    return DuckDBWarehouse(":memory:")


@pytest.mark.parametrize(
    "pattern", ["^TR\\d{24}$", "a|b", "(?:a|b)+?", "[^\\]x-z]", "[\\w.-]+@[\\w-]+", "\\.", "x{2,5}"]
)
def test_common_patterns_are_taken(pattern: str) -> None:
    assert complaint(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?i)a", "(?P<n>a)", "\\1", "\\bword", "\\p{L}", "[[:alpha:]]", "[a&&b]", "a++", "a{,3}",
     "x{2000}", "[]a]", "(", "a" * 301, "\\u0041", "{"],
)  # fmt: skip
def test_what_engines_read_differently_is_refused(pattern: str) -> None:
    assert complaint(pattern) is not None


pieces = st.sampled_from(
    [
        "a",
        "b",
        "é",
        "1",
        " ",
        ".",
        "\\.",
        "\\d",
        "\\w",
        "\\s",
        "[a-c]",
        "[^a\\d]",
        "[\\w-]",
        "(?:a|1)",
        "(b|\\d)",
        "^",
        "$",
        "-",
        "'",
        "\\\\",
    ]
)
repeats = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}"])


@given(
    parts=st.lists(st.tuples(pieces, repeats), min_size=1, max_size=5),
    text=st.text("ab1é .-'\\", max_size=8),
)
def test_an_engine_matches_what_python_matches(
    warehouse: Warehouse, parts: list[tuple[str, str]], text: str
) -> None:
    pattern = "".join(piece + ("" if piece in "^$" else repeat) for piece, repeat in parts)
    assert complaint(pattern) is None
    said = warehouse.query(f"SELECT regexp_matches({quoted(text)}, {quoted(portable(pattern))}) AS m")
    assert said["m"][0].as_py() == bool(re.search(pattern, text, re.ASCII))
