"""No table without a word on erasure, and no engine over one."""

from __future__ import annotations

import pytest

from tekil.errors import Misconfigured
from tekil.warehouse import BY_PERSON, Column, Erasure, Table, check_erasure_declared
from tests.laws.conftest import Found


def test_every_table_of_the_warehouse_says_what_erasure_does_with_it(found: Found) -> None:
    installation = found()
    for table in installation.engine.tables:
        assert table.erasure is not None
        assert table.erasure.rule in ("identifier", "person") or table.erasure.because, table.name
    installation.close()


def test_a_table_that_says_nothing_keeps_the_engine_from_starting() -> None:
    columns = (Column("person_key", "bigint"),)
    check_erasure_declared([Table("runs", columns, "person_key", BY_PERSON)])
    check_erasure_declared([Table("ads", columns, "person_key", Erasure("nobody", "campaigns"))])
    with pytest.raises(Misconfigured, match="runs"):
        check_erasure_declared([Table("runs", columns, "person_key")])
