"""A real, certified OpenID Connect provider: people sign in by it, and services get tokens of it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from tekil.access.audit import Actor
from tekil.config import Access, Config, Console, OutgoingSettings, ProviderSettings
from tekil.console import create_app
from tekil.outgoing import Connection, Connections
from tekil.store import Store, open_store
from tekil.store.second_factors import Plain
from tests.api.reads_double import FullShop
from tests.browser.conftest import free_port
from tests.clients.conftest import HERE
from tests.outgoing.loopback import ALLOW, LOOPBACK

pytestmark = pytest.mark.clients

ORIGIN = "http://localhost:8001"
BACK = f"{ORIGIN}/sign-in/with/company/back"
SECRET = "a secret of both"
BY = Actor("system", "test")


@pytest.fixture(scope="module")
def issuer(modules: Path) -> Iterator[str]:
    port = free_port()
    told = {"NODE_PATH": str(modules), "PORT": str(port), "BACK": BACK, "AFTER": f"{ORIGIN}/sign-in"}
    command = ["node", str(HERE / "oidc_provider.js")]
    process = subprocess.Popen(command, env={**os.environ, **told}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        # It may warn of this and that before; where it dies, its output ends.
        assert any(line == "ready\n" for line in process.stdout), "the provider did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('oidc')}/store.db")
    opened.users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    opened.users.create_first()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def app(issuer: str, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litestar]:
    provider = ProviderSettings(
        "company", issuer, "tekil", {"cdp-admins": ("administrator",)}, scope="openid profile groups"
    )
    config = Config(
        console=Console(public_url=ORIGIN),
        access=Access(providers=(provider,)),
        outgoing=OutgoingSettings(ALLOW),
        root=tmp_path_factory.mktemp("console"),
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TEKIL_OIDC_COMPANY_SECRET", SECRET)
        yield create_app(FullShop(), store, config)


def at(app: Litestar) -> TestClient[Any]:
    client = TestClient(app, raise_server_exceptions=False)
    client.headers.update({"Accept": "text/html", "Accept-Language": "tr"})
    return client


def walk(address: str, name: str) -> str:
    """Sign in at the provider as a browser would, page by page; return the address it sends us back to."""
    with httpx.Client() as browser:
        answer = browser.get(address)
        for _ in range(12):
            if answer.is_redirect:
                place = urljoin(str(answer.url), answer.headers["location"])
                if place.startswith(BACK):
                    return place
                answer = browser.get(place)
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            assert action, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            form = {"prompt": prompt.group(1) if prompt else "", "login": name, "password": "any"}
            answer = browser.post(urljoin(str(answer.url), action.group(1)), data=form)
    raise AssertionError("the provider never sent us back")


def sign_in(client: TestClient[Any], name: str) -> Any:
    address = client.get("/sign-in/with/company?next=/people", follow_redirects=False).headers["location"]
    back = walk(address, name)
    return client.get(back.removeprefix(ORIGIN), follow_redirects=False)


def test_somebody_signs_in_and_out_by_a_real_provider(app: Litestar, store: Store, issuer: str) -> None:
    client = at(app)
    answer = sign_in(client, "ayse")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people"), answer.text
    assert client.get("/people").status_code == 200
    assert store.users.get("ayse").roles == ("administrator",)
    assert store.identities.issuers_of("ayse") == [issuer]
    out = re.search(r'href="(http[^"]+/session/end[^"]*)"', client.get("/signed-out/company").text)
    assert out
    assert httpx.get(out.group(1).replace("&amp;", "&")).status_code == 200


def test_somebody_without_a_group_does_not_come_in(app: Litestar) -> None:
    answer = sign_in(at(app), "veli")
    assert answer.status_code == 403
    assert "hiçbir rol" in answer.text


def test_an_answer_is_not_good_twice_nor_for_another(app: Litestar) -> None:
    client = at(app)
    address = client.get("/sign-in/with/company", follow_redirects=False).headers["location"]
    back = walk(address, "ayse").removeprefix(ORIGIN)
    assert at(app).get(back, follow_redirects=False).status_code == 400
    assert client.get(back.replace("state=", "state=x"), follow_redirects=False).status_code == 400
    assert client.get(back, follow_redirects=False).status_code == 400


def test_a_service_gets_tokens_renews_them_and_gives_them_back(issuer: str, store: Store) -> None:
    now = [time.time()]
    connections = Connections(store.connections, Plain(), LOOPBACK, clock=lambda: now[0])
    service = Connection(
        "service",
        f"{issuer}/token",
        client_id="tekil",
        client_secret=SECRET,
        revoke_url=f"{issuer}/token/revocation",
    )
    connections.put(service, BY)
    first = connections.token("service")
    assert connections.token("service") == first
    now[0] += 60
    second = connections.token("service")
    assert second != first
    assert connections.remove("service", BY)
    connections.close()
