"""Passkeys in a real Chromium, whose virtual authenticator has a finger that always fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Installation, installation

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("passkeys")) as running:
        # Browsers bind passkeys to names, and to no bare address.
        running.console = running.console.replace("127.0.0.1", "localhost")
        yield running


def authenticator(page: Page, *, verified: bool = True) -> tuple[CDPSession, str]:
    """Give a browser an authenticator of its own; return the session that speaks to it, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": verified,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, str(made["authenticatorId"])


def test_a_passkey_is_added_and_then_nothing_is_typed_any_more(fresh: Installation, visit: Visit) -> None:
    page = visit(fresh)
    session, device = authenticator(page)
    page.goto("/account")
    page.get_by_role("link", name="Geçiş anahtarı ekle").click()
    page.get_by_label("Adı").fill("İş bilgisayarım")
    page.get_by_role("button", name="Ekle").click()
    expect(page.get_by_text("İş bilgisayarım")).to_be_visible()

    # It is a second factor: keys may be made.
    page.goto("/keys")
    page.get_by_label("Ne için?").fill("Raporlama")
    page.locator("input[value='sql:read']").check()
    page.get_by_role("button", name="Anahtarı aç").click()
    expect(page.get_by_text("Anahtar açıldı")).to_be_visible()

    page.get_by_role("button", name="Çıkış yap").click()
    page.get_by_role("button", name="Geçiş anahtarıyla gir").click()
    page.wait_for_url(fresh.console + "/")
    page.goto("/audit")
    expect(page.locator("tbody")).to_contain_text("Geçiş anahtarı ekledi")
    kept = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert [one["signCount"] for one in kept] == [2]

    # After the password, the same finger is the second step.
    page.get_by_role("button", name="Çıkış yap").click()
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", fresh.password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/second-factor")
    page.get_by_role("button", name="Geçiş anahtarıyla doğrula").click()
    page.wait_for_url(fresh.console + "/")

    # A finger that does not fit opens nothing, and the page says so.
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Çıkış yap").click()
    page.get_by_role("button", name="Geçiş anahtarıyla gir").click()
    expect(page.get_by_text("Tarayıcı geçiş anahtarını veremedi")).to_be_visible()


def test_where_scripts_are_off_the_page_says_what_is_missing(fresh: Installation, visit: Visit) -> None:
    page = visit(fresh, signed_in=False, java_script_enabled=False)
    expect(page.get_by_text("JavaScript gerekir")).to_be_visible()
    expect(page.get_by_role("button", name="Geçiş anahtarıyla gir")).to_have_count(0)
    expect(page.get_by_role("button", name="Giriş yap")).to_be_visible()
