"""Stages and scores over HTTP: boards, matrices, who is where, and why somebody has their points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.scores import score_routes
from tekil.api.stages import stage_routes
from tekil.audience_reads import AudienceReads
from tekil.config import Config
from tekil.console import create_app
from tekil.score_reads import ScoreReads
from tekil.stage_reads import StageReads
from tests.installation import Installation
from tests.models.test_audiences import models_of
from tests.models.test_features import order
from tests.models.test_scores import LEAD, city, define
from tests.models.test_stages import CHAIN, chain


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("scored"), defined=models_of)
    define(made, LEAD, chain(CHAIN, aware={"goal": {"percent": 40, "within": "7 day"}}))
    made.say(order("u1", 5), city("u1", city="İzmir", email="ada@example.com"), city("u2", city="Van"))
    made.run()
    yield made
    made.close()


@pytest.fixture
def client(shop: Installation, tmp_path: Path) -> Iterator[TestClient[Any]]:
    audiences = AudienceReads(shop.reads, shop.store)
    routes = [
        stage_routes(StageReads(shop.reads, shop.store, audiences)),
        score_routes(ScoreReads(shop.store, audiences)),
    ]
    app = create_app(shop.reads, shop.store, Config(root=tmp_path), routes)
    _, secret = shop.store.keys.create_api_key("x", ["audiences:read", "profiles:read"])
    with TestClient(app, raise_server_exceptions=False) as opened:
        opened.headers["Authorization"] = f"Bearer {secret}"
        yield opened


def test_chains_and_their_boards(client: TestClient[Any]) -> None:
    (told,) = client.get("/v1/stages").json()["chains"]
    assert (told["name"], told["stages"], told["people"]) == ("stage", list(CHAIN), 2)
    board = client.get("/v1/stages/stage").json()
    assert [(one["name"], one["people"]) for one in board["stages"]] == [
        ("aware", 1),
        ("buyer", 1),
        ("loyal", 0),
    ]
    assert board["stages"][0]["goal"] == {"percent": 40, "within": "7 day", "entered": 0, "reached": 0}
    assert {"origin": "", "target": "buyer", "people": 1} in board["steps"]
    people = client.get("/v1/stages/stage/buyer/people").json()["people"]
    assert [one["since"] for one in people] == ["2026-03-01T12:00:00Z"]
    assert "ada@example.com" not in str(people)
    for path in ("stage/nowhere/people", "nothing", "nothing/aware/people"):
        assert client.get(f"/v1/stages/{path}").status_code == 404


def test_scores_and_their_matrices(client: TestClient[Any]) -> None:
    (told,) = client.get("/v1/scores").json()["scores"]
    assert (told["name"], told["people"]) == ("lead", 2)
    one = client.get("/v1/scores/lead").json()
    assert one["axes"][0] == {"group": "fit", "grades": [["A", 20], ["B", 5], ["C", 0]]}
    assert {cell["grade"]: cell["people"] for cell in one["cells"] if cell["people"]} == {"A1": 1, "C3": 1}
    assert one["spec"]["groups"]["fit"]["rules"][0]["if"] == "traits.city = 'İzmir'"
    assert len(client.get("/v1/scores/lead/A1/people").json()["people"]) == 1
    for path in ("nothing", "lead/Z9/people"):
        assert client.get(f"/v1/scores/{path}").status_code == 404


def test_a_profile_tells_stage_score_and_why(client: TestClient[Any]) -> None:
    told = client.get("/v1/profiles/user_id:u1").json()
    assert told["stages"] == {"stage": {"name": "buyer", "since": "2026-03-01T12:00:00.000Z"}}
    lead = told["scores"]["lead"]
    assert (lead["points"], lead["groups"], lead["grade"]) == (50, {"fit": 20, "deeds": 30}, "A1")
    assert lead["since"] == "2026-03-01T12:00:00.000Z"
    assert [(why["group"], why["name"], why["points"], why["times"]) for why in lead["rules"]] == [
        ("fit", "izmir", 20.0, 1),
        ("deeds", "bought", 30.0, 1),
    ]
    assert "formulas" not in told


def test_whoever_may_not_read_audiences_sees_neither(client: TestClient[Any], shop: Installation) -> None:
    _, secret = shop.store.keys.create_api_key("y", ["profiles:read"])
    for path in ("/v1/stages", "/v1/scores/lead"):
        assert client.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 403
