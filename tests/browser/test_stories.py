"""What people do in the console, done in a real browser against a real installation."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PEOPLE, Installation

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

PATHS = ["/", "/people", "/people?q=irem", "/people?q=nobody", "/sources", "/sources/web-shop", "/keys"]
PATHS += ["/users", "/users/admin", "/roles", "/audit", "/account", "/account/password"]


def test_the_first_hour(fresh: Installation, visit: Visit) -> None:
    """From the door to the first event and the person it belongs to, without a reload."""
    page = visit(fresh)
    page.get_by_role("link", name="İlk kaynağı aç").click()
    page.get_by_label("Adı").fill("web-shop")
    page.get_by_role("button", name="Kaynağı aç").click()
    expect(page.get_by_text("İlk olay bekleniyor")).to_be_visible()
    page.get_by_role("link", name="curl").click()
    snippet = page.locator("pre").first.inner_text()
    key = re.search(r'-u "([^:]+):"', snippet)
    assert key
    assert fresh.door in snippet

    live = page.context.new_page()
    live.goto("/")
    expect(live.get_by_text("Henüz kimse bir şey söylemedi")).to_be_visible()
    fresh.send(
        key.group(1), "identify", userId="M/1", traits={"name": "Işıl Güneş", "email": "isil@example.com"}
    )
    fresh.send(key.group(1), "track", userId="M/1", event="Sepete Eklendi", properties={"sku": "KK-1"})

    expect(page.get_by_text("Bağlandı")).to_be_visible(timeout=10_000)
    expect(live.locator("#live-arrivals").get_by_text("Sepete Eklendi")).to_be_visible(timeout=10_000)
    expect(live.locator("#live-ledger dd").first).to_have_text("2", timeout=10_000)
    expect(live.locator("#live-chart svg")).to_be_visible(timeout=20_000)
    fresh.send(key.group(1), "track", userId="M/1", event="Sipariş Verildi")
    expect(live.locator("#live-arrivals tr.fresh").first).to_contain_text("Sipariş Verildi", timeout=10_000)

    page.get_by_role("link", name="Kişiler").first.click()
    page.get_by_role("searchbox").fill("isil@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="I••• G•••").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("I••• G•••")
    expect(page.locator(".timeline li")).to_have_count(3)
    expect(page.get_by_text("web-shop").first).to_be_visible()


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(390, "light", "tr-TR"), (390, "dark", "en-GB"), (768, "light", "en-GB"), (1440, "dark", "tr-TR")],
)
def test_every_page_fits_its_window(
    busy: Installation, visit: Visit, width: int, scheme: str, language: str
) -> None:
    page = visit(busy, width=width, color_scheme=scheme, locale=language)
    person = page.request.get("/people").text().split('class="person-link" href="')[1].split('"')[0]
    for path in [*PATHS, person]:
        page.goto(path)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0, path
        assert page.title() != "owned"
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) is (scheme == "dark")
        assert page.locator("html").get_attribute("lang") == language[:2]


def test_values_are_shown_to_who_says_what_for_and_that_is_on_record(
    busy: Installation, visit: Visit
) -> None:
    page = visit(busy)
    page.goto(f"/people?q={quote('irem5@example.com')}")
    page.locator(".person-link").first.click()
    expect(page.get_by_text("irem5@example.com")).to_have_count(0)
    page.get_by_text("Kişisel verileri göster").click()
    page.get_by_label("Ne için gerekiyor?").fill("Şikâyet 4711")
    page.get_by_role("button", name="Göster").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("İrem Şahin 5")
    expect(page.get_by_text("irem5@example.com").first).to_be_visible()
    page.goto("/audit")
    expect(page.get_by_text("Şikâyet 4711")).to_be_visible()


def test_a_name_that_is_a_script_is_only_a_name(busy: Installation, visit: Visit) -> None:
    page = visit(busy)
    page.goto(f"/people?q={quote('irem1@example.com')}")
    page.locator(".person-link").first.click()
    # The name is masked; what is nobody's name is shown as it was said.
    expect(page.get_by_text("<script>document.title='owned'</script>")).to_be_visible()
    assert page.title() != "owned"


def test_everything_can_be_done_by_keyboard(busy: Installation, visit: Visit) -> None:
    page = visit(busy, signed_in=False)
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(busy.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="İçeriğe geç")).to_be_focused()
    for name in ("Tekil", "Canlı", "Kişiler"):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_accessible_name(name)
        assert focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/people")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("irem3@example.com")
    page.keyboard.press("Enter")
    expect(page.locator(".person-link")).to_have_count(1)


def test_the_theme_and_the_language_can_be_chosen(busy: Installation, visit: Visit) -> None:
    page = visit(busy)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Live")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/people")
    expect(page.get_by_text(f"{PEOPLE} people")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_live_can_be_held_still(busy: Installation, visit: Visit) -> None:
    page = visit(busy)
    page.get_by_role("button", name="Duraklat").click()
    page.wait_for_timeout(1500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert not asked
    page.get_by_role("button", name="Sürdür").click()
    page.wait_for_timeout(2500)
    assert asked


def test_without_scripts_every_page_still_works(busy: Installation, visit: Visit) -> None:
    page = visit(busy, java_script_enabled=False)
    expect(page.locator("#live-arrivals").get_by_text("Order Completed").first).to_be_visible()
    image = page.request.get(page.locator("#live-chart img").get_attribute("src") or "")
    assert image.headers["content-type"].startswith("image/svg+xml")
    for path in PATHS:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200
    page.goto("/sources")
    page.get_by_label("Adı").fill("kasa")
    page.get_by_role("button", name="Kaynağı aç").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("kasa")
    page.get_by_role("button", name="Çıkış yap").click()
    page.wait_for_url("**/sign-in")


def test_the_chart_answers_the_pointer_and_no_rule_is_broken(busy: Installation, visit: Visit) -> None:
    page = visit(busy)
    chart = page.locator("#live-chart svg")
    expect(chart).to_be_visible(timeout=20_000)
    # A minute in which nothing came has a bar without height, which no pointer meets.
    bars = page.locator('#live-chart path[aria-roledescription=bar]:not([aria-label*="events: 0;"])')
    bars.last.hover(force=True)
    expect(page.locator("#vg-tooltip-element")).to_contain_text("web-shop")


def test_the_first_byte_comes_at_once(busy: Installation, visit: Visit) -> None:
    page = visit(busy)
    for path in PATHS:
        waits = []
        for _ in range(3):
            page.goto(path)
            waits.append(
                page.evaluate(
                    "(n => n.responseStart - n.requestStart)(performance.getEntriesByType('navigation')[0])"
                )
            )
        assert min(waits) <= 200, (path, waits)
