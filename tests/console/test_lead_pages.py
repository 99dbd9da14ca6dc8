"""Leads in the console: everything a salesperson does, by forms, without a script."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.config import Config
from tekil.console import create_app
from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tekil.leads.life import Assign
from tests.console.conftest import HTML, member
from tests.leads.desk import ROUTING, SalesDesk

Client = TestClient[Any]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalesDesk]:
    made = SalesDesk(tmp_path_factory.mktemp("desk"), "")
    made.shop.now = datetime.now(UTC).replace(tzinfo=None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def console(desk: SalesDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    app = create_app(desk.shop.reads, desk.store, Config(root=tmp_path_factory.mktemp("root")))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(desk.store, "administrator"))
        yield client


def send(client: Client, seen: str, path: str, **fields: str) -> Any:
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', client.get(seen).text)
    assert token
    return client.post(path, data={"form_token": token[1], **fields}, follow_redirects=False)


def test_where_there_is_none_the_page_shows_a_form_that_can_be_applied(
    desk: SalesDesk, console: Client
) -> None:
    page = console.get("/leads")
    assert "Henüz aday yok" in page.text
    shown = html.unescape(re.findall(r"<pre[^>]*><code>(.*?)</code>", page.text, re.S)[0])
    apply(desk.store, KINDS, parse(shown), author="test")
    assert "/f/contact" in console.get("/leads").text


def test_a_lead_is_taken_moved_noted_and_won_by_forms(desk: SalesDesk, console: Client) -> None:
    lead = desk.comes("forms@example.com", channel="call", wishes={"city": "İzmir", "news": True})
    board = console.get("/leads").text
    assert "f•••@e•••.com" in board
    assert "forms@example.com" not in board
    path = f"/leads/{lead}"
    assert send(console, "/leads", path, act="accept", next="/leads?pipeline=sales").headers["location"] == (
        "/leads?pipeline=sales"
    )
    assert send(console, "/leads", path, act="move", stage="offer").status_code == 303
    assert send(console, path, path, act="worth", value="1.250,50").status_code == 303
    assert send(console, path, path, act="note", text="Salı günü aranacak").status_code == 303
    assert send(console, path, path, act="judge", quality="good").status_code == 303
    assert send(console, path, path, act="contacted").status_code == 303
    page = console.get(path).text
    for said in ("1.250,50 TL", "Salı günü aranacak", "Aşama: Teklif", "Şehir", "İzmir", "Kişiyi aç"):
        assert said in page, said
    assert "1.250,50 TL" in console.get("/leads").text
    assert send(console, path, path, act="won").status_code == 303
    assert desk.lead(lead).state == "won"
    assert "kazanıldı" in console.get(path).text
    assert send(console, path, path, act="reopen").status_code == 303
    assert send(console, path, path, act="lost", reason="price").status_code == 303
    assert "Kaybedildi: Fiyat" in console.get(path).text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"act": "note", "text": "0532 123 45 67 arayın"}, "telefon, e-posta ya da kimlik numarası"),
        ({"act": "worth", "value": "çok"}, "Bu bir tutar değil"),
        ({"act": "fly"}, "cannot be done"),
        ({"act": "move", "stage": "heaven"}, "has no stage"),
    ],
)
def test_what_cannot_be_is_told_on_the_page(
    desk: SalesDesk, console: Client, fields: dict[str, str], told: str
) -> None:
    lead = desk.comes()
    answer = send(console, f"/leads/{lead}", f"/leads/{lead}", **fields)
    assert answer.status_code == 400
    assert told in answer.text


def test_tasks_are_kept_in_the_readers_zone_and_done(desk: SalesDesk, console: Client) -> None:
    lead = desk.comes()
    path = f"/leads/{lead}"
    kept = send(console, path, f"{path}/tasks", text="Teklifi gönder", due_at="2026-03-05T09:30")
    assert kept.status_code == 303
    [task] = desk.store.leads.tasks(lead)
    assert task.due_at == int(datetime(2026, 3, 5, 6, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert "Teklifi gönder" in console.get(path).text
    assert send(console, path, f"{path}/tasks/{task.id}").status_code == 303
    assert desk.store.leads.tasks(lead)[0].done_at is not None
    assert send(console, path, f"{path}/tasks", text="x", due_at="dün").status_code == 400


def test_who_oversees_nobody_sees_their_own_and_nobodys(desk: SalesDesk, console: Client) -> None:
    theirs, nobodys = desk.comes("theirs@example.com"), desk.comes("nobodys@example.com")
    send(console, "/leads", f"/leads/{theirs}", act="accept")
    with TestClient(console.app, raise_server_exceptions=False) as seller:
        seller.headers.update(HTML)
        seller.cookies.set("tekil_session", member(desk.store, "sales"))
        board = seller.get("/leads").text
        assert f"/leads/{nobodys}" in board
        assert f"/leads/{theirs}" not in board
        assert seller.get(f"/leads/{theirs}").status_code == 404
        assert seller.get("/leads/none").status_code == 404
        assert "Kaynaklara göre nitelik" not in seller.get("/lead-times").text
        assert send(seller, "/leads", f"/leads/{nobodys}", act="accept").status_code == 303
        passed = send(seller, f"/leads/{nobodys}", f"/leads/{nobodys}", act="pass")
        assert passed.headers["location"] == "/leads"


def test_the_monitor_shows_running_clocks_and_how_owners_do(desk: SalesDesk, console: Client) -> None:
    desk.define(
        ROUTING.replace(
            "spec:\n",
            "spec:\n  hours: {days: {mon: 24h, tue: 24h, wed: 24h, thu: 24h, "
            "fri: 24h, sat: 24h, sun: 24h}, holidays: ''}\n",
        )
    )
    lead = desk.comes("clock@example.com")
    owner = desk.lead(lead).owner
    page = console.get("/lead-times").text
    assert f"/leads/{lead}" in page
    assert "dk kaldı" in page
    assert f"<strong>{owner}</strong>" in page
    assert "Kaynaklara göre nitelik" in page
    assert 'name="owner"' in console.get(f"/leads/{lead}").text
    assert send(console, f"/leads/{lead}", f"/leads/{lead}", act="assign", owner="ece").status_code == 303
    assert desk.lead(lead).owner == "ece"
    assert f"/leads/{lead}" in console.get("/leads?owner=ece").text


def test_programs_read_and_act_by_the_api(desk: SalesDesk, console: Client) -> None:
    lead = desk.comes("api@example.com")
    desk.does("chief", lead, Assign("ece"))
    _, chief = desk.store.keys.create_api_key("crm", ["leads:read", "leads:write", "leads:oversee"])
    _, reader = desk.store.keys.create_api_key("reader", ["leads:read", "leads:write"])
    may, narrow = ({"Authorization": f"Bearer {key}", "Accept": "*/*"} for key in (chief, reader))
    listed = console.get("/v1/leads", headers=may).json()["leads"]
    assert lead in [one["id"] for one in listed]
    assert "api@example.com" not in str(listed)
    assert console.get(f"/v1/leads/{lead}", headers=narrow).status_code == 404
    acted = console.post(
        f"/v1/leads/{lead}/acts", headers=may, json={"act": "move", "stage": "qualified"}
    ).json()
    assert acted["stage"] == "qualified"
    refused = console.post(f"/v1/leads/{lead}/acts", headers=may, json={"act": "worth", "value": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "value_invalid")
    given = console.post(f"/v1/leads/{lead}/acts", headers=narrow, json={"act": "accept"})
    assert given.status_code == 404
    task = console.post(
        f"/v1/leads/{lead}/tasks", headers=may, json={"text": "call", "due_at": "2026-03-05T09:30:00Z"}
    ).json()
    assert console.post(f"/v1/leads/{lead}/tasks/{task['id']}/done", headers=may).json()["done_at"]
    told = console.get(f"/v1/leads/{lead}", headers=may).json()
    assert [e["act"] for e in told["entries"]][-3:] == ["assigned", "moved", "task"]
    board = console.get("/v1/pipelines/sales/board", headers=may).json()
    assert lead in [one["id"] for c in board["columns"] if c["stage"] == "qualified" for one in c["leads"]]
    assert console.get("/v1/pipelines/none/board", headers=may).status_code == 404
    assert console.get("/v1/pipelines", headers=may).json()["pipelines"][0]["name"] == "sales"
    assert any(row["open"] for row in console.get("/v1/lead-times", headers=may).json())
    assert console.get("/v1/leads?status=won", headers=may).status_code == 200


def test_a_pipeline_of_ones_own_has_its_board(desk: SalesDesk, console: Client, tmp_path: Path) -> None:
    desk.define(
        "kind: pipeline\nname: dealers\ntitle: {tr: Bayiler}\nspec:\n"
        "  stages: [{name: first, title: {tr: İlk görüşme}}]\n  currency: EUR\n"
    )
    lead = desk.comes(pipeline="dealers")
    assert (desk.lead(lead).stage, desk.lead(lead).currency) == ("first", "EUR")
    page = console.get("/leads?pipeline=dealers").text
    assert "İlk görüşme" in page
    assert f"/leads/{lead}" in page
    assert console.get("/leads?pipeline=none").status_code == 404
