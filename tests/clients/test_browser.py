"""Segment's client for browsers, in a real Chromium: its settings come from Tekil, and so it sends there."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clients.conftest import HERE, Target, assert_sent
from tests.conftest import missing

pytestmark = [pytest.mark.clients, pytest.mark.browser]

KINDS = ["page", "identify", "track", "group", "screen", "alias"]


@pytest.fixture(scope="module")
def site(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of another origin than Tekil's, with one page that loads the client."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(HERE / "page.html", folder / "index.html")
    shutil.copytree(modules / "@segment" / "analytics-next" / "dist" / "umd", folder / "analytics-next")
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("options", [{}, {"batch": "1"}], ids=["one by one", "in batches"])
def test_a_browser_sends_what_happens_on_a_page(
    site: str, browser: Browser, target: Target, options: dict[str, str]
) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site}?{urlencode({'key': target.key, 'tekil': target.url, **options})}")
    assert page.evaluate("send()") == target.key
    messages = target.wait_for(len(KINDS))
    page.close()
    assert complaints == []
    assert_sent(messages, KINDS)
    assert {message["context"]["page"]["title"] for message in messages} == {"Minder Evi"}


def test_what_a_page_holds_as_it_closes_still_arrives(site: str, browser: Browser, target: Target) -> None:
    page = browser.new_page()
    page.goto(f"{site}?{urlencode({'key': target.key, 'tekil': target.url, 'batch': '1'})}")
    page.evaluate("buffered.ready().then(() => { buffered.track('Ayrıldı') })")
    page.wait_for_timeout(100)
    page.close(run_before_unload=True)
    messages = target.wait_for(1)
    # The client may send it both as the page hides and as it goes; downhill, a second one is a duplicate.
    assert {message["event"] for message in messages} == {"Ayrıldı"}
    assert len({message["messageId"] for message in messages}) == 1
