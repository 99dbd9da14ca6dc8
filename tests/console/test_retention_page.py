"""Retention as people see it: no rule destroys before somebody puts it in force; what would go is shown."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.retention import retention_routes
from tekil.config import Config, Workspace
from tekil.console import create_app
from tekil.console import retention as page
from tekil.retention import Retention
from tests.console.conftest import HTML, Client, member
from tests.installation import NOON, Installation
from tests.retention.keeping import retention, rules


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("retention"))
    old = (NOON - timedelta(days=800)).isoformat()
    made.say({"type": "track", "event": "Seen", "userId": "u1", "timestamp": old})
    made.say({"type": "track", "event": "Seen", "userId": "u2"})
    made.run()
    yield made
    made.close()


@pytest.fixture
def keeping(place: Installation) -> Retention:
    return retention(place)


@pytest.fixture
def officer(place: Installation, keeping: Retention, root: Path) -> Iterator[Client]:
    config = Config(workspace=Workspace(name="Minder Evi"), root=root)
    routes = [retention_routes(keeping, place.store)]
    app = create_app(place.reads, place.store, config, routes, None, None, keeping)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(place.store, "privacy_officer"))
        yield client


def test_spans_are_written_and_read_in_turkish() -> None:
    assert doctest.testmod(page).failed == 0


def test_rules_are_put_in_force_changed_and_run(
    officer: Client, place: Installation, keeping: Retention, send: Callable[..., Any]
) -> None:
    rules(place)
    assert "Henüz kural yok" in officer.get("/retention").text
    assert send(officer, "/retention", "/retention/suggested", {}).headers["location"] == "/retention"
    shown = officer.get("/retention").text
    assert "Davranış olayları" in shown
    assert "Henüz hiçbir şey yok edilmedi." in shown
    assert [p.count for p in keeping.plan() if p.rule.name == "behaviour"] == [1]
    answer = send(officer, "/retention", "/retention/behaviour", {"keep": "bir asır"})
    assert answer.status_code == 400
    assert "Kural değişmedi." in answer.text
    assert send(officer, "/retention", "/retention/behaviour", {"keep": "26 ay"}).status_code == 303
    assert {p.rule.spec.keep for p in keeping.plan() if p.rule.name == "behaviour"} == {"26 months"}
    send(officer, "/retention", "/retention/run", {})
    assert "Kurallar çalışıyor…" in officer.get("/retention").text
    while keeping.step():
        pass
    shown = officer.get("/retention").text
    assert "geriye kalan yok" in shown
    acts = [entry.act for entry in place.store.audit.entries()]
    assert acts.count("definition.changed") == 10
    assert acts.count("retention.run") == 1


def test_programs_see_the_same_plan_and_log(officer: Client, place: Installation, keeping: Retention) -> None:
    rules(place, "{of: people, keep: 5 years}")
    _, key = place.store.keys.create_api_key("retention", ["retention:read", "retention:write"])
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    told = officer.get("/v1/retention/plan", headers=headers).json()
    assert [(rule["of"], rule["keep"], rule["count"]) for rule in told["rules"]] == [("people", "5 years", 0)]
    assert told["running"] is False
    asked = officer.post("/v1/retention/run", headers=headers)
    assert (asked.status_code, asked.json()) == (202, {"running": True})
