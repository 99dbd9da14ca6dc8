"""`tekil.js` in a real Chromium, on real pages of another origin than the door's."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.collect.running import Collector, running

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="tr"><head><meta charset="utf-8"><title>Minder Evi {path}</title>
<script>window.tekil = window.tekil || []; {early}</script>
<script async src="{door}/tekil.js" data-write-key="{key}" {attributes}></script></head>
<body style="margin:0"><h1>Keten kırlent</h1><a id="next" href="/sepet">Sepet</a>
<a id="out" href="https://bank.example/pay?secret=1" onclick="event.preventDefault()">Öde</a>
<form data-tekil-form="quote" onsubmit="event.preventDefault()">
<input name="email"><input name="company" data-tekil-value><input name="note"><button>Gönder</button></form>
<div style="height:3000px">uzun</div></body></html>"""

Messages = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("door")) as collector:
        yield collector


@pytest.fixture(scope="module")
def site(door: Collector) -> Iterator[str]:
    """A site whose pages load the script; `?attributes=` and `?early=` say how."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            given = {name: values[0] for name, values in parse_qs(asked.query).items()}
            page = PAGE.format(
                path=asked.path,
                door=f"http://127.0.0.1:{door.port}",
                key=door.key,
                early=given.get("early", ""),
                attributes=given.get("attributes", ""),
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="tr-TR")
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()


@pytest.fixture
def said(door: Collector) -> Messages:
    """What came in since the test began, in the order it was said, once there are so many."""
    after = door.log.head()

    def look(least: int, seconds: float = 10.0) -> list[dict[str, Any]]:
        until = time.monotonic() + seconds
        while True:
            bodies = [body for table in door.log.replay(after) for body in table["body"].to_pylist()]
            found = [message for body in bodies for message in msgspec.json.decode(body)["batch"]]
            if len(found) >= least or time.monotonic() > until:
                once = {message["messageId"]: message for message in found}
                return sorted(once.values(), key=lambda message: message["timestamp"])
            time.sleep(0.05)

    return look


def told(messages: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [message["properties"] for message in messages if message.get("event") == event]


def ready(page: Page) -> None:
    page.wait_for_function("Boolean(window.tekil && tekil.track)", timeout=5_000)


def stored(page: Page) -> dict[str, Any]:
    kept = page.evaluate("localStorage.getItem('tekil')")
    return msgspec.json.decode(kept) if kept else {}


def test_from_a_paid_click_to_the_next_page(site: str, page: Page, said: Messages) -> None:
    page.goto(f"{site}/?utm_source=google&utm_medium=cpc&utm_campaign=keten&gclid=abc123")
    ready(page)
    page.mouse.wheel(0, 1200)
    page.wait_for_timeout(300)
    page.click("#next")
    ready(page)
    page.close(run_before_unload=True)
    messages = said(6)
    first, second = (message for message in messages if message["type"] == "page")
    assert first["context"]["campaign"] == {"source": "google", "medium": "cpc", "name": "keten"}
    assert first["context"]["clickIds"] == {"gclid": "abc123"}
    assert first["properties"]["title"] == "Minder Evi /"
    assert second["properties"]["path"] == "/sepet"
    assert second["properties"]["referrer"].startswith(f"{site}/?utm_source=google")
    # The same visitor, in the same session, who came by the click.
    assert second["anonymousId"] == first["anonymousId"]
    assert second["context"]["session"]["id"] == first["context"]["session"]["id"]
    assert second["context"]["firstTouch"]["clicks"] == {"gclid": "abc123"}
    left = [message for message in messages if message.get("event") == "Page Left"]
    assert [message["context"]["page"]["path"] for message in left] == ["/", "/sepet"]
    assert left[0]["properties"]["seconds"] >= 0.3
    assert 20 < left[0]["properties"]["scroll_percent"] < 100
    vitals = told(messages, "Web Vitals Measured")[0]
    assert 0 <= vitals["ttfb"] <= vitals["fcp"] <= vitals["lcp"] + 1
    assert vitals["tti"] >= vitals["fcp"]
    assert 0 <= vitals["cls"] < 1


def test_a_single_page_apps_pages_are_pages(site: str, page: Page, said: Messages) -> None:
    page.goto(f"{site}/")
    ready(page)
    page.evaluate("history.pushState({}, '', '/urun/1?renk=mavi'); document.title = 'Ürün 1'")
    page.wait_for_timeout(50)
    page.evaluate("history.replaceState({}, '', '/urun/1?renk=yeşil')")
    page.evaluate("history.back()")
    page.wait_for_timeout(50)
    page.evaluate("tekil.flush()")
    messages = said(5)
    pages = [message["properties"] for message in messages if message["type"] == "page"]
    assert [one["path"] for one in pages] == ["/", "/urun/1", "/"]
    assert pages[1]["title"] == "Ürün 1"
    assert pages[1]["referrer"] == f"{site}/"
    left = [message["context"]["page"]["path"] for message in messages if message.get("event") == "Page Left"]
    assert left == ["/", "/urun/1"]


def test_before_consent_nothing_is_stored_or_sent(site: str, page: Page, said: Messages) -> None:
    page.goto(f"{site}/?attributes=data-consent%3Drequired")
    ready(page)
    page.evaluate("tekil.track('Product Viewed', {sku: 'N-1'})")
    page.wait_for_timeout(900)
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert said(1, seconds=0.1) == []
    page.evaluate("tekil.consent({analytics: true, sharing: false})")
    messages = said(3)
    assert [message.get("event", message["type"]) for message in messages] == [
        "page",
        "Product Viewed",
        "Consent Given",
    ]
    assert messages[-1]["context"]["consent"] == {
        "categoryPreferences": {"analytics": True, "sharing": False}
    }
    assert stored(page)["a"] == messages[0]["anonymousId"]


def test_a_no_is_kept_and_nothing_else(site: str, page: Page, said: Messages) -> None:
    address = f"{site}/?attributes=data-consent%3Drequired"
    page.goto(address)
    ready(page)
    page.evaluate("tekil.consent({analytics: false})")
    assert [message["event"] for message in said(1)] == ["Consent Given"]
    assert stored(page) == {"c": {"analytics": False}}
    page.goto(address)
    ready(page)
    page.evaluate("tekil.track('Product Viewed')")
    page.wait_for_timeout(900)
    page.close(run_before_unload=True)
    assert len(said(2, seconds=0.5)) == 1


def test_who_asks_for_privacy_is_neither_remembered_nor_followed(
    site: str, visitor: BrowserContext, page: Page, said: Messages
) -> None:
    visitor.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto(f"{site}/?fbclid=FOLLOWED&utm_source=fb")
    ready(page)
    page.goto(f"{site}/sepet")
    ready(page)
    page.evaluate("tekil.flush()")
    messages = said(4)
    assert page.evaluate("localStorage.length") == 0
    pages = [message for message in messages if message["type"] == "page"]
    assert len({message["anonymousId"] for message in pages}) == 2
    assert all(message["context"]["gpc"] is True for message in messages)
    assert b"FOLLOWED" not in msgspec.json.encode([m for m in messages if m["type"] == "page"][:1])


def test_forms_tell_how_far_somebody_came_and_never_what_they_wrote(
    site: str, page: Page, said: Messages
) -> None:
    page.goto(f"{site}/")
    ready(page)
    page.fill("[name=email]", "gizli@example.com")
    page.fill("[name=company]", "Otel Ege")
    page.click("button")
    page.fill("[name=note]", "çok gizli")
    page.click("#out")
    page.close(run_before_unload=True)
    messages = said(7)
    assert [told(messages, f"Form {what}")[0]["form"] for what in ("Started", "Submitted", "Abandoned")] == [
        "quote"
    ] * 3
    submitted, abandoned = told(messages, "Form Submitted")[0], told(messages, "Form Abandoned")[0]
    assert submitted["values"] == {"company": "Otel Ege"}
    assert submitted["fields_reached"] == 2
    assert abandoned["field"] == "note"
    assert told(messages, "Outbound Link Clicked") == [{"host": "bank.example", "path": "/pay"}]
    raw = msgspec.json.encode(messages).decode()
    assert "gizli" not in raw
    assert "secret" not in raw


def test_what_cannot_be_sent_waits_for_the_next_visit(
    site: str, visitor: BrowserContext, page: Page, said: Messages
) -> None:
    page.goto(f"{site}/")
    ready(page)
    said(1)
    visitor.set_offline(True)
    page.evaluate("tekil.track('Order Completed', {total: 249.9})")
    page.wait_for_timeout(800)
    # The beacon of a page that closes offline is lost with it; so let this one have no beacons.
    page.evaluate("navigator.sendBeacon = () => false")
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    visitor.set_offline(False)
    other = visitor.new_page()
    other.goto(f"{site}/sonra")
    ready(other)
    messages = said(4)
    assert told(messages, "Order Completed") == [{"total": 249.9}]
    assert len({message["anonymousId"] for message in messages}) == 1


def test_calls_made_before_the_script_is_there_are_not_lost(site: str, page: Page, said: Messages) -> None:
    calls = ["['identify','u-1',{city:'İzmir'}]", "['track','Signed Up']", "['nonsense']"]
    early = "".join(f"tekil.push({call});" for call in calls)
    page.goto(f"{site}/?early={early}")
    ready(page)
    page.evaluate("tekil.group('otel-ege'); tekil.identify('u-2'); tekil.reset(); tekil.track('After')")
    messages = said(6)
    kinds = [(message.get("event") or message["type"], message.get("userId")) for message in messages]
    assert kinds == [
        ("page", None),
        ("identify", "u-1"),
        ("Signed Up", "u-1"),
        ("group", "u-1"),
        ("identify", "u-2"),
        ("After", None),
    ]
    # Somebody else at the same screen is somebody else.
    assert len({message["anonymousId"] for message in messages}) == 3
    assert messages[1]["traits"] == {"city": "İzmir"}
