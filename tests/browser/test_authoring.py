"""An audience, from the empty form to everybody it holds for; and the same without a script."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PEOPLE, Installation

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def test_an_audience_is_built_counted_while_it_is_built_and_put_in_force(
    busy: Installation, visit: Visit
) -> None:
    page = visit(busy)
    page.goto("/definitions/new/audience")
    page.fill("[name=title_tr]", "Hareketli")
    page.fill("[name=name]", "lively")
    page.select_option("[name=g0_0_field]", "pages")
    page.select_option("[name=g0_0_op]", "ge")
    page.fill("[name=g0_0_value]", "1")
    expect(page.locator("#definition-live .big")).to_have_text(str(PEOPLE))
    page.fill("[name=g0_0_value]", "bir")
    expect(page.locator("#definition-live .refusal")).to_be_visible()
    page.fill("[name=g0_0_value]", "99")
    expect(page.locator("#definition-live .big")).to_have_text("0")
    page.fill("[name=g0_0_value]", "1")
    page.locator("label", has_text="SQL olarak yaz").click()
    expect(page.locator("[name=sql]")).to_have_value("pages >= 1")
    page.locator("label", has_text="Seçerek kur").click()
    expect(page.locator("[name=g0_0_value]")).to_have_value("1")
    page.get_by_role("button", name="Planı göster").click()
    expect(page.locator(".figure .big").first).to_have_text(str(PEOPLE))
    page.get_by_role("button", name="Yürürlüğe koy").click()
    page.wait_for_url("**/definitions/audience/lively")
    expect(page.locator("#definitions-doing")).to_be_empty()
    page.get_by_role("link", name="İçindekiler").click()
    # On a busy machine the engine may not have heard of it yet; the page counts when it is asked for.
    deadline = time.monotonic() + 30
    while page.locator(".big").text_content() != str(PEOPLE) and time.monotonic() < deadline:
        page.wait_for_timeout(250)
        page.reload()
    expect(page.locator(".big")).to_have_text(str(PEOPLE))


def test_everything_works_with_no_script_at_all(busy: Installation, visit: Visit) -> None:
    page = visit(busy, java_script_enabled=False, width=400, color_scheme="dark")
    page.goto("/definitions/new/audience")
    page.fill("[name=name]", "quiet_ones")
    page.select_option("[name=g0_0_field]", "events")
    page.select_option("[name=g0_0_op]", "ge")
    page.fill("[name=g0_0_value]", "1")
    page.get_by_role("button", name="+ Koşul").click()
    page.select_option("[name=g0_1_field]", "pages")
    page.select_option("[name=g0_1_op]", "le")
    page.fill("[name=g0_1_value]", "0")
    page.get_by_role("button", name="Önizle").click()
    expect(page.locator("#definition-live .big")).to_have_text("0")
    page.get_by_role("button", name="Planı göster").click()
    page.get_by_role("button", name="Yürürlüğe koy").click()
    expect(page.locator("h1")).to_have_text("quiet_ones")
    page.get_by_role("button", name="Kaldır…").click()
    page.get_by_role("button", name="Kaldır", exact=True).click()
    page.wait_for_url("**/definitions")
    expect(page.get_by_text("quiet_ones")).to_have_count(0)
