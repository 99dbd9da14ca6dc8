"""No table without a word on erasure, and no engine over one."""

from __future__ import annotations

import pytest

from tekil.console.language import LANGUAGES, catalogue
from tekil.errors import Misconfigured
from tekil.store.person_rows import declared
from tekil.warehouse import BY_PERSON, Column, Erasure, Table, check_erasure_declared
from tests.laws.conftest import Found


def test_every_table_of_the_warehouse_says_what_erasure_does_with_it(found: Found) -> None:
    installation = found()
    for table in installation.engine.tables:
        assert table.erasure is not None
        assert table.erasure.rule in ("identifier", "person") or table.erasure.because, table.name
    installation.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plan_and_a_proof_call_every_table_by_a_name_for_people(found: Found, language: str) -> None:
    installation = found()
    places = [
        f"warehouse.{table.name}"
        for table in installation.engine.tables
        if table.erasure is not None and table.erasure.rule in ("identifier", "person")
    ]
    places += [f"store.{table.name}" for table, told in declared() if told.what in ("delete", "pseudonymise")]
    words = catalogue(language)
    assert [place for place in places if f"erasure_place.{place}" not in words] == []
    installation.close()


def test_a_table_that_says_nothing_keeps_the_engine_from_starting() -> None:
    columns = (Column("person_key", "bigint"),)
    check_erasure_declared([Table("runs", columns, "person_key", BY_PERSON)])
    check_erasure_declared([Table("ads", columns, "person_key", Erasure("nobody", "campaigns"))])
    with pytest.raises(Misconfigured, match="runs"):
        check_erasure_declared([Table("runs", columns, "person_key")])
