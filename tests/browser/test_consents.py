"""A person's own page in a real browser: read on a phone, changed, and proven to the colleagues."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation

pytestmark = pytest.mark.browser


def consent(running: Installation, *arguments: str) -> str:
    command = [sys.executable, "-m", "tekil", "--dir", str(running.folder), "consent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(("width", "language"), [(1440, "tr-TR"), (390, "en-US")])
def test_somebody_chooses_on_their_own_page_and_it_shows_in_the_console(
    busy: Installation, visit: Callable[..., Page], width: int, language: str
) -> None:
    person = f"irem{width % 7}@example.com"
    page = visit(busy, width=width, locale=language, color_scheme="dark", signed_in=False)
    page.goto(consent(busy, "link", f"email:{person}"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.check("input[value='marketing:email']")
    page.click(".choice-list .primary")
    expect(page.locator("[role=status]")).to_be_visible()
    expect(page.locator("input[value='marketing:email']")).to_be_checked()
    told = json.loads(consent(busy, "get", f"email:{person}", "--json"))
    assert [(row["purpose"], row["state"]) for row in told] == [("marketing", "given")]
    console = visit(busy, width=width, locale=language)
    console.goto(f"/consents?q={person}")
    console.click(".stands summary")
    expect(console.locator(".stands pre")).to_contain_text("preferences")
    assert console.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for path in ("/consents/iys", "/requests"):
        console.goto(path)
        assert console.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
