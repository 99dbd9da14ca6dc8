"""The normal forms of identifiers, in Python and in SQL, are the same function."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tekil.load import sql
from tekil.messages import normalise
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.laws.conftest import LAW_EXAMPLES

FORMS = f"""
SELECT number, {sql.EMAIL} AS email, {sql.PHONE} AS phone, trimmed FROM (
  SELECT *, {sql.international("digits")} AS phone_number FROM (
    SELECT number, {sql.trimmed("text")} AS trimmed,
      {sql.address("text")} AS address, {sql.digits("text")} AS digits FROM texts
  ) AS spelled
) AS numbered ORDER BY number
"""

letters = st.text(
    st.sampled_from(list("aA@.. İIıiŞşß+0539 -()\t\u00a0\u0085\u2028\u2003\x1f\x0b\x85é")), max_size=14
)
anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
addresses = st.builds("{}@{}.{}".format, letters, letters, anything)
numbers = st.from_regex(r"[+0]{0,2}[ 0-9()-]{5,18}", fullmatch=True)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    opened = DuckDBWarehouse(":memory:")
    yield opened
    opened.close()


# A list of texts is slow to shrink, and the one that differs is told anyway.
@settings(max_examples=LAW_EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(texts=st.lists(st.one_of(letters, anything, addresses, numbers), min_size=50, max_size=200))
def test_python_and_sql_write_identifiers_the_same_way(warehouse: Warehouse, texts: list[str]) -> None:
    warehouse.stage("texts", pa.table({"number": range(len(texts)), "text": texts}))
    found = warehouse.query(FORMS).to_pylist()
    for text, row in zip(texts, found, strict=True):
        told = (text, normalise("email", text), normalise("phone", text), text.strip(" ") or None)
        assert told == (text, row["email"], row["phone"], row["trimmed"])
