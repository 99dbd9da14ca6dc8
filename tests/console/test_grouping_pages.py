"""Organisations and households in the console and over the API: lists, cards, people, all masked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.groupings import grouping_routes
from tekil.config import ConsentSettings
from tekil.console import create_app
from tekil.console.who import WhoIsWho
from tekil.groupings import Groupings
from tekil.privacy.ledger import open_ledger
from tests.console.conftest import HTML, configuration, member
from tests.groupings.conftest import groupings, street
from tests.installation import Installation

__all__ = ["groupings", "street"]

Client = TestClient[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def marketer(street: Installation, groupings: Groupings, folder: Path) -> Iterator[Client]:
    ledger = open_ledger(street.store, street.vault, ConsentSettings())
    more = grouping_routes(groupings)
    who = WhoIsWho(groupings=groupings)
    app = create_app(street.reads, street.store, configuration(folder), more, consents=ledger, who=who)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(street.store, "marketer", factor=False))
        yield client


def test_organisations_are_listed_searched_and_shown(marketer: Client) -> None:
    listed = marketer.get("/organisations").text
    assert "Acme A.Ş." in listed
    assert 'href="/organisations/domain:acme.example"' in listed
    assert "gmail.com" not in listed
    assert "Acme A.Ş." not in marketer.get("/organisations?q=acme.ex").text
    assert "Kurum yok" in marketer.get("/organisations?q=nothing").text
    shown = marketer.get("/organisations/group%3Ag-7").text
    for told in ("Acme A.Ş.", "employees", "acme.example", "i•••@a•••.example", "Son olaylar"):
        assert told in shown, told
    assert marketer.get("/organisations/group%3Anone").status_code == 404
    assert marketer.get("/organisations?skip=-7").status_code == 200


def test_households_are_listed_and_their_people_shown(marketer: Client, groupings: Groupings) -> None:
    listed = marketer.get("/households").text
    assert "•••" in listed
    assert "Atatürk" not in listed
    (home, _) = groupings.households()
    shown = marketer.get(f"/households/{home.id}").text
    assert shown.count('class="person-link"') == 3
    assert "Adres" in shown
    assert marketer.get("/households/nowhere").status_code == 404


def test_a_person_is_told_where_they_belong_but_not_to_who_sees_some_people_only(
    marketer: Client, street: Installation
) -> None:
    anne = street.person("user_id:anne").person_id
    shown = marketer.get(f"/people/{anne}").text
    assert "Ait olduğu yerler" in shown
    assert shown.count('href="/households/') == 2
    assert 'href="/organisations/group:g-8"' in shown
    narrowed = member(street.store, "marketer", condition="city=İzmir", factor=False)
    marketer.cookies.set("tekil_session", narrowed)
    assert "Ait olduğu yerler" not in marketer.get(f"/people/{anne}").text
    assert marketer.get("/organisations").status_code == 403


def test_programs_ask_for_the_same(marketer: Client, street: Installation) -> None:
    _, key = street.store.keys.create_api_key("x", ["profiles:read"])
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}

    def ask(path: str, **params: Any) -> Any:
        return marketer.get(f"/v1/{path}", headers=headers, params=params)

    assert [one["people"] for one in ask("organisations").json()] == [4, 2, 1]
    assert [one["id"] for one in ask("organisations", q="g-8").json()] == ["group:g-8"]
    card = ask("organisations/group%3Ag-7").json()
    assert (card["organisation"]["name"], card["traits"]["employees"]) == ("Acme A.Ş.", 40)
    page = ask("organisations/domain%3Aacme.example/people", limit=3).json()
    assert (len(page["people"]), page["next"]) == (3, 3)
    assert ask("organisations/group%3Ag-7/events").json()["events"][0]["type"] == "group"
    homes = ask("households").json()
    whole = ask(f"households/{homes[0]['id']}")
    assert len(whole.json()["people"]) == 3
    assert "Atatürk" not in whole.text
    belongs = ask(f"households/of/{street.person('user_id:anne').person_id}").json()
    assert (len(belongs["organisations"]), len(belongs["households"])) == (1, 2)
    for path in ("organisations/acme", "households/none"):
        assert ask(path).status_code == 404
    assert marketer.get("/v1/organisations", headers={"Accept": "application/json"}).status_code == 401
