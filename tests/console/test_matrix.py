"""Every route × everybody who could ask: let in or refused exactly as the policy says.

The routes are the application's own, so a new one is held to its declaration the day it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from tekil.access.policy import ROLES, STEP_UP, Access, Permission, parse_condition
from tekil.api import FOR_ANYBODY, FOR_SIGNED_IN
from tekil.api.declared import Declared, declared
from tekil.console import create_app
from tekil.console.pages import NAV
from tekil.console.visit import form_token
from tekil.errors import Misconfigured
from tekil.store import Store
from tests.api.reads_double import FullShop
from tests.console.asking import Answer, Asker, asking
from tests.console.conftest import HTML, configuration, member

Client = TestClient[Any]

PLACES = {
    "{reference:str}": "nobody",
    "{name:str}": "no-such-thing",
    "{kind:str}": "audience",
    "{grade:str}": "none",
    "{stage:str}": "none",
    "{number:int}": "1",
    "{person_id:str}": "nobody",
    "{key_id:str}": "none",
    "{lead_id:str}": "none",
    "{task_id:str}": "none",
    "{request_id:str}": "none",
    "{link:str}": "none",
    "{session_id:str}": "none",
    "{passkey_id:str}": "none",
    "{provider:str}": "none",
    "{pair:str}": "none",
    "{enabled:str}": "disable",
    "{digest:str}": "000000000000",
}
NARROWED = "city=Atlantis"


def path_of(route: Declared) -> str:
    path = route.path
    for place, text in PLACES.items():
        path = path.replace(place, text)
    assert "{" not in path, f"say in PLACES what stands for {path}"
    return path


@pytest.fixture(scope="module")
def routes(app: Litestar) -> list[Declared]:
    found = list(declared(app))
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def sessions(store: Store, password: str) -> dict[str, str]:
    """A session for each role, and for each role narrowed by an attribute rule."""
    made = {role: member(store, role) for role in ROLES}
    return {**made, **{f"{role} narrowed": member(store, role, condition=NARROWED) for role in ROLES}}


@pytest.fixture(scope="module")
def browser(app: Litestar, password: str) -> Iterator[Client]:
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        yield client


@pytest.fixture(scope="module")
def asker(app: Litestar, password: str) -> Iterator[Asker]:
    with asking(app) as opened:
        yield opened


def ask(asker: Asker, route: Declared, session: str = "", bearer: str = "") -> Answer:
    """Ask for a route as somebody would; a form has its token, so that only the policy can refuse it."""
    cookies = {"tekil_session": session} if session else {}
    headers = {**HTML, "Accept": "*/*", **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
    form = {}
    if route.method == "POST" and not route.by_key:
        cookies["tekil_visitor"] = "v"
        form = {"form_token": form_token("v", session)}
    return asker.ask(route.method, path_of(route), headers, cookies, form)


REFUSALS = {
    "sign_in_needed",
    "permission_missing",
    "scope_missing",
    "key_missing",
    "key_narrowed",
    "form_stale",
}


def refusal(answer: Answer) -> str:
    """Why somebody was refused, empty where the route let them in, whatever it then answered."""
    if "problem+json" not in answer.headers.get("content-type", ""):
        return ""
    code = str(answer.json()["code"])
    return code if code in REFUSALS else ""


@pytest.mark.parametrize("narrowed", [False, True], ids=["", "narrowed"])
@pytest.mark.parametrize("role", ROLES)
def test_pages_open_for_each_role_as_the_policy_says(
    asker: Asker, routes: list[Declared], store: Store, role: str, narrowed: bool
) -> None:
    session = member(store, role, condition=NARROWED if narrowed else "")
    wrong = []
    for route in routes:
        # Signing out would end the very session that the next question is asked with.
        if route.by_key or route.path in ("/sign-out", "/sign-in"):
            continue
        if isinstance(route.access, Access):
            held = route.access.permission in ROLES[role]
            open_ = held and (not narrowed or route.access.keeps_to_condition)
        else:
            open_ = True
        said = refusal(ask(asker, route, session))
        if said != ("" if open_ else "permission_missing"):
            wrong.append((route.method, route.path, said))
    assert wrong == []


def test_nobody_gets_in_without_a_session_but_where_anybody_may(asker: Asker, routes: list[Declared]) -> None:
    for route in routes:
        said = refusal(ask(asker, route))
        if route.by_key:
            assert said == "key_missing", route
        else:
            assert said == ("" if route.access == "anybody" else "sign_in_needed"), route
        if not route.by_key:
            assert refusal(ask(asker, route, session="made-up")) == said or route.method == "POST", route


def test_a_key_opens_only_what_its_scope_names_and_no_page(
    asker: Asker, routes: list[Declared], store: Store
) -> None:
    keys = {p: store.keys.create_api_key("matrix", [p])[1] for p in Permission}
    for route in routes:
        for permission, key in keys.items():
            said = refusal(ask(asker, route, bearer=key))
            if route.by_key:
                assert isinstance(route.access, Access)
                assert said == ("" if route.access.permission == permission else "scope_missing"), route
            else:
                assert said == ("" if route.access == "anybody" else "sign_in_needed"), route


def test_a_narrowed_key_reads_only_where_the_route_keeps_to_its_rule(
    asker: Asker, routes: list[Declared], store: Store
) -> None:
    _, key = store.keys.create_api_key("matrix", ["*"], condition=parse_condition(NARROWED))
    for route in routes:
        if route.by_key and isinstance(route.access, Access):
            said = refusal(ask(asker, route, bearer=key))
            assert said == ("" if route.access.keeps_to_condition else "key_narrowed"), route


def test_a_session_is_no_key(asker: Asker, routes: list[Declared], sessions: dict[str, str]) -> None:
    for route in routes:
        if route.by_key:
            assert refusal(ask(asker, route, session=sessions["administrator"])) == "key_missing", route


def test_every_form_is_refused_without_its_token_whoever_sends_it(
    browser: Client, routes: list[Declared], sessions: dict[str, str], store: Store
) -> None:
    before = store.audit.head()
    for route in routes:
        # A token is asked for by a program, with a key's secret in the request itself.
        if route.method != "POST" or route.by_key or route.path.startswith("/v1/"):
            continue
        # A mail program's one click (RFC 8058) comes with nothing but the signed link.
        if route.path == "/consent/{link:str}/unsubscribe":
            continue
        browser.cookies.set("tekil_session", sessions["administrator"])
        answer = browser.post(path_of(route), data={}, headers={"Accept": "*/*"}, follow_redirects=False)
        assert (answer.status_code, answer.json()["code"]) == (403, "form_stale"), route
    assert store.audit.head() == before


def test_keys_and_users_are_changed_only_after_a_second_factor(
    asker: Asker, routes: list[Declared], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = member(store, "administrator", factor=False)
    old = member(store, "administrator")
    for route in routes:
        if route.by_key or route.method != "POST" or not isinstance(route.access, Access):
            continue
        asked = route.access.permission in STEP_UP
        answer = ask(asker, route, without)
        assert (answer.status_code == 403 and answer.json()["code"] == "second_factor_needed") is asked, route
        with monkeypatch.context() as later:
            later.setattr("tekil.console.gate.FRESH_US", -60_000_000)
            answer = ask(asker, route, old)
        assert (answer.status_code == 403 and answer.json()["code"] == "second_factor_needed") is asked, route


def test_the_way_around_leads_only_where_the_reader_may_go(
    browser: Client, routes: list[Declared], sessions: dict[str, str]
) -> None:
    declarations = {route.path: route.access for route in routes if route.method == "GET"}
    leads = {path: access for _, entries in NAV for _, path, access in entries}
    assert {path: declarations[path] for path in leads} == leads
    for who, session in sessions.items():
        browser.cookies.set("tekil_session", session)
        home = browser.get("/", headers=HTML)
        assert home.status_code == 200, who
        for path in leads:
            offered = f'href="{path}"' in home.text.split("<nav")[1].split("</nav>")[0]
            opens = browser.get(path, headers={"Accept": "*/*"}).status_code == 200
            assert offered is opens, (who, path)


def test_a_route_that_declares_nothing_keeps_tekil_from_starting(store: Store, root: Path) -> None:
    @get("/open-to-whom")
    async def undeclared() -> str:
        return ""

    @get("/open-to-anybody", opt=FOR_ANYBODY)
    async def declaring() -> str:
        return ""

    with pytest.raises(Misconfigured, match="/open-to-whom does not declare"):
        create_app(FullShop(), store, configuration(root), [undeclared])
    assert create_app(FullShop(), store, configuration(root), [declaring])
    assert FOR_ANYBODY != FOR_SIGNED_IN
