"""Law 7 for features: one model of many random ones gives the same answers on both engines."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tekil.warehouse import Warehouse, open_warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, events, features, stage_events
from tests.expressions.test_answers_hold_until_they_wake import answers, model_of
from tests.expressions.test_meanings import MEANINGS
from tests.spark_server import spark_url

ALWAYS = [sql for sql, _ in MEANINGS]
"""Every function and operator, so that each is asked of both engines in every run."""

FEW = settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
MANY = settings(FEW, max_examples=int(os.environ.get("TEKIL_ENGINE_EXAMPLES", "8")))

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


@pytest.mark.slow
@MANY
@given(said=events(), sqls=st.lists(features(), min_size=20, max_size=30))
def test_law_7_engines_agree_on_many_features(
    both: Both, said: list[dict[str, Any]], sqls: list[str]
) -> None:
    agree(both, said, sqls)
