"""Pairs of people who are alike in the console: looked at, decided, shown in the clear, searched for."""

from __future__ import annotations

import doctest
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from tekil.access.audit import SYSTEM, Act
from tekil.config import ConsentSettings
from tekil.console import create_app
from tekil.console import links as page
from tekil.console.links import thinned, weigh
from tekil.console.who import Linking, WhoIsWho
from tekil.definitions import Definition, Written, apply
from tekil.errors import Busy
from tekil.identity import IdentityDesk
from tekil.kinds import KINDS
from tekil.links import LinkDesk, LinkSearch, Review, Trust
from tekil.links.desk import Field, Run
from tekil.privacy.ledger import open_ledger
from tests.console.conftest import HTML, configuration, member
from tests.installation import Installation
from tests.links.town import messages

Client = TestClient[Any]
Send = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("town")


@pytest.fixture(scope="module")
def town(folder: Path) -> Iterator[Installation]:
    made = Installation(folder)
    made.say(*messages())
    made.run()
    yield made
    made.close()
    made.store.close()


@pytest.fixture(scope="module")
def who(town: Installation) -> WhoIsWho:
    identity = IdentityDesk(town.log, town.warehouse, town.store, town.vault)
    desk = LinkDesk(town.log, town.warehouse, town.store, town.vault, identity)
    spec = {"links": {"accept": 60, "review": 2, "every_hours": 24}}
    apply(town.store, KINDS, [Written(Definition("identity", "identity", spec=spec))], author="test")
    return WhoIsWho(identity, Linking(desk, LinkSearch(desk, town.store)))


@pytest.fixture(scope="module")
def linking(who: WhoIsWho) -> Linking:
    assert who.linking is not None
    return who.linking


@pytest.fixture
def officer(town: Installation, who: WhoIsWho, folder: Path) -> Iterator[Client]:
    ledger = open_ledger(town.store, town.vault, ConsentSettings())
    app = create_app(town.reads, town.store, configuration(folder), consents=ledger, who=who)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(town.store, "privacy_officer"))
        yield client


@pytest.fixture(scope="module")
def searched(linking: Linking) -> Run:
    return linking.search.run(SYSTEM)


def test_labels_are_understood() -> None:
    assert doctest.testmod(page).failed == 0


def fields(*bits: float) -> list[Field]:
    return [Field(f"field{n}", "Exact match on x", one, "", "") for n, one in enumerate(bits)]


def test_a_weight_is_a_flight_of_steps_from_the_prior_to_the_sum() -> None:
    unknown = Field("city", "unknown", 0.0, "", "")
    pair = Review(
        "1", "a:1", "a:2", None, None, 6.0, "grey", [*fields(-4.0, 20.0), unknown], "waiting", "", None, 0
    )
    weighing = weigh(pair)
    assert [(bar.field, bar.bits) for bar in weighing.bars] == [
        ("prior", -10.0), ("field1", 20.0), ("field0", -4.0), ("total", 6.0),
    ]  # fmt: skip
    # From -10 to 10 bits: five parts of a hundred are one bit.
    assert weighing.zero == 50.0
    assert [(bar.x, bar.width) for bar in weighing.bars] == [
        (0.0, 50.0),
        (0.0, 100.0),
        (80.0, 20.0),
        (50.0, 30.0),
    ]


def test_of_many_weights_a_few_are_shown_and_the_last_for_sure() -> None:
    many = [Trust(float(n), n, 1.0, 1.0) for n in range(100, 0, -1)]
    few = thinned(many)
    assert len(few) <= 13
    assert few[-1] == many[-1]
    assert thinned([]) == []


def test_before_the_first_search_the_page_says_what_to_do(officer: Client, town: Installation) -> None:
    if town.store.link_runs.last() is None:
        shown = officer.get("/identity/links").text
        assert "Henüz aranmadı" in shown
        assert "Karar bekleyen çift yok" in shown


