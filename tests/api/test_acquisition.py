"""Acquisition over HTTP: reports with their SQL, people masked, and nothing for whoever may not see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.acquisition.reads import AcquisitionReads
from tekil.api.acquisition import acquisition_routes
from tekil.config import Config, Workspace
from tekil.console import create_app
from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tests.acquisition.shop import ADS, attribution, founded, order, page, share_out, spent
from tests.installation import Installation

MARCH = {"since": "2026-03-01", "until": "2026-03-31"}
MORE = """
kind: kpi
name: roas
spec: {value: order_value / spend}
---
kind: funnel
name: buying
spec: {by: channel, steps: [{when: "type = 'page'"}, {when: "event = 'Order Completed'"}]}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = founded(tmp_path_factory.mktemp("api"))
    apply(made.store, KINDS, parse(MORE), author="test")
    made.say(
        page("a", ADS), page("b"), {"type": "identify", "anonymousId": "a", "traits": {"email": "a@b.co"}}
    )
    made.pass_time(minutes=5)
    made.say(order("a", "1", 100), spent("2026-03-01", "brand", "linen", 25))
    share_out(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(shop: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    reads = AcquisitionReads(shop.reads, shop.store, Workspace())
    config = Config(root=tmp_path_factory.mktemp("config"))
    app = create_app(shop.reads, shop.store, config, [acquisition_routes(reads, attribution(shop))])
    _, secret = shop.store.keys.create_api_key("x", ["acquisition:read"])
    with TestClient(app, raise_server_exceptions=False) as opened:
        opened.headers["Authorization"] = f"Bearer {secret}"
        yield opened


def test_a_report_tells_cost_and_value_and_the_sql_they_came_from(
    client: TestClient[Any], shop: Installation
) -> None:
    told = client.get("/v1/acquisition/report", params=MARCH).json()
    assert (told["total"]["cost"], told["total"]["value"], told["total"]["roas"]) == (25, 100, 4)
    assert [line["name"] for line in told["lines"]] == ["paid_search", "direct"]
    assert len(shop.rows(told["sql"])) == 2
    kept = client.get("/v1/acquisition/report", params={**MARCH, "by": "keyword", "channel": "direct"}).json()
    assert kept["total"]["cost"] == 0
    assert client.get("/v1/acquisition/report", params={"by": "person"}).status_code == 400
    assert client.get("/v1/acquisition/report", params={"conversion": "x"}).status_code == 404


def test_models_paths_figures_funnels_and_cohorts_are_told(client: TestClient[Any]) -> None:
    def rows(path: str) -> list[dict[str, Any]]:
        answer = client.get(f"/v1/acquisition/{path}", params=MARCH)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    assert rows("models")[0]["markov"] == 100
    (path,) = rows("paths")
    assert (path["name"], path["conversions"], path["value"]) == ("paid_search", 1, 100)
    assert rows("funnels/buying") == [
        {"label": "direct", "step_1": 1, "step_2": 0},
        {"label": "paid_search", "step_1": 1, "step_2": 1},
    ]
    assert rows("cohorts")[0]["people"] == 1
    assert rows("shares")
    assert client.get("/v1/acquisition/figures", params=MARCH).json()["figures"][0]["value"] == 4
    assert client.get("/v1/acquisition/run").json()["version"] == 1


def test_people_behind_a_figure_are_masked(client: TestClient[Any]) -> None:
    told = client.get("/v1/acquisition/people", params={**MARCH, "channel": "paid_search"})
    (person,) = told.json()["people"]
    assert (person["value"], person["day"]) == (100, "2026-03-01")
    assert "a@b.co" not in told.text


def test_a_campaigns_address_is_made(client: TestClient[Any]) -> None:
    wanted = {"url": "https://shop.example/", "source": "Google", "medium": "cpc", "campaign": "Kış"}
    told = client.post("/v1/acquisition/links", json=wanted).json()
    assert told["url"] == "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=kis"


def test_only_who_may_is_told_and_only_the_engines_may_run_it(
    client: TestClient[Any], shop: Installation
) -> None:
    assert client.post("/v1/acquisition/run").status_code == 403
    _, secret = shop.store.keys.create_api_key("y", ["audiences:read", "engine:run"])
    stranger = {"Authorization": f"Bearer {secret}"}
    assert client.get("/v1/acquisition/report", headers=stranger).status_code == 403
    assert client.post("/v1/acquisition/run", headers=stranger).status_code == 202
