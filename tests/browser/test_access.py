"""An administrator's first day: a second factor, a key, a colleague, and who did what."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tekil.access.totp import STEP_SECONDS, code_at
from tests.browser.conftest import Installation, installation

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def code(secret: str, ahead: int = 0) -> str:
    return code_at(secret, int(time.time()) // STEP_SECONDS + ahead)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """An installation of this story's own: afterwards its first user needs more than a password."""
    with installation(tmp_path) as running:
        yield running


def test_the_first_day_of_an_administrator(fresh: Installation, visit: Visit) -> None:
    page = visit(fresh)
    page.get_by_role("link", name="API anahtarları").click()
    page.get_by_role("link", name="İkinci adımı aç").click()
    expect(page.locator(".qr svg")).to_be_visible()
    page.get_by_text("Kareyi okutamıyorum").click()
    secret = page.locator(".why code").inner_text().replace(" ", "")
    page.get_by_label("Altı haneli kod").fill(code(secret))
    page.get_by_role("button", name="Aç", exact=True).click()
    expect(page.locator(".recovery li")).to_have_count(10)
    page.get_by_role("link", name="Sakladım, devam et").click()

    page.goto("/keys")
    page.get_by_label("Ne için?").fill("Raporlama")
    page.get_by_label(re.compile("Kişilere bakmak")).check()
    page.get_by_role("button", name="Anahtarı aç").click()
    expect(page.get_by_text("Anahtar açıldı")).to_be_visible()

    page.goto("/users")
    page.get_by_label("Kullanıcı adı").fill("ayse")
    page.get_by_label("Pazarlama").check()
    page.get_by_role("button", name="Kullanıcıyı ekle").click()
    once = page.locator(".secret code").inner_text()

    ayse = visit(fresh, signed_in=False)
    ayse.fill("[name=name]", "ayse")
    ayse.fill("[name=password]", once)
    ayse.press("[name=password]", "Enter")
    ayse.wait_for_url("**/account/password")
    ayse.get_by_label("Şimdiki parola").fill(once)
    ayse.get_by_label("Yeni parola", exact=True).fill("mavi minder pencere")
    ayse.get_by_label("Yeni parola, bir daha").fill("mavi minder pencere")
    ayse.get_by_role("button", name="Parolayı değiştir").click()
    expect(ayse.get_by_text("bu oturum")).to_be_visible()
    expect(ayse.get_by_role("link", name="Kişiler")).to_be_visible()
    expect(ayse.get_by_role("link", name="Kullanıcılar")).to_have_count(0)

    page.goto("/audit")
    expect(page.locator("tbody")).to_contain_text("Parolasını değiştirdi")
    expect(page.locator("tbody")).to_contain_text("API anahtarı açtı")

    # The next sign-in asks for the code.
    page.get_by_role("button", name="Çıkış yap").click()
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", fresh.password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/second-factor")
    page.get_by_label("Kod").fill(code(secret, 1))
    page.get_by_role("button", name="Doğrula").click()
    page.wait_for_url(fresh.console + "/")
    page.goto("/account")
    page.locator("summary").click()
    page.get_by_role("button", name="İkinci adımı kapat").click()
    expect(page.get_by_role("link", name="İkinci adımı aç")).to_be_visible()
