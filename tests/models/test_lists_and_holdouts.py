"""Who was imported into a list is in it until they are taken out; who is held out is so by chance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil import pull
from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, check
from tekil.models.audiences import person_scope
from tekil.models.features import read_feature
from tekil.pull.compose import to_messages
from tekil.pull.rows import read_rows
from tekil.store import Store
from tekil.verification import verify
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.installation import Installation
from tests.models.test_audiences import define, members, models_of

FAIR = (
    "Müşteri No;E-posta;Şehir\nu1;ada@example.com;İzmir\nu2;bora@example.com;Van\n;ceren@example.com;Bursa\n"
)


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    made = Installation(tmp_path, store=store, defined=models_of)
    yield made
    made.close()
    define(made, {})


def imported(installation: Installation, folder: Path, text: str, kind: str) -> None:
    file = folder / f"{kind.replace(':', '_')}.csv"
    file.write_text(text, encoding="utf-8")
    messages = to_messages(read_rows(file), pull.Mapping.parse(kind), "ab" * 16)
    installation.say(*messages, door="import")
    installation.run()


def test_a_list_is_imported_through_the_log_and_people_leave_it_the_same_way(
    installation: Installation, tmp_path: Path
) -> None:
    define(installation, {}, fair="in_list('fair_2026')", strangers="not in_list('fair_2026')")
    installation.say({"type": "identify", "userId": "u2", "traits": {"city": "Ankara"}})
    installation.say({"type": "page", "userId": "u9"})
    imported(installation, tmp_path, FAIR, "list:fair_2026")
    assert {"u1", "u2"} < members(installation, "fair")
    assert members(installation, "strangers") == {"u9"}
    assert len(installation.rows("SELECT * FROM members WHERE audience = 'fair'")) == 3
    # A list says who is in it, and changes nothing else that is known of them.
    assert installation.person("user_id:u2").as_dict()["traits"]["city"] == "Ankara"
    installation.pass_time(minutes=1)
    imported(installation, tmp_path, "Müşteri No\nu2\n", "unlist:fair_2026")
    assert "u2" not in members(installation, "fair")
    assert "u2" in members(installation, "strangers")
    assert verify(installation.engine).holds
    with pytest.raises(BadRequest, match="is no list's name"):
        pull.Mapping.parse("list:Fair 2026")


def held(warehouse: DuckDBWarehouse, sql: str, people: int = 4000) -> set[int]:
    asked = check(sql, person_scope({})).sql
    rows = warehouse.query(
        f"SELECT person_key FROM (SELECT range * 7919 AS person_key FROM range({people})) AS a WHERE {asked}"
    )
    return set(rows["person_key"].to_pylist())


def test_a_holdout_is_the_same_people_for_ever_and_others_under_another_name() -> None:
    warehouse = DuckDBWarehouse(":memory:")
    ten, again = held(warehouse, "holdout('spring', 10)"), held(warehouse, "holdout('spring', 10)")
    assert ten == again
    assert 340 < len(ten) < 460
    assert ten < held(warehouse, "holdout('spring', 30)")
    other = held(warehouse, "holdout('summer', 10)")
    assert len(ten & other) < 80
    assert held(warehouse, "holdout('spring', 0)") == set()
    assert len(held(warehouse, "holdout('spring', 100)")) == 4000
    warehouse.close()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("holdout('spring', 101)", "0 to 100"),
        ("holdout('spring')", "as in holdout('spring', 10)"),
        ("holdout(locale, 10)", "as in holdout('spring', 10)"),
        ("holdout('spring', true)", "as in holdout('spring', 10)"),
        ("in_list('İzmir')", "small letters"),
        ("in_list(fair)", "as in in_list('fair_2026')"),
        ("hold_out('x', 1)", "Did you mean holdout"),
    ],
)
def test_mistakes_are_told_with_how_it_is_written(sql: str, told: str) -> None:
    with pytest.raises(ExpressionFlaw) as caught:
        check(sql, person_scope({}))
    assert told in str(caught.value)


def test_a_feature_is_no_place_for_them() -> None:
    with pytest.raises(ExpressionFlaw, match="is about a person; write it in an audience"):
        read_feature("count(*) filter (where holdout('spring', 10))")
