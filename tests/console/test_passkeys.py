"""Passkeys as people meet them: added, shown as a second factor, signed in with, closed when copied."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.access.audit import Actor
from tekil.config import Access, Console
from tekil.console import create_app
from tekil.console.ceremonies import Ceremonies
from tekil.store import Store
from tekil.store.failures import ADDRESS_MAX
from tests.api.reads_double import FullShop
from tests.authenticator import Authenticator, b64
from tests.console.conftest import HTML, PASSWORD, configuration, member, token

Client = TestClient[Any]
Send = Callable[..., Any]
HERE = "/account/passkeys"
ORIGIN = "http://localhost:8001"


ASKED = json.dumps(
    {
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"userVerification": "required"},
        "challenge": "eA",
        "user": {"id": "eA"},
    }
)


def asked(page: str) -> str:
    """What a page asks of the browser."""
    found = re.search(r'data-passkey="([^"]+)"', page)
    assert found, page[:400]
    return html.unescape(found.group(1))


def at(app: Litestar, session: str = "") -> Client:
    client = TestClient(app, raise_server_exceptions=False)
    client.headers.update(HTML)
    if session:
        client.cookies.set("tekil_session", session)
    return client


def device() -> Authenticator:
    return Authenticator(ORIGIN, "localhost")


def add(client: Client, made: Authenticator, title: str = "Telefonum") -> Any:
    page = client.get(HERE).text
    form = {"form_token": token(page), "credential": made.make(asked(page)), "title": title}
    return client.post(HERE, data=form, follow_redirects=False)


def show(client: Client, path: str, made: Authenticator, action: str, **changes: Any) -> Any:
    page = client.get(path).text
    form = {"form_token": token(page), "credential": made.show(asked(page), **changes), "next": "/account"}
    return client.post(action, data=form, follow_redirects=False)


def sign_in(client: Client, made: Authenticator, **changes: Any) -> Any:
    return show(client, "/sign-in", made, "/sign-in/passkey", **changes)


@pytest.fixture
def holder(app: Litestar, store: Store) -> tuple[Client, Authenticator, str]:
    """An administrator whose only second factor is a passkey."""
    client, made = at(app, member(store, "administrator", factor=False)), device()
    assert add(client, made).headers["location"] == HERE
    name = store.passkeys.find(client_id(made)).user_name  # type: ignore[union-attr]
    return client, made, name


def client_id(made: Authenticator) -> str:
    return b64(made.id)


def acts(store: Store, name: str) -> list[str]:
    return [entry.act for entry in store.audit.entries() if entry.object_id == name]


def test_a_passkey_opens_what_needs_a_second_factor(
    holder: tuple[Client, Authenticator, str], store: Store, send: Send
) -> None:
    client, made, name = holder
    assert "Telefonum" in client.get(HERE).text
    # Adding it has verified its user: keys may be made at once.
    assert "Anahtar açıldı" in send(client, "/keys", "/keys", {"name": "x", "scope": "sql:read"}).text
    later = at(client.app, store.users.sign_in(name, PASSWORD) or "")
    assert later.get("/people", follow_redirects=False).headers["location"] == "/second-factor"
    page = later.get("/second-factor").text
    assert 'name="code"' not in page
    assert "JavaScript gerekir" in page
    assert show(later, "/second-factor", made, "/second-factor/passkey").headers["location"] == "/account"
    assert later.get("/people").status_code == 200
    assert store.passkeys.of(name)[0].sign_count == 1
    assert store.passkeys.of(name)[0].last_used_at
    assert "passkey.added" in acts(store, name)


def test_a_passkey_signs_in_without_name_password_or_code(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store, send: Send
) -> None:
    _, made, name = holder
    browser = at(app)
    answer = sign_in(browser, made)
    assert answer.headers["location"] == "/account"
    assert name in browser.get("/account").text
    assert send(browser, "/keys", "/keys", {"name": "x", "scope": "sql:read"}).status_code == 200
    cookies = " ".join(answer.headers.get_list("set-cookie"))
    assert "tekil_session=" in cookies
    assert "tekil_device=" in cookies
    entry = [e for e in store.audit.entries() if e.act == "session.started"][-1]
    assert (entry.actor, entry.details) == (name, '{"way":"passkey"}')


def test_an_answer_is_good_once_and_only_from_the_browser_that_was_asked(
    holder: tuple[Client, Authenticator, str], app: Litestar
) -> None:
    _, made, _ = holder
    browser, thief = at(app), at(app)
    page = browser.get("/sign-in").text
    form = {"form_token": token(page), "credential": made.show(asked(page))}
    stolen = {**form, "form_token": token(thief.get("/sign-in").text)}
    assert thief.post("/sign-in/passkey", data=stolen, follow_redirects=False).status_code == 403
    assert browser.post("/sign-in/passkey", data=form, follow_redirects=False).status_code == 303
    browser.cookies.delete("tekil_session")
    refused = browser.post("/sign-in/passkey", data=form, follow_redirects=False)
    assert refused.status_code == 403
    assert "Baştan başlayın" in refused.text


def test_a_challenge_that_tekil_never_gave_is_refused(
    holder: tuple[Client, Authenticator, str], app: Litestar
) -> None:
    _, made, _ = holder
    answer = sign_in(at(app), replace(made, client={"challenge": secrets.token_urlsafe(60)}))
    assert answer.status_code == 403
    assert asked(answer.text)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://localhost.evil.example"},
        {"rp_id": "evil.example"},
        {"flags": 1},
        {"id": b"nobody's"},
        {"handle": "another"},
        {"handle": ""},
    ],
)
def test_a_dishonest_answer_does_not_sign_in(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store, changes: dict[str, Any]
) -> None:
    _, made, name = holder
    answer = sign_in(at(app), replace(made, **changes))
    assert answer.status_code == 403
    assert "kabul edilmedi" in answer.text
    assert "tekil_session" not in " ".join(answer.headers.get_list("set-cookie"))
    assert store.passkeys.of(name)[0].sign_count == 0
    assert [e.act for e in store.audit.entries()][-1] == "passkey.refused"


def test_a_counter_that_goes_back_closes_the_passkey(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store
) -> None:
    client, made, name = holder
    copied = replace(made)
    assert sign_in(at(app), made).status_code == 303
    assert sign_in(at(app), made).status_code == 303
    assert sign_in(at(app), copied).status_code == 403
    # Which of the two is the copy nobody knows, so neither opens any more.
    assert sign_in(at(app), made).status_code == 403
    assert "passkey.suspect" in acts(store, name)
    assert "kopyası olabilir" in client.get(HERE).text
    assert store.users.get(name).passkeys == 0


def test_an_authenticator_that_does_not_count_is_as_good(app: Litestar, store: Store) -> None:
    client, made = at(app, member(store, "analyst", factor=False)), replace(device(), counts=False)
    add(client, made)
    assert [sign_in(at(app), made).status_code for _ in range(3)] == [303] * 3


def test_another_users_passkey_is_no_second_factor(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store
) -> None:
    _, made, _ = holder
    other = at(app, member(store, "administrator", factor=False))
    mine = device()
    add(other, mine)
    found = store.sessions.find(other.cookies["tekil_session"])
    assert found
    fresh = at(app, store.users.sign_in(found[0].name, PASSWORD) or "")
    assert show(fresh, "/second-factor", made, "/second-factor/passkey").status_code == 403
    assert show(fresh, "/second-factor", mine, "/second-factor/passkey").status_code == 303


def test_somebody_disabled_or_gone_does_not_come_in(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store
) -> None:
    _, made, name = holder
    by = Actor("system", "test")
    store.users.set_enabled(name, False, by)
    assert sign_in(at(app), made).status_code == 403
    store.users.set_enabled(name, True, by)
    assert sign_in(at(app), made).status_code == 303


def test_several_passkeys_have_names_and_are_removed_after_one_was_shown(
    holder: tuple[Client, Authenticator, str], app: Litestar, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, made, name = holder
    second = device()
    assert add(client, second, "<b>Yedek</b>").status_code == 303
    assert "&lt;b&gt;Yedek" in client.get(HERE).text
    assert add(client, second).status_code == 400
    assert store.passkeys.of(name)[0].handle == store.passkeys.of(name)[1].handle
    gone = f"{HERE}/{client_id(second)}/remove"
    form = {"form_token": token(client.get("/account").text)}
    stranger = at(app, member(store, "administrator"))
    others = {"form_token": token(stranger.get("/account").text)}
    assert stranger.post(gone, data=others, follow_redirects=False).status_code == 404
    with monkeypatch.context() as later:
        later.setattr("tekil.console.gate.FRESH_US", -60_000_000)
        assert client.post(gone, data=form, follow_redirects=False).headers["location"].startswith("/second")
        assert "data-passkey" not in client.get(HERE).text
        # A session that somebody left open gets no new passkey either.
        more = {**form, "credential": device().make(ASKED)}
        assert client.post(HERE, data=more, follow_redirects=False).headers["location"].startswith("/second")
    assert client.post(gone, data=form, follow_redirects=False).status_code == 303
    assert [passkey.title for passkey in store.passkeys.of(name)] == ["Telefonum"]
    assert sign_in(at(app), second).status_code == 403
    assert sign_in(at(app), made).status_code == 303


def test_a_role_that_must_have_a_passkey_is_led_to_one_and_gets_in_by_no_code(
    store: Store, root: Path, shop: FullShop, send: Send
) -> None:
    settings = msgspec.structs.replace(configuration(root), access=Access(passkey=("auditor",)))
    strict = create_app(shop, store, settings)
    auditor = at(strict, member(store, "auditor"))
    assert auditor.get("/audit", follow_redirects=False).headers["location"] == HERE
    made = device()
    assert add(auditor, made).status_code == 303
    assert auditor.get("/audit").status_code == 200
    found = store.sessions.find(auditor.cookies["tekil_session"])
    assert found
    later = at(strict, store.users.sign_in(found[0].name, PASSWORD) or "")
    assert 'name="code"' not in later.get("/second-factor").text
    assert send(later, "/second-factor", "/second-factor", {"code": "000000"}).status_code == 403
    assert show(later, "/second-factor", made, "/second-factor/passkey").status_code == 303
    form = {"form_token": token(later.get("/account").text)}
    kept = later.post(f"{HERE}/{client_id(made)}/remove", data=form, follow_redirects=False)
    assert kept.status_code == 403
    assert at(strict, member(store, "analyst", factor=False)).get("/people").status_code == 200


def test_an_administrator_helps_somebody_who_lost_theirs(
    holder: tuple[Client, Authenticator, str], chief: Client, send: Send, store: Store
) -> None:
    _, _, name = holder
    send(chief, f"/users/{name}", f"/users/{name}/second-factor/off", {})
    assert not store.users.get(name).has_second_factor


def test_passkeys_are_bound_to_the_address_people_use_and_never_to_what_a_request_says(
    store: Store, root: Path
) -> None:
    settings = configuration(root)
    assert Ceremonies(settings, store).party.origin == ORIGIN
    behind = msgspec.structs.replace(settings, console=Console(public_url="https://tekil.minder.example/"))
    party = Ceremonies(behind, store).party
    assert (party.id, party.origin) == ("tekil.minder.example", "https://tekil.minder.example")
    with at(create_app(FullShop(), store, behind)) as client:
        page = client.get("/sign-in", headers={"Host": "evil.example"}).text
    assert '"rpId": "tekil.minder.example"' in asked(page)


def test_trying_passkeys_without_end_is_stopped(app: Litestar) -> None:
    browser = at(app)
    page = browser.get("/sign-in").text
    form = {"form_token": token(page), "credential": "{}"}
    statuses = [
        browser.post("/sign-in/passkey", data=form, follow_redirects=False).status_code
        for _ in range(ADDRESS_MAX + 2)
    ]
    assert statuses[0] == 403
    assert statuses[-1] == 429
