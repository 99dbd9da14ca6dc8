"""The dictionary, its quality and the quarantine in the console, over a real installation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from tekil.console import create_app
from tekil.console.explaining import RULES
from tekil.console.language import catalogue
from tekil.definitions import stored
from tekil.dictionary.model import FIELD_TYPES, MODES, PERSONAL_CLASSES
from tekil.load import QuarantineDesk
from tekil.store.quality_alerts import Trouble
from tests.console.conftest import HTML, configuration, member, token
from tests.dictionary.defining import define
from tests.installation import Installation

Client = TestClient[Any]
Send = Callable[..., Any]

SPEC = {
    "description": "Somebody <paid>.",
    "review": "2026-01-01",
    "fields": {
        "properties.total": {"type": "number", "required": True, "min": 0, "mode": "quarantine"},
        "properties.email": {"type": "text", "pii": "email", "keep": False, "pattern": "@"},
        "properties.currency": {"type": "text", "allowed": ["TRY"]},
    },
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.now = datetime.now(UTC).replace(tzinfo=None)
    made.store.keys.create_write_key("web")
    yield made
    made.close()
    made.store.close()


@pytest.fixture
def clerk(shop: Installation, tmp_path: Path) -> Iterator[Client]:
    password = shop.store.users.create_first()
    reads = shop.reads
    desk = QuarantineDesk(shop.log, shop.warehouse, shop.vault)
    with TestClient(create_app(reads, shop.store, configuration(tmp_path), [], desk)) as client:
        client.headers.update(HTML)
        form = {"form_token": token(client.get("/sign-in").text), "name": "admin", "password": password}
        assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
        yield client


def order(total: Any, source: str = "web", **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": "u",
        "properties": {"total": total, **more},
    }


def hear(shop: Installation) -> None:
    define(shop.store, {"Order Completed": SPEC})
    late = (shop.now - timedelta(days=3)).isoformat() + "Z"
    shop.say(
        order(5, secret="hunter2"), order("x"), order(-1), {**order(5), "timestamp": late}, {"type": "track"}
    )
    shop.say(order(5, currency=7), {**order(1), "event": "Cart <Viewed>", "messageId": "m"}, source="app")
    shop.say({**order(1), "event": "Cart <Viewed>", "messageId": "m"}, source="app")
    shop.run()


@pytest.mark.parametrize("path", ["/dictionary", "/quality", "/quarantine"])
def test_with_nothing_said_every_page_says_what_to_do(clerk: Client, path: str) -> None:
    page = clerk.get(path)
    assert page.status_code == 200
    assert 'class="panel empty"' in page.text


def test_the_list_shows_what_is_defined_what_is_due_and_what_was_only_seen(
    shop: Installation, clerk: Client
) -> None:
    hear(shop)
    page = clerk.get("/dictionary").text
    assert "gözden geçirme günü geldi" in page
    assert "Cart &lt;Viewed&gt;" in page
    assert "3 ihlal" in page


def test_adopting_a_draft_defines_the_event_and_its_page_shows_no_value(
    shop: Installation, clerk: Client, send: Send
) -> None:
    hear(shop)
    answer = send(clerk, "/dictionary", "/dictionary/adopt", {"event": "Cart <Viewed>"})
    assert answer.status_code == 303
    assert clerk.get(answer.headers["location"]).status_code == 200
    (version,) = shop.store.definitions.history("event", "Cart <Viewed>")
    assert (version.author, stored(version).spec["fields"]) == (
        "admin",
        {"properties.total": {"type": "integer", "required": True}},
    )
    page = clerk.get("/dictionary/Order%20Completed").text
    assert "properties.secret" in page
    assert "aaaaaa9" in page
    assert "hunter2" not in page
    assert "Somebody &lt;paid&gt;." in page


def test_the_form_writes_the_next_version_of_the_same_document(
    shop: Installation, clerk: Client, send: Send
) -> None:
    hear(shop)
    here = "/dictionary/Order%20Completed"
    page = clerk.get(here).text
    fields = re.search(r'name="fields"[^>]*>(.*?)</textarea>', page, re.S)
    assert fields
    assert "properties.total" in fields.group(1)
    form = {
        "title_tr": "Sipariş",
        "owner": "büyüme",
        "mode": "warn",
        "undefined_fields": "evolve",
        "counting": "30 minutes",
        "synonyms": "order_done, sipariş",
        "fields": "properties.total: {type: number}",
        "note": "daha yalın",
    }
    answer = send(clerk, here, here, form)
    assert answer.status_code == 303
    newest = shop.store.definitions.history("event", "Order Completed")[0]
    assert (newest.version, newest.author, newest.note) == (2, "admin", "daha yalın")
    definition = stored(newest)
    assert definition.owner == "büyüme"
    assert definition.spec["counting"] == {"per": "30 minutes"}
    assert definition.spec["synonyms"] == ["order_done", "sipariş"]
    assert definition.spec["fields"] == {"properties.total": {"type": "number"}}
    for wrong in ("properties.total: {type: nummer}", "total: {}", "properties.total: {", "- x"):
        refused = send(clerk, here, here, {**form, "fields": wrong})
        assert refused.status_code == 400, wrong
        assert wrong in refused.text.replace("&#39;", "'")
    assert shop.store.definitions.history("event", "Order Completed")[0].version == 2


def test_what_becomes_of_unknown_events_is_chosen_on_the_page(
    shop: Installation, clerk: Client, send: Send
) -> None:
    define(shop.store, {})
    assert send(clerk, "/dictionary", "/dictionary/mode", {"mode": "quarantine"}).status_code == 303
    shop.say(order(1))
    shop.run()
    assert shop.rows("SELECT reasons FROM quarantine") == [{"reasons": "Order Completed:event_undefined"}]
    assert "Olay tanımlı değil" in clerk.get("/quarantine").text


def test_the_quarantine_explains_and_replays_one_mended_and_then_all(
    shop: Installation, clerk: Client, send: Send
) -> None:
    hear(shop)
    page = clerk.get("/quarantine?source=web&reason=order_completed.total:not_a_number").text
    assert "Sayı değil" in page
    assert "Tanım yanlışsa" in page
    place = re.search(r'name="place" value="(\d+-\d+)"', page)
    assert place
    fields = {"place": place.group(1), "message": "[1]"}
    assert send(clerk, "/quarantine", "/quarantine/replay", fields).status_code == 400
    mended = {**fields, "message": msgspec.json.encode(order(5)).decode()}
    answer = send(clerk, "/quarantine", "/quarantine/replay", mended)
    assert answer.headers["location"].endswith("said=1")
    assert "1 ileti yeniden söylendi" in clerk.get(answer.headers["location"]).text
    shop.run()
    assert shop.rows("SELECT loaded, quarantined, duplicate FROM ledger WHERE source = 'web'") == [
        {"loaded": 3, "quarantined": 2, "duplicate": 1}
    ]
    define(shop.store, {"Order Completed": {}})
    answer = send(
        clerk,
        "/quarantine",
        "/quarantine/replay",
        {"source": "web", "reason": "order_completed.total:too_small"},
    )
    assert answer.headers["location"].endswith("said=1")
    shop.run()
    assert shop.rows("SELECT reasons FROM quarantine") == [{"reasons": "identifier_missing,event_missing"}]


def test_quality_names_what_is_wrong_by_source_and_field(shop: Installation, clerk: Client) -> None:
    hear(shop)
    page = clerk.get("/quality").text
    for told in (
        "Geçersiz",
        "properties.total",
        "properties.currency",
        "Geç",
        "Yinelenen",
        "Tutarsız",
        "uyarı",
    ):
        assert told in page, told


def test_a_note_or_a_description_that_names_a_customer_is_refused_and_what_was_typed_stays(
    shop: Installation, clerk: Client, send: Send
) -> None:
    hear(shop)
    revision = shop.store.definitions.revision()
    told = {"counting": "each", "fields": "", "description": "Ödeme", "note": "irem@example.com istedi"}
    answer = send(clerk, "/dictionary/Order%20Completed", "/dictionary/Order%20Completed", told)
    assert answer.status_code == 400
    assert "Bu metin açık saklanır" in answer.text
    assert 'value="irem@example.com istedi"' in answer.text
    assert shop.store.definitions.revision() == revision


def test_the_bell_and_prometheus_count_open_alerts(shop: Installation, clerk: Client) -> None:
    assert 'class="bell' not in clerk.get("/quality").text
    trouble = [
        Trouble("late", "web"),
        Trouble("missing", "web", "A", "b"),
        Trouble("missing", "web", "A", "c"),
    ]
    shop.store.quality_alerts.settle([(one, 7) for one in trouble], owed=False)
    page = clerk.get("/people").text
    assert 'class="bell rings" href="/quality" title="3 kalite uyarısı açık"' in page
    told = clerk.get("/metrics", headers={"Accept": "*/*"}).text
    assert 'tekil_quality_alerts{kind="missing",source="web"} 2.0' in told
    clerk.cookies.set("tekil_session", member(shop.store, "sales"))
    assert 'class="bell' not in clerk.get("/people").text


def test_every_word_a_definition_can_need_is_in_the_catalogue() -> None:
    words = catalogue("tr")
    needed = [f"rule.{rule}" for rule in RULES]
    needed += [f"mode.{mode}" for mode in MODES] + [f"field_type.{kind}" for kind in (*FIELD_TYPES, "any")]
    needed += [f"personal.{kind}" for kind in PERSONAL_CLASSES]
    assert [key for key in needed if key not in words] == []
