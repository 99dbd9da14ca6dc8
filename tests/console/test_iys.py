"""The page on İYS: what waits and for how long, what was refused and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.console.iys_view import left, why
from tekil.console.language import Words
from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.iys import IysRecord
from tests.ledgers import ledger_of

Client = TestClient[Any]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=2, hours=5, minutes=59), "2 gün 5 saat kaldı"),
        (timedelta(hours=23, minutes=59), "23 saat 59 dk kaldı"),
        (timedelta(seconds=59), "0 saat 0 dk kaldı"),
        (timedelta(), "süresi doldu"),
    ],
)
def test_a_countdown_reads_as_people_say_it(span: timedelta, text: str) -> None:
    assert left(span, Words("tr")) == text


def test_a_reason_is_told_in_the_readers_language_and_iys_codes_as_they_are() -> None:
    assert "RET olamaz" in why("first_is_refusal", "tr")
    assert "cannot be RET" in why("first_is_refusal", "en")
    assert (why("H155", "tr"), why("", "en")) == ("H155", "")


def test_the_page_shows_what_waits_and_what_was_refused(admin: Client, store: Store, root: Path) -> None:
    assert "İYS bağlantısı kurulmamış" in admin.get("/consents/iys").text
    ledger = ledger_of(store, root)
    token = ledger.tokens.keep("email", "iys@example.com")
    old = int((datetime.now(UTC) - timedelta(days=40)).timestamp() * 1_000_000)
    store.iys.add(
        [
            IysRecord("1", token, "email", "EPOSTA", "BIREYSEL", "ONAY", "HS_WEB", now_us()),
            IysRecord(
                "2", token, "email", "EPOSTA", "BIREYSEL", "RET", "HS_WEB", old, "rejected", "status_repeated"
            ),
            IysRecord("3", token, "email", "EPOSTA", "BIREYSEL", "ONAY", "HS_WEB", old, "overdue", "overdue"),
        ]
    )
    page = admin.get("/consents/iys").text
    assert "i•••@e•••.com" in page
    assert "iys@example.com" not in page
    assert "kaldı" in page
    assert "zaten biliyor" in page
    assert "yeniden onay alın" in page