def test_a_pair_is_drawn_with_masks_and_decided_and_the_next_one_comes(
    officer: Client, send: Send, linking: Linking, searched: Run, town: Installation
) -> None:
    first, second = linking.desk.queue(limit=2)
    shown = officer.get("/identity/links").text
    assert shown.count('class="weight-field"') >= 2
    assert "Doğum tarihi" in shown
    assert "•••" in shown
    assert "Yılmaz" not in shown
    assert f"{searched.people}" in shown
    path = f"/identity/links/{first.id}/decide"
    answer = send(officer, "/identity/links", path, {"decision": "accepted", "list": "waiting"})
    assert answer.headers["location"] == "/identity/links?decision=waiting#pair"
    assert f"/identity/links/{second.id}/decide" in officer.get("/identity/links").text
    assert f"/identity/links/{first.id}/decide" in officer.get("/identity/links?decision=accepted").text
    assert linking.desk.counts()["accepted"] == 1
    town.pass_time(minutes=1)
    assert town.run() == 1
    assert "Şu anda tek kişiler" in officer.get("/identity/links?decision=accepted").text
    assert "%100" in officer.get("/identity/links").text
    (*_, entry) = town.store.audit.entries()
    assert (entry.act, entry.object_id) == (Act.IDENTITY_SAID, first.id)
    asked_for = officer.get(f"/identity/links?pair={linking.desk.queue(limit=3)[2].id}").text
    assert f"/identity/links/{linking.desk.queue(limit=3)[2].id}/decide" in asked_for


def test_values_are_shown_to_who_says_what_for(
    officer: Client, send: Send, linking: Linking, searched: Run, town: Installation
) -> None:
    pair = linking.desk.queue(limit=1)[0]
    path = f"/identity/links/{pair.id}"
    assert send(officer, "/identity/links", path, {"purpose": ""}).status_code == 400
    shown = send(officer, "/identity/links", path, {"purpose": "ask them"})
    clear = linking.desk.pair(pair.id, reveal=True)
    assert shown.status_code == 200
    assert all(field.left in shown.text for field in clear.fields if field.left)
    assert "•••" not in msgspec.json.encode(clear).decode()
    (*_, entry) = town.store.audit.entries()
    assert (entry.act, entry.object_kind, entry.object_id) == (Act.REVEALED, "links", pair.id)
    assert "ask them" in entry.details
    assert officer.get("/identity/links/none/decide").status_code == 405


def test_readers_look_and_neither_decide_nor_search(
    officer: Client, town: Installation, searched: Run
) -> None:
    officer.cookies.set("tekil_session", member(town.store, "marketer"))
    shown = officer.get("/identity/links").text
    assert "Ne kadar doğru?" in shown
    assert 'name="decision"' not in shown
    assert "Şimdi ara" not in shown
    assert "Benzeyen kişiler" in officer.get("/identity").text
    officer.cookies.set("tekil_session", member(town.store, "support", condition="city=İzmir"))
    assert officer.get("/identity/links").status_code == 403


def test_a_search_is_begun_shown_and_never_run_twice(
    officer: Client, send: Send, linking: Linking, town: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def run(tell: Callable[[str], None]) -> Run:
        tell("learn")
        steps.append(officer.get("/identity/links").text)
        assert send(officer, "/identity/links", "/identity/links/search", {}).status_code == 303
        with pytest.raises(Busy):
            linking.search.run(SYSTEM)
        return Run(7, 1, 0, 3)

    monkeypatch.setattr(linking.desk, "run", run)
    assert send(officer, "/identity/links", "/identity/links/search", {}).status_code == 303
    for thread in threading.enumerate():
        if thread.name == "links":
            thread.join()
    (during,) = steps
    assert 'http-equiv="refresh"' in during
    assert "Benzerliğin ne söylediği öğreniliyor" in during
    assert "Şimdi ara" not in during
    after = officer.get("/identity/links").text
    assert 'http-equiv="refresh"' not in after
    assert re.search(r"Karşılaştırılan</dt><dd>7<", after)
    last = town.store.link_runs.last()
    assert last is not None
    assert (last.people, last.linked, last.waiting, last.error) == (7, 1, 3, "")
