"""Law 7 for stages and scores: the same points, grades, stages and journal on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tekil.definitions import apply
from tekil.kinds import KINDS
from tekil.store import Store
from tekil.warehouse import Warehouse, open_warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, events
from tests.installation import Installation
from tests.models.test_audiences import models_of
from tests.models.test_features import order
from tests.models.test_scores import LEAD, define
from tests.models.test_stages import chain
from tests.scores.strategies import scores
from tests.scores.test_fading import CONDITIONS, answer, definitions_of, stage
from tests.spark_server import spark_url

ONE = settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
EVERYTHING = {
    **LEAD,
    "groups": {
        **LEAD["groups"],
        "mixed": {
            "rules": [
                {"name": "slow", "each": "type = 'page'", "points": 9, "half_life": "40 day"},
                {"name": "fast", "each": "type = 'page'", "points": -3, "half_life": "1 day", "most": 5},
            ],
            "least": -4,
            "most": 25,
        },
    },
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    one = DuckDBWarehouse(":memory:")
    other = open_warehouse(spark_url(tmp_path_factory.mktemp("scores") / "lake"))
    yield one, other
    one.close()
    other.close()


@ONE
@given(said=events(), spec=scores(conditions=CONDITIONS))
def test_law_7_engines_agree_on_scores(
    both: tuple[Warehouse, Warehouse], said: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    found = []
    for warehouse in both:
        stage(warehouse, said)
        found.append(answer(warehouse, definitions_of(spec), NOON))
    assert found[0] == found[1]


@pytest.mark.slow
def test_stages_and_scores_live_on_both_engines(stores: tuple[Store, Store], tmp_path: Path) -> None:
    one = Installation(tmp_path, store=stores[0], defined=models_of)
    lake = open_warehouse(spark_url(tmp_path / "lake"))
    other = Installation(tmp_path, store=stores[1], warehouse=lake, vault=one.vault, defined=models_of)
    tables = ("scores", "audiences", "members", "audience_changes", "audience_sizes")
    try:
        found = []
        for installation in (one, other):
            stages = {"cold": "true", "warm": "lead >= 9", "hot": "lead_grade = 'A1'"}
            define(installation, EVERYTHING, chain(stages), waiting="since(stage) <= now() - interval 2 day")
            page = {"type": "page", "userId": "u1"}
            installation.say(page, page, page, order("u2", 5), order("u2", 5))
            installation.say({"type": "identify", "userId": "u2", "traits": {"city": "İzmir"}})
            installation.run()
            for days in (3, 9):
                installation.pass_time(days=days)
                installation.run()
            found.append([installation.sorted_rows(f"SELECT * FROM {table}") for table in tables])
        assert found[0] == found[1]
    finally:
        for installation, store in zip((one, other), stores, strict=True):
            installation.close()
            apply(store, KINDS, [], author="test", prune=True)
