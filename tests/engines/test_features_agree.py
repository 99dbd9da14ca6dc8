"""Law 7 for features: one model of many random ones gives the same answers on both engines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition, Written, apply
from tekil.expressions import check
from tekil.kinds import KINDS
from tekil.models.audiences import person_scope
from tekil.planning import Plan, Planning
from tekil.store import Store
from tekil.warehouse import Warehouse, open_warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, events, features, stage_events
from tests.expressions.test_answers_hold_until_they_wake import answers, model_of
from tests.expressions.test_meanings import MEANINGS
from tests.installation import Installation
from tests.models.test_audiences import FEATURES, define, models_of
from tests.models.test_features import ZONE, order
from tests.spark_server import spark_url

ALWAYS = [sql for sql, _ in MEANINGS]
"""Every function and operator, so that each is asked of both engines in every run."""

FEW = settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
MANY = settings(FEW, max_examples=int(os.environ.get("TEKIL_ENGINE_EXAMPLES", "8")))

TIMED = {"settled": "since(others) <= now() - interval 2 day"}

Both = tuple[Warehouse, Warehouse]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    one = DuckDBWarehouse(":memory:")
    other = open_warehouse(spark_url(tmp_path_factory.mktemp("features") / "lake"))
    yield one, other
    one.close()
    other.close()


def agree(both: Both, said: list[dict[str, Any]], sqls: list[str]) -> None:
    model = model_of(*sqls)
    assert len(model.columns) == len(sqls)
    found = []
    for warehouse in both:
        stage_events(warehouse, said)
        found.append(answers(warehouse, model, NOON))
    for person, expected in found[0].items():
        for name, value in expected.items():
            where = sqls[int(name[1:])] if name != "wake_at" else name
            assert found[1][person][name] == value, where
    assert found[1].keys() == found[0].keys()


@FEW
@given(said=events(), sqls=st.lists(features(), min_size=6, max_size=10))
def test_law_7_engines_agree_on_features(both: Both, said: list[dict[str, Any]], sqls: list[str]) -> None:
    agree(both, said, [*ALWAYS, *sqls])


def test_law_7_engines_hold_out_the_same_people(both: Both) -> None:
    asked = check("holdout('bahar', 30) and not in_list('fuar')", person_scope({})).sql
    people = pa.table(
        {"person_key": [n * 7919 for n in range(300)], "traits": ['{"list_fuar":true}', None] * 150}
    )
    found = []
    for warehouse in both:
        warehouse.stage("everybody", people)
        joined = "everybody AS a JOIN everybody AS t ON t.person_key = a.person_key"
        select = f"SELECT a.person_key FROM {joined} WHERE {asked}"
        found.append(sorted(warehouse.query(select)["person_key"].to_pylist()))
    assert found[0] == found[1]
    assert 20 < len(found[0]) < 70


@pytest.mark.slow
@MANY
@given(said=events(), sqls=st.lists(features(), min_size=20, max_size=30))
def test_law_7_engines_agree_on_many_features(
    both: Both, said: list[dict[str, Any]], sqls: list[str]
) -> None:
    agree(both, said, sqls)


def planned(installation: Installation, features: dict[str, str], audiences: dict[str, str]) -> Plan:
    kinds = {**dict.fromkeys(features, "feature"), **dict.fromkeys(audiences, "audience")}
    sqls = {**features, **audiences}
    wanted = [Written(Definition(kind, name, {}, "", {"sql": sqls[name]})) for name, kind in kinds.items()]
    return Planning(installation.store, installation.reads, ZONE).plan(wanted, prune=True)


@pytest.mark.slow
def test_features_and_audiences_live_on_both_engines_and_change_with_their_definitions(
    stores: tuple[Store, Store], tmp_path: Path
) -> None:
    one = Installation(tmp_path, store=stores[0], defined=models_of)
    lake = open_warehouse(spark_url(tmp_path / "lake"))
    other = Installation(tmp_path, store=stores[1], warehouse=lake, vault=one.vault, defined=models_of)
    try:
        for features, audiences in (
            (FEATURES, {"buyers": "orders > 0 and traits.city = 'İzmir'", "others": "not buyers", **TIMED}),
            ({"turnover": "sum(number(properties.total))"}, {"recent": "last_seen > now() - interval 3 day"}),
        ):
            found, told = [], list[Plan]()
            for installation in (one, other):
                told.append(planned(installation, features, audiences))
                define(installation, features, **audiences)
                installation.say(order("u1", 5), order("u2", 7.5), order("u2", "x"))
                installation.say({"type": "identify", "userId": "u2", "traits": {"city": "İzmir"}})
                installation.run()
                installation.pass_time(days=4)
                installation.run()
                tables = ("features", "audiences", "members", "audience_changes", "audience_sizes")
                found.append([installation.sorted_rows(f"SELECT * FROM {table}") for table in tables])
            assert found[0] == found[1]
            assert told[0].effects == told[1].effects
            assert told[0].effects
            other.engine.rebuild()
            assert found[0] == [other.sorted_rows(f"SELECT * FROM {table}") for table in tables]
    finally:
        for installation, store in zip((one, other), stores, strict=True):
            installation.close()
            apply(store, KINDS, [], author="test", prune=True)
