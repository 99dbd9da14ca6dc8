"""A real installation, started as people start it, and a real browser before it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import missing

START_SECONDS = 60.0


@dataclass
class Installation:
    """A running Tekil: where its door and its console are, and the first password."""

    folder: Path
    door: str
    console: str
    password: str

    def create_key(self, *options: str) -> str:
        """Make a key as an administrator would."""
        command = [sys.executable, "-m", "tekil", "--dir", str(self.folder), "key", "create", "--json"]
        made = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
        return str(json.loads(made.stdout)["key"])

    def send(self, key: str, kind: str, **message: Any) -> None:
        """Send one message through the door."""
        answer = httpx.post(f"{self.door}/v1/{kind}", json=message, auth=(key, ""), timeout=10)
        assert answer.status_code == 200, answer.text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    door, console = free_port(), free_port()
    tekil = [sys.executable, "-m", "tekil"]
    ports = ["--collect-port", str(door), "--console-port", str(console), "--name", "Minder Evi"]
    subprocess.run([*tekil, "init", str(folder), *ports], check=True, capture_output=True)
    log = folder / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen([*tekil, "--dir", str(folder), "up"], stdout=out, stderr=out)
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            said = re.search(r"with the password (\S+)", log.read_text())
            with contextlib.suppress(httpx.TransportError):
                if said and httpx.get(f"http://127.0.0.1:{console}/readyz").status_code == 200:
                    break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield Installation(folder, f"http://127.0.0.1:{door}", f"http://127.0.0.1:{console}", said.group(1))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that nothing was sent to yet."""
    with installation(tmp_path_factory.mktemp("fresh")) as running:
        yield running


PEOPLE = 12


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with a shop's people in it, one of whom is called like a script."""
    with installation(tmp_path_factory.mktemp("busy")) as running:
        key = running.create_key("--source", "web-shop")
        for n in range(PEOPLE):
            name = "<script>document.title='owned'</script>" if n == 1 else f"İrem Şahin {n}"
            traits = {
                "name": name,
                "email": f"irem{n}@example.com",
                "city": "Şanlıurfa",
                "nick": name,
                "a" * 60: "b" * 300,
            }
            running.send(key, "identify", userId=f"M/{n}", anonymousId=f"a-{n}", traits=traits)
            page = {"url": f"https://minderevi.example/{'uzun-' * 30}{n}", "title": "Keten kırlent"}
            running.send(key, "page", userId=f"M/{n}", properties=page, context={"page": page})
            running.send(key, "track", userId=f"M/{n}", event="Order Completed", properties={"total": n})
        running.send(key, "track", event="Nobody said this")
        until = time.monotonic() + 30
        last = f"{running.console}/v1/profiles/user_id:M%2F{PEOPLE - 1}"
        reader = {"Authorization": f"Bearer {running.create_key('--api', '--scope', 'profiles:read')}"}
        while httpx.get(last, headers=reader).status_code != 200:
            assert time.monotonic() < until, "the people never arrived"
            time.sleep(0.2)
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("Debian's Chromium; apt-get install chromium")
    with sync_playwright() as playwright:
        # A browser run by root, as in a container, has no sandbox to be in.
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page as a visitor; at the end of the story, nothing may have gone wrong in any of them."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def visit(running: Installation, *, width: int = 1440, signed_in: bool = True, **likes: Any) -> Page:
        likes = {"locale": "tr-TR", "color_scheme": "light", **likes}
        context = browser.new_context(
            base_url=running.console, viewport={"width": width, "height": 900}, **likes
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.goto("/sign-in")
        if signed_in:
            page.fill("[name=name]", "admin")
            page.fill("[name=password]", running.password)
            page.press("[name=password]", "Enter")
            page.wait_for_url("**/")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not wrong, wrong
