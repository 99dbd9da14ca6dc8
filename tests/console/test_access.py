"""Second factors, first passwords, attribute rules and sessions, as people meet them in the console."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.access.audit import Actor
from tekil.access.policy import Permission, parse_condition
from tekil.access.totp import STEP_SECONDS, code_at
from tekil.config import Access
from tekil.console import create_app
from tekil.console.account import qr_svg
from tekil.errors import BadRequest
from tekil.store import Store
from tekil.store.failures import ACCOUNT_MAX
from tests.api.reads_double import FullShop
from tests.console.conftest import HTML, configuration, member, token

Client = TestClient[Any]
Send = Callable[..., Any]
PASSWORD = "mavi minder pencere"
BY = Actor("system", "test")


def as_member(app: Litestar, session: str) -> Client:
    client = TestClient(app, raise_server_exceptions=False)
    client.headers.update(HTML)
    client.cookies.set("tekil_session", session)
    return client


def code(secret: str, ahead: int = 0) -> str:
    return code_at(secret.replace(" ", ""), int(time.time()) // STEP_SECONDS + ahead)


@pytest.fixture
def newcomer(store: Store) -> tuple[str, str]:
    """The name of somebody who was just added as an administrator, and their first password."""
    name = f"yeni-{time.monotonic_ns()}"
    return name, store.users.create(name, ["administrator"])


def test_from_the_first_password_to_the_first_key(
    visitor: Client, send: Send, newcomer: tuple[str, str], store: Store
) -> None:
    name, once = newcomer
    send(visitor, "/sign-in", "/sign-in", {"name": name, "password": once})
    # The one-time password opens nothing but the page where it is changed.
    for path in ("/", "/users", "/account"):
        assert visitor.get(path, follow_redirects=False).headers["location"] == "/account/password"
    form = {"old": once, "new": PASSWORD, "again": PASSWORD + "x"}
    here = "/account/password"
    assert "aynı değil" in send(visitor, here, here, form).text
    assert "en az 12" in send(visitor, here, here, {"old": once, "new": "kısa", "again": "kısa"}).text
    assert send(visitor, here, here, {**form, "again": PASSWORD}).headers["location"] == "/account"

    # A key wants a second factor first, and says so where the form would be.
    assert 'href="/account/second-factor"' in visitor.get("/keys").text
    asked = send(visitor, "/keys", "/keys", {"name": "x", "scope": "sql:read"})
    assert asked.headers["location"] == "/account/second-factor"
    here = "/account/second-factor"
    secret = re.search(r"<code>([A-Z2-7 ]{39})</code>", visitor.get(here).text)
    assert secret
    refused = send(visitor, here, here, {"code": "12345"})
    assert "doğru değil" in refused.text
    secret = re.search(r"<code>([A-Z2-7 ]{39})</code>", refused.text)
    assert secret
    form_token = token(refused.text)
    done = visitor.post(here, data={"form_token": form_token, "code": code(secret.group(1))})
    recovery = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done.text)
    assert len(set(recovery)) == 10
    assert recovery[0] not in visitor.get("/account").text
    made = send(visitor, "/keys", "/keys", {"name": "x", "scope": "sql:read", "days": "90"})
    assert re.search(r"<code>(tk_[\w-]+)</code>", made.text)

    # From now on the password alone leads to the question, and to nothing else.
    send(visitor, "/account", "/sign-out", {})
    send(visitor, "/sign-in", "/sign-in", {"name": name, "password": PASSWORD})
    assert visitor.get("/people", follow_redirects=False).headers["location"] == "/second-factor"
    assert visitor.get("/people", headers={"Accept": "*/*"}).json()["code"] == "second_factor_needed"
    assert send(visitor, "/second-factor", "/second-factor", {"code": "000000"}).status_code == 403
    right = {"code": code(secret.group(1), 1), "next": "//evil.example"}
    assert send(visitor, "/second-factor", "/second-factor", right).headers["location"] == "/"
    assert visitor.get("/people").status_code == 200


def test_a_recovery_code_opens_once_and_guessing_is_locked(visitor: Client, send: Send, store: Store) -> None:
    name = f"kayip-{time.monotonic_ns()}"
    store.users.change_password(name, store.users.create(name, ["analyst"]), PASSWORD, BY)
    secret = store.second_factors.enrol(name)
    recovery = store.second_factors.confirm(name, code(secret), BY)
    here = "/second-factor"
    for expected in (303, 403):
        send(visitor, "/sign-in", "/sign-in", {"name": name, "password": PASSWORD})
        assert send(visitor, here, here, {"code": recovery[0]}).status_code == expected
        if expected == 303:
            send(visitor, "/account", "/sign-out", {})
    answers = [send(visitor, here, here, {"code": "000000"}).status_code for _ in range(ACCOUNT_MAX)]
    assert answers[-1] == 429
    assert send(visitor, here, here, {"code": code(secret, 1)}).status_code == 429


def test_a_role_that_needs_a_second_factor_leads_its_people_to_one(
    store: Store, root: Path, shop: FullShop
) -> None:
    settings = msgspec.structs.replace(configuration(root), access=Access(second_factor=("auditor",)))
    strict = create_app(shop, store, settings)
    auditor = as_member(strict, member(store, "auditor", factor=False))
    assert auditor.get("/audit", follow_redirects=False).headers["location"] == "/account/second-factor"
    assert auditor.get("/account/second-factor").status_code == 200
    analyst = as_member(strict, member(store, "analyst", factor=False))
    assert analyst.get("/people").status_code == 200
    enrolled = as_member(strict, member(store, "auditor"))
    assert enrolled.get("/audit").status_code == 200
    form = {"form_token": token(enrolled.get("/account").text)}
    assert enrolled.post("/account/second-factor/off", data=form, follow_redirects=False).status_code == 403
    wrong = msgspec.structs.replace(settings, access=Access(second_factor=("king",)))
    with pytest.raises(BadRequest):
        create_app(shop, store, wrong)


def test_users_are_managed_by_who_may(chief: Client, send: Send, store: Store) -> None:
    name = f"ayse-{time.monotonic_ns()}"
    made = send(chief, "/users", "/users", {"name": name, "role": ["marketer"], "condition": "city=İzmir"})
    password = re.search(r'class="secret"><code>([\w-]{16})</code>', made.text)
    assert password
    assert password.group(1) not in chief.get("/users").text
    session = store.users.sign_in(name, password.group(1)) or ""
    here = f"/users/{name}"
    assert "city=İzmir" in chief.get(here).text
    send(chief, here, f"{here}/roles", {"role": ["sales", "analyst"]})
    assert store.users.get(name).roles == ("sales", "analyst")
    assert "En az bir rol" in send(chief, here, f"{here}/roles", {}).text
    assert "özellik, = ve" in send(chief, here, f"{here}/roles", {"role": "sales", "condition": "?"}).text
    assert "bir kullanıcı var" in send(chief, "/users", "/users", {"name": name, "role": "sales"}).text
    one = store.sessions.of(name)[0].id
    send(chief, here, f"{here}/sessions/{one}/end", {})
    assert store.sessions.find(session) is None
    reset = send(chief, here, f"{here}/password", {})
    assert "Yeni parola hazır" in reset.text
    send(chief, here, f"{here}/enabled", {"enabled": "no"})
    assert store.users.get(name).disabled
    send(chief, here, f"{here}/enabled", {"enabled": "yes"})
    send(chief, here, f"{here}/second-factor/off", {})
    assert chief.get("/users/nobody").status_code == 404


def test_somebody_with_a_rule_sees_only_their_people_and_no_trace_of_others(
    app: Litestar, store: Store, shop: FullShop
) -> None:
    cities = {card.person_id: card.as_dict()["traits"].get("city") for card in shop.cards}
    city = "Iğdır"
    inside = [p for p, c in cities.items() if c == city]
    outside = [p for p, c in cities.items() if c != city]
    assert inside
    assert outside
    reader = as_member(app, member(store, "marketer", condition=f"city={city}"))
    shown = set(re.findall(r'class="person-link" href="/people/(\w+)"', reader.get("/people").text))
    assert shown == set(inside[:50])
    assert f"{len(inside)} kişi" in reader.get("/people").text
    assert reader.get(f"/people/{inside[0]}").status_code == 200
    unknown = reader.get("/people/nobody-at-all").text.replace("nobody-at-all", "X")
    masked = re.compile(r'name="form_token" value="\w+"')
    for person in outside[:10]:
        answer = reader.get(f"/people/{person}")
        assert answer.status_code == 404
        assert masked.sub("", answer.text.replace(person, "X")) == masked.sub("", unknown)
        other = next(c for c in shop.cards if c.person_id == person)
        for identifier in other.identifiers:
            assert (
                person
                not in reader.get("/people", params={"q": identifier.value}).text.replace(
                    f'value="{identifier.value}"', ""
                )
                or person == identifier.value
            )
    moved = reader.get("/people/merged-away", follow_redirects=False)
    assert moved.status_code == (308 if shop.cards[0].person_id in inside else 404)
    for closed in ("/", "/live/now", "/live/chart.json"):
        assert reader.get(closed, headers={"Accept": "*/*"}).status_code == 403
    assert reader.get("/", follow_redirects=False).headers["location"] == "/people"


def test_a_key_with_a_rule_reads_only_its_people(app: Litestar, store: Store, shop: FullShop) -> None:
    _, secret = store.keys.create_api_key("x", ["*"], condition=parse_condition("city=Iğdır"))
    program = TestClient(app)
    program.headers["Authorization"] = f"Bearer {secret}"
    for card in shop.cards:
        inside = card.as_dict()["traits"].get("city") == "Iğdır"
        for path in (f"/v1/profiles/{card.person_id}", f"/v1/profiles/{card.person_id}/events"):
            assert program.get(path).status_code == (200 if inside else 404)
    for path in ("/v1/quarantine", "/v1/ledger", "/v1/audit", "/v1/sources"):
        assert program.get(path).json()["code"] == "key_narrowed"


def test_quarantined_messages_and_keys_are_shown_to_whom_they_concern(app: Litestar, store: Store) -> None:
    key = next(k.key for k in store.keys.write_keys() if k.source == "web-shop")
    seen = {
        role: as_member(app, member(store, role, factor=False)).get("/sources/web-shop").text
        for role in ("engineer", "marketer", "auditor")
    }
    assert {role: key in page for role, page in seen.items()} == {
        "engineer": True,
        "marketer": False,
        "auditor": False,
    }
    assert {role: "İleti türünü söylemiyor" in page for role, page in seen.items()} == {
        "engineer": True,
        "marketer": True,
        "auditor": False,
    }


def test_nobody_gives_a_key_more_than_they_may(chief: Client, send: Send, store: Store) -> None:
    before = len(store.keys.api_keys())
    assert send(chief, "/keys", "/keys", {"name": "x", "scope": "*"}).status_code == 400
    assert len(store.keys.api_keys()) == before


def test_a_key_is_renewed_in_the_console(chief: Client, send: Send, store: Store) -> None:
    made = send(chief, "/keys", "/keys", {"name": "yenilenen", "scope": "sql:read", "days": "30"})
    old = re.search(r"<code>(tk_[\w-]+)</code>", made.text)
    assert old
    key = store.keys.find_api_key(old.group(1))
    assert key
    assert key.expires_at
    renewed = send(chief, "/keys", f"/keys/{key.id}/rotate", {})
    new = re.search(r"<code>(tk_[\w-]+)</code>", renewed.text)
    assert new
    assert new.group(1) != old.group(1)
    assert "eski gizli değer" in renewed.text
    assert store.keys.find_api_key(new.group(1))
    assert send(chief, "/keys", "/keys/none/rotate", {}).status_code == 404


def test_a_session_brought_along_is_not_the_session_one_gets(
    visitor: Client, password: str, send: Send, store: Store, app: Litestar
) -> None:
    planted = member(store, "auditor", factor=False)
    visitor.cookies.set("tekil_session", "planted-by-somebody")
    form = {"form_token": token(visitor.get("/sign-in").text), "name": "admin", "password": password}
    answer = visitor.post("/sign-in", data=form, follow_redirects=False)
    assert "tekil_session=planted" not in str(answer.headers)
    assert store.sessions.find("planted-by-somebody") is None
    # One that was somebody's is over once another signs in over it.
    other = as_member(app, planted)
    form = {"form_token": token(other.get("/account").text), "name": "admin", "password": password}
    assert other.post("/sign-in", data=form, follow_redirects=False).status_code == 303
    assert store.sessions.find(planted) is None


@pytest.mark.parametrize("place", ["/a%0d%0aSet-Cookie: x=y", "//evil", "/\\evil", "https://evil", "/%0a/e"])
@pytest.mark.parametrize("door", ["/sign-in", "/second-factor"])
def test_no_way_onward_writes_a_header_or_leaves_the_house(chief: Client, door: str, place: str) -> None:
    answer = chief.get(f"{door}?next={place}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] in ("/", "/a%0D%0ASet-Cookie:%20x=y")
    assert "x=y" not in str(answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/0/..%2f..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/0/console.css%00",
        "/static/0/%2fetc%2fpasswd",
        "/static//etc/passwd",
    ],
)
def test_no_path_leads_out_of_our_files(visitor: Client, path: str) -> None:
    answer = visitor.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert "import" not in answer.text
    assert "root:" not in answer.text


def test_no_secret_is_ever_logged_or_shown_again(
    chief: Client, send: Send, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    name = f"sir-{time.monotonic_ns()}"
    made = send(chief, "/keys", "/keys", {"name": "sir", "scope": "audit:read"})
    key = re.search(r"<code>(tk_[\w-]+)</code>", made.text)
    added = send(chief, "/users", "/users", {"name": name, "role": "sales"})
    once = re.search(r'class="secret"><code>([\w-]{16})</code>', added.text)
    assert key
    assert once
    secrets = (key.group(1), once.group(1))
    chief.get("/v1/audit", headers={"Authorization": f"Bearer {secrets[0]}", "Accept": "application/json"})
    store.users.sign_in(name, secrets[1])
    pages = [chief.get(path).text for path in ("/keys", "/users", f"/users/{name}", "/audit", "/account")]
    pages += [chief.get("/metrics").text, caplog.text]
    pages += [entry.details for entry in store.audit.entries()]
    for secret in secrets:
        assert not [page for page in pages if secret in page]


def test_one_ends_ones_own_sessions(app: Litestar, store: Store) -> None:
    mine = member(store, "sales", factor=False)
    client = as_member(app, mine)
    found = store.sessions.find(mine)
    assert found
    page = client.get("/account").text
    assert "bu oturum" in page
    form = {"form_token": token(page)}
    ended = client.post(f"/account/sessions/{found[1].id}/end", data=form, follow_redirects=False)
    assert ended.status_code == 303
    assert client.get("/account", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_a_second_factor_is_turned_off_by_who_has_just_shown_it(
    app: Litestar, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = member(store, "sales")
    client = as_member(app, session)
    form = {"form_token": token(client.get("/account").text)}
    with monkeypatch.context() as later:
        later.setattr("tekil.console.gate.FRESH_US", -60_000_000)
        answer = client.post("/account/second-factor/off", data=form, follow_redirects=False)
        assert answer.headers["location"] == "/second-factor?next=%2Faccount"
    client.post("/account/second-factor/off", data=form, follow_redirects=False)
    found = store.sessions.find(session)
    assert found
    assert not found[0].has_second_factor


def test_the_picture_for_the_authenticator_is_plain_svg() -> None:
    drawn = qr_svg("otpauth://totp/a?secret=b")
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    assert "style=" not in drawn


def test_the_policy_is_shown_as_it_is_applied(chief: Client) -> None:
    page = chief.get("/roles").text
    assert page.count('scope="row"') == len(Permission)
    assert "Veri koruma görevlisi" in page
