"""The checklist as people see it, and as programs read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tekil.readiness import CHECKS
from tekil.store import Store
from tests.console.conftest import Client


@pytest.mark.parametrize("language", ["tr", "en"])
def test_the_checklist_is_shown_in_the_readers_language(admin: Client, language: str) -> None:
    admin.cookies.set("tekil_language", language)
    page = admin.get("/readiness").text
    for check in CHECKS:
        assert check.title.in_language(language) in page.replace("&#39;", "'")
    assert f"/{len(CHECKS)}</text>" in page


def test_it_is_measured_anew_when_somebody_asks(admin: Client, send: Callable[..., Any]) -> None:
    before = admin.get("/metrics", headers={"Accept": "*/*"})
    assert before.status_code == 200
    answer = send(admin, "/readiness", "/readiness", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/readiness")
    admin.cookies.set("tekil_language", "en")
    assert "The figures are watched." in admin.get("/readiness").text


def test_an_empty_installation_has_a_page_too(empty: Client) -> None:
    page = empty.get("/readiness")
    assert page.status_code == 200
    assert "Hiçbir kaynak henüz bir şey göndermedi." in page.text


def test_programs_read_the_same_with_a_key(admin: Client, store: Store) -> None:
    _, key = store.keys.create_api_key("checklist", ["ledger:read"])
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    told = admin.get("/v1/readiness?anew=true", headers=headers).json()
    assert [check["name"] for check in told["checks"]] == [check.name for check in CHECKS]
    assert sum(told["counts"].values()) == len(CHECKS)
    assert all(point["reason"] for check in told["checks"] for point in check["points"])


def test_on_a_narrow_screen_a_menu_holds_every_page(admin: Client) -> None:
    page = admin.get("/audit").text
    bar = page.split('class="bar"')[1].split("</nav>")[0]
    # The page that is shown stands under the thumb, though it is none of the first.
    assert bar.count("<a ") == 6
    assert 'href="/audit" aria-current="page"' in bar
    assert 'href="#menu"' in bar
    assert 'id="menu"' in page
