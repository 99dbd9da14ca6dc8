"""Identity in the console, over a real installation: pictures, conflicts, and saying who is who."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.config import ConsentSettings
from tekil.console import create_app
from tekil.console import identity as page
from tekil.console.graph import BOX_WIDTH, SHOWN, draw
from tekil.console.who import WhoIsWho
from tekil.identity import IdentityDesk, Portrait
from tekil.privacy.ledger import open_ledger
from tests.console.conftest import HTML, configuration, member
from tests.installation import Installation

Client = TestClient[Any]
Send = Callable[..., Any]

MAIL = "ayse.kanarya@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()
    made.store.close()


@pytest.fixture
def desk(shop: Installation) -> IdentityDesk:
    return IdentityDesk(shop.log, shop.warehouse, shop.store, shop.vault)


@pytest.fixture
def officer(shop: Installation, desk: IdentityDesk, tmp_path: Path) -> Iterator[Client]:
    ledger = open_ledger(shop.store, shop.vault, ConsentSettings())
    app = create_app(shop.reads, shop.store, configuration(tmp_path), consents=ledger, who=WhoIsWho(desk))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(shop.store, "privacy_officer"))
        yield client


def grow(shop: Installation, devices: int = 1) -> str:
    traits = {"email": MAIL, "city": "İzmir"}
    for n in range(devices):
        shop.say({"type": "identify", "userId": "u1", "anonymousId": f"a{n}", "traits": traits})
        shop.pass_time(minutes=1)
    shop.say({"type": "identify", "userId": "u2", "anonymousId": "b1", "traits": {"city": "Muş"}})
    shop.run()
    return shop.person("user_id:u1").person_id


def test_what_is_typed_is_understood_by_its_form() -> None:
    assert doctest.testmod(page).failed == 0


def test_a_person_is_drawn_told_as_text_and_as_a_timeline(shop: Installation, officer: Client) -> None:
    who = grow(shop)
    assert f'href="/people/{who}/identity"' in officer.get(f"/people/{who}").text
    shown = officer.get(f"/people/{who}/identity").text
    for told in ("<svg", "a•••@e•••.com", "birlikte geçti", "İlk kez görüldü", "3 kimlik, tek kişi"):
        assert told in shown, told
    assert "kanarya" not in shown
    assert officer.get("/people/p0000000000000001/identity").status_code == 404


def test_two_hundred_identifiers_are_a_few_boxes_and_a_pile_that_is_counted(
    shop: Installation, desk: IdentityDesk, officer: Client
) -> None:
    who = grow(shop, devices=200)
    portrait = desk.portray(who)
    assert portrait.total == 202
    graph = draw(portrait)
    (pile,) = (box for box in graph.boxes if box.count > 1)
    assert (pile.kind, pile.count) == ("anonymous_id", 200 - SHOWN + 1)
    assert len(graph.boxes) == 2 + SHOWN
    assert graph.height < 400
    assert f"{pile.count} tane daha" in officer.get(f"/people/{who}/identity").text
    _none_overlap(portrait)


def _none_overlap(portrait: Portrait) -> None:
    graph = draw(portrait)
    for one in graph.boxes:
        assert 0 <= one.x <= graph.width - BOX_WIDTH
        assert 0 <= one.y <= graph.height
        others = [box for box in graph.boxes if box is not one and box.x == one.x]
        assert all(abs(box.y - one.y) >= 34 for box in others)


def test_a_plan_is_shown_first_and_saying_it_is_on_record(
    shop: Installation, officer: Client, send: Send
) -> None:
    grow(shop)
    said = {"act": "split", "one": "u1", "other": MAIL, "reason": "telefonda söyledi"}
    plan = send(officer, "/identity", "/identity/plan", said)
    assert plan.status_code == 200
    assert "Bir kişi ikiye ayrılır" in plan.text
    assert MAIL not in plan.text
    assert shop.run() == 0
    fields = dict(re.findall(r'name="(act|one|other|reason)" value="([^"]*)"', plan.text))
    assert send(officer, "/identity", "/identity/apply", fields).headers["location"] == "/identity?said=split"
    shop.pass_time(minutes=1)
    shop.run()
    shown = officer.get("/identity?said=split").text
    assert "Karar iletildi" in shown
    assert "iki ayrı kişi oldukları söylendi" in shown
    who = shop.person("user_id:u1").person_id
    drawn = officer.get(f"/people/{who}/identity").text
    assert 'class="tie no"' in drawn
    assert "telefonda söyledi" in drawn
    (entry,) = (one for one in shop.store.audit.entries() if one.act == "identity.said")
    assert "kanarya" not in entry.details
    # A conflict's own button leads back to a form that takes it back.
    link = re.search(r'href="(/identity\?act=withdraw[^"]*)#say"', shown)
    assert link
    form = officer.get(link[1].replace("&amp;", "&")).text
    ends = dict(re.findall(r'name="(one|other)" value="(p[0-9a-f]{16})"', form))
    taken_back = send(officer, "/identity", "/identity/plan", {"act": "withdraw", **ends})
    assert "söylenen artık geçerli olmaz" in taken_back.text


def test_what_is_shared_is_declared_and_taken_back_by_form(
    shop: Installation, officer: Client, send: Send
) -> None:
    grow(shop)
    plan = send(officer, "/identity", "/identity/plan", {"act": "share", "one": MAIL, "other": ""})
    assert "Kimlik artık kimseyi birleştirmez" in plan.text
    fields = dict(re.findall(r'name="(act|one|other|reason)" value="([^"]*)"', plan.text))
    assert send(officer, "/identity", "/identity/apply", fields).status_code == 303
    shop.pass_time(minutes=1)
    shop.run()
    shown = officer.get("/identity").text
    assert "elle bildirilen" in shown
    (reference,) = re.findall(
        r'name="act" value="withdraw"><input type="hidden" name="one" value="(p\w+)"', shown
    )
    plan = send(officer, "/identity", "/identity/plan", {"act": "withdraw", "one": reference})
    assert "söylenen artık geçerli olmaz" in plan.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"act": "merge", "one": "u1", "other": ""}, "İki farklı kimlik yazın"),
        ({"act": "merge", "one": "u1", "other": "nobody@example.com"}, "Bunlardan biriyle tanınan kimse yok"),
        ({"act": "marry", "one": "u1", "other": "u2"}, "Durumu seçin"),
        ({"act": "merge", "one": "u1", "other": "u2", "reason": f"{MAIL} istedi"}, "Bu metin açık saklanır"),
        ({"act": "merge", "one": "", "other": "u2"}, "İki farklı kimlik yazın"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    shop: Installation, officer: Client, send: Send, said: dict[str, str], told: str
) -> None:
    grow(shop)
    answer = send(officer, "/identity", "/identity/plan", said)
    assert answer.status_code == 400
    assert told in answer.text


def test_who_sees_some_people_only_is_told_nothing_of_others(
    shop: Installation, desk: IdentityDesk, officer: Client
) -> None:
    grow(shop)
    desk.say(desk.plan("split", "user_id:u1", "user_id:u2"), by="zeynep")
    desk.say(desk.plan("split", "user_id:u1", f"email:{MAIL}"), by="zeynep")
    shop.pass_time(minutes=1)
    shop.run()
    who, other = (shop.person(f"user_id:u{n}").person_id for n in (1, 2))
    assert "Başkasına ait" in officer.get(f"/people/{who}/identity").text
    officer.cookies.set("tekil_session", member(shop.store, "support", condition="city=İzmir"))
    shown = officer.get(f"/people/{who}/identity")
    assert shown.status_code == 200
    assert "Başkasına ait" not in shown.text
    assert "zeynep" not in shown.text
    assert officer.get(f"/people/{other}/identity").status_code == 404
    assert officer.get("/identity").status_code == 403


def test_marketers_look_and_have_no_form(shop: Installation, officer: Client) -> None:
    assert "Henüz tanınan kimse yok" in officer.get("/identity").text
    grow(shop)
    officer.cookies.set("tekil_session", member(shop.store, "marketer"))
    shown = officer.get("/identity").text
    assert "Kişi başına kimlik" in shown
    assert 'action="/identity/plan"' not in shown
