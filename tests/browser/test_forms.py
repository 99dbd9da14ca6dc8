"""The form that the door serves, in a real Chromium: alone, and in a frame of another site."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tests.collect.running import Collector, running
from tests.forms.test_forms import DOCUMENT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("door")) as collector:
        yield collector


@pytest.fixture(scope="module")
def site(door: Collector) -> Iterator[str]:
    """A site of another origin that shows the form in a frame."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{door.port}/f/contact?lang=tr&anonymous_id=a-9"
            page = f'<!doctype html><title>Site</title><iframe src="{address}" width=480 height=900></iframe>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_address[1]}"
        own = DOCUMENT.replace("https://www.example.com", address)
        inner = DOCUMENT.replace("  origins: [https://www.example.com]\n", "").replace("contact", "inner")
        apply(door.store, KINDS, parse(f"{own}---\n{inner}"), author="test")
        yield address
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="tr-TR", java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_the_form_is_filled_in_within_a_frame_and_says_where_it_stood(
    door: Collector, site: str, page: Page
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(site)
    frame = page.frame_locator("iframe")
    # Its own style is let in: the hidden field is out of sight, the button is not a browser's grey.
    assert frame.locator("button").evaluate("b => getComputedStyle(b).borderRadius") == "8px"
    frame.locator("#phone").fill("12")
    frame.locator("button").click()
    assert "gerekli" in frame.locator("#first_name-wrong").inner_text()
    assert frame.locator("#phone").input_value() == "12"
    frame.locator("#first_name").fill("Ece")
    frame.locator("#phone").fill("0532 123 45 67")
    frame.locator("#product").select_option("plus")
    frame.locator("input[name=rules]").check()
    after = door.log.head()
    frame.locator("button").click()
    frame.locator(".sent").wait_for()
    who, asked = door.messages(after)
    assert who["traits"] == {"first_name": "Ece", "phone": "0532 123 45 67"}
    assert asked["anonymousId"] == "a-9"
    assert asked["context"]["page"]["url"].startswith(site)
    assert asked["properties"]["product"] == "plus"
    assert [complaint for complaint in complaints if "Security" in complaint] == []


def test_another_site_may_not_show_it(door: Collector, page: Page, site: str) -> None:
    policy = door.ask("GET", "/f/inner").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    page.goto(f"http://127.0.0.1:{door.port}/f/contact?lang=en&theme=dark")
    assert page.locator("h1").inner_text() == "Let us call you"
    colour = page.locator("body").evaluate("b => getComputedStyle(b).backgroundColor")
    assert colour == "rgb(27, 30, 34)"
