"""The audit trail as people and programs read it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import TestClient

from tekil.access.audit import Act, Actor
from tekil.console.audit import ENTRIES, midnight
from tekil.console.formats import Formats
from tekil.console.language import Words
from tekil.store import Store
from tests.api.reads_double import SCRIPT

Client = TestClient[Any]
Send = Callable[..., Any]


@pytest.mark.parametrize("act", list(Act))
def test_an_act_of_every_kind_is_told_in_words(admin: Client, store: Store, act: Act) -> None:
    store.audit.append(Actor("user", SCRIPT), act, "source", SCRIPT, note=SCRIPT)
    page = admin.get("/audit", params={"act": act, "actor": SCRIPT}).text
    assert html.escape(SCRIPT).replace("&#x27;", "&#39;") in page
    assert SCRIPT not in page
    assert 'id="entry-' in page


def test_what_is_done_in_the_console_is_on_the_page_with_who_did_it(admin: Client, send: Send) -> None:
    send(admin, "/sources", "/sources", {"name": "izlenen"})
    send(admin, "/sources/izlenen", "/sources/izlenen/enabled", {"enabled": "no"})
    page = admin.get("/audit").text
    assert page.index("<strong>Kaynağı kapattı") < page.index("<strong>Kaynak açtı")
    assert "izlenen" in page
    assert "testclient" in page


def test_the_page_is_narrowed_by_who_by_act_and_by_day_and_leads_to_older_entries(
    admin: Client, store: Store
) -> None:
    for n in range(ENTRIES + 5):
        store.audit.append(Actor("key", "pages"), Act.SQL_RUN, "warehouse", rows=n)
    first = admin.get("/audit?actor=pages").text
    assert len(re.findall('id="entry-', first)) == ENTRIES
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', first)
    assert older
    second = admin.get(html.unescape(older.group(1))).text
    assert len(re.findall('id="entry-', second)) == 5
    today = datetime.now(ZoneInfo("Europe/Istanbul")).date()
    assert 'id="entry-' in admin.get(f"/audit?actor=pages&since={today}&until={today}").text
    assert 'id="entry-' not in admin.get(f"/audit?actor=pages&until={today - timedelta(days=1)}").text
    assert "Kayıt yok" in admin.get("/audit?actor=nobody").text
    for odd in ("before=x", "since=never", "until=9999-12-31", "act=no.such", "actor=%00"):
        assert admin.get(f"/audit?{odd}").status_code == 200


def test_a_day_begins_at_the_workspaces_midnight() -> None:
    formats = Formats(Words("tr"), "Europe/Istanbul")
    began = midnight("2026-11-22", formats)
    assert formats.full(began) == "22 Kasım 2026, 00:00"
    assert midnight("2026-11-22", formats, later=1) == began + 86_400_000_000  # type: ignore[operator]
    assert midnight("22.11.2026", formats) is None
