"""What a stranger, or a colleague with bad intentions, can send: every route is tried with every trick."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar

from tekil.access.audit import Actor
from tekil.access.policy import parse_condition
from tekil.api.declared import Declared, declared
from tekil.console.visit import form_token
from tekil.store import Store
from tests.attacks.conftest import BREAKING, HOSTILE, SCRIPT, Client, unique
from tests.console.conftest import token
from tests.console.test_matrix import path_of

BY = Actor("user", "<b>bold</b>", "<i>here</i>")
INJECTED = "x\r\nX-Injected: yes\r\nSet-Cookie: owned=1"
ENDS_SESSION = "/sign-out"
INSIDE = re.compile(r"/(?![/\\])[^\\]*$")
LEADS_OUT = re.compile(r'(?:href|action|src)="(?!/|#|http://localhost)[^"]*evil')
PLACES = re.compile(r"\{[a-z_]+:str\}")


@pytest.fixture(scope="module")
def routes(app: Litestar) -> list[Declared]:
    found = list(declared(app))
    assert len(found) > 60
    return found


@pytest.fixture(scope="module", autouse=True)
def hostile_decisions(store: Store) -> None:
    """What people decide here holds markup too, wherever it may."""
    store.keys.create_api_key(HOSTILE[:120], ["sql:read"], BY, condition=parse_condition(f"city={SCRIPT}"))
    name = unique("narrowed")
    store.users.create(name, ["sales"], parse_condition(f"city={BREAKING}"), BY)
    store.sessions.of(name)


def form(client: Client, **fields: str) -> dict[str, str]:
    """A form's fields with its token, for a client whose session stays."""
    client.cookies.set("tekil_visitor", "v")
    return {"form_token": form_token("v", client.cookies.get("tekil_session", "")), **fields}


def pages(routes: list[Declared]) -> list[Declared]:
    return [route for route in routes if route.method == "GET" and not route.by_key]


def people(client: Client) -> Iterator[str]:
    """The pages of single things, as the lists link to them."""
    for path in ("/people", "/users", "/sources", "/dictionary"):
        found = re.findall(rf'href="({path}/[^"#?]+)"', client.get(path).text)
        yield from found[:2]


def test_no_page_carries_out_what_people_wrote(chief: Client, routes: list[Declared]) -> None:
    paths = [path_of(route) for route in pages(routes)] + list(people(chief))
    shown = 0
    for path in paths:
        answer = chief.get(path, params={"q": HOSTILE, "search": HOSTILE, "next": HOSTILE, "actor": HOSTILE})
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        shown += "alert(1)" in answer.text
        for trick in (SCRIPT, "<img src=x", "<svg/onload", "<b>bold", "<i>here"):
            assert trick not in answer.text, (path, trick)
        policy = answer.headers["content-security-policy"]
        assert "'unsafe" not in policy
        assert not re.search(r"<[^>]+\son\w+=", re.sub(r'"[^"]*"', '""', answer.text)), path
    assert shown > 8


def test_a_template_is_text(chief: Client) -> None:
    asked = "{{ 6 * 7 }}{% if 1 %}"
    assert asked in chief.get("/people", params={"q": asked}).text
    assert "{{ 6 * 7 }}{% raw %}{{ visit }}" in chief.get("/people").text


def test_no_route_lets_a_line_into_its_headers(
    chief: Client, stranger: Client, routes: list[Declared]
) -> None:
    tried = 0
    for route in routes:
        path = PLACES.sub(quote(INJECTED, safe=""), route.path)
        fields = dict.fromkeys(
            ("next", "name", "q", "language", "theme", "title", "condition", "note", "state"), INJECTED
        )
        for client in (stranger, chief):
            if route.path == ENDS_SESSION and client is chief:
                continue
            tried += 1
            sent = {"data": form(client, **fields)} if route.method == "POST" else {"params": fields}
            headers = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https, x", "Accept-Language": "tr"}
            answer = client.request(route.method, path, headers=headers, follow_redirects=False, **sent)
            assert "x-injected" not in answer.headers, route
            raw = [value for _, value in answer.headers.multi_items()]
            assert not any("\r" in value or "\n" in value for value in raw), route
            assert "owned" not in answer.cookies, route
    assert tried > 100


OUTSIDE = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "///evil.example",
    "@evil.example",
    "/%0a/evil.example",
]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_route_leads_anybody_to_another_site(
    chief: Client, stranger: Client, routes: list[Declared], every: bool
) -> None:
    here = [route for route in routes if not route.by_key and route.path != ENDS_SESSION]
    for number, route in enumerate(here):
        # Each route meets one of the tricks on every run, and all of them where there is time.
        for place in OUTSIDE if every else [OUTSIDE[number % len(OUTSIDE)]]:
            for client in (stranger, chief):
                posts = route.method == "POST"
                sent = {"data": form(client, next=place)} if posts else {"params": {"next": place}}
                answer = client.request(route.method, path_of(route), follow_redirects=False, **sent)
                location = answer.headers.get("location", "/")
                assert INSIDE.match(location), (route, place, location)
                assert not LEADS_OUT.search(answer.text), (route, place)


@pytest.mark.parametrize("place", OUTSIDE)
@pytest.mark.parametrize("path", ["/preferences", "/second-factor", "/sign-in"])
def test_no_page_that_leads_on_leads_out(chief: Client, path: str, place: str) -> None:
    if path == "/preferences":
        answer = chief.post(path, data=form(chief, next=place), follow_redirects=False)
    else:
        answer = chief.get(path, params={"next": place}, follow_redirects=False)
    # What a browser would not decode is a page of ours that does not exist.
    assert answer.headers["location"] == (place if "%0a" in place else "/")


def test_a_form_of_another_site_is_refused_by_every_route(
    chief: Client, routes: list[Declared], store: Store
) -> None:
    before = store.audit.head()
    tried = 0
    for route in routes:
        if route.method != "POST" or route.by_key or route.path.startswith("/v1/"):
            continue
        if route.path == "/consent/{link:str}/unsubscribe":
            continue  # RFC 8058: a mail program sends it, and the signed link says who asks
        tried += 1
        good = form(chief)
        attempts: list[tuple[dict[str, str], dict[str, str]]] = [
            ({}, {}),
            ({"form_token": "0" * 64}, {}),
            ({"form_token": form_token("v", "another session")}, {}),
            ({"form_token": form_token("another", chief.cookies["tekil_session"])}, {}),
            (good, {"Sec-Fetch-Site": "cross-site"}),
            (good, {"Sec-Fetch-Site": "same-site"}),
        ]
        for fields, headers in attempts:
            asked = {"Accept": "*/*", **headers}
            answer = chief.post(path_of(route), data=fields, headers=asked, follow_redirects=False)
            assert (answer.status_code, answer.json()["code"]) == (403, "form_stale"), (route, fields)
    assert tried > 20
    assert store.audit.head() == before


CLIMBS = [
    "../tekil.toml",
    "..%2ftekil.toml",
    "..%5ctekil.toml",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "....//etc/passwd",
    "console.css/../../app.py",
    "%00console.css",
    "console.css%00.js",
    "/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
]


@pytest.mark.parametrize("climb", CLIMBS)
def test_nobody_climbs_out_of_the_folder_of_our_files(stranger: Client, climb: str) -> None:
    page = stranger.get("/sign-in").text
    found = re.search(r'href="(/static/[0-9a-f]{12}/)console.css"', page)
    assert found
    for below in (found.group(1), "/static/", "/static/0/", "/v1/profiles/", "/signed-out/"):
        answer = stranger.get(f"{below}{climb}", headers={"Accept": "*/*"}, follow_redirects=False)
        assert answer.status_code in (400, 401, 404), (below, answer.status_code)
        assert "root:" not in answer.text
        assert "def " not in answer.text


def test_a_session_that_was_planted_is_not_taken_over(stranger: Client, store: Store) -> None:
    name = unique("ayse")
    password = store.users.create(name, ["sales"])
    planted = "planted-by-mallory"
    stranger.cookies.set("tekil_session", planted)
    fields = {"form_token": token(stranger.get("/sign-in").text), "name": name, "password": password}
    stranger.cookies.set("tekil_session", planted)
    answer = stranger.post("/sign-in", data=fields, follow_redirects=False)
    assert answer.status_code == 303
    given = answer.cookies["tekil_session"]
    assert given != planted
    assert store.sessions.find(planted) is None
    # The session of whoever sat there before is over, not only out of sight.
    stranger.cookies.set("tekil_session", given)
    again = {**fields, "form_token": form_token(stranger.cookies["tekil_visitor"], given)}
    assert stranger.post("/sign-in", data=again, follow_redirects=False).cookies["tekil_session"] != given
    assert store.sessions.find(given) is None


def test_a_narrowing_takes_hold_in_sessions_that_are_open(
    app: Litestar, stranger: Client, store: Store
) -> None:
    name = unique("veli")
    store.users.create(name, ["administrator"], None, BY)
    store.users.change_password(name, store.users.reset_password(name, BY), "mavi minder pencere", BY)
    stranger.cookies.set("tekil_session", store.users.sign_in(name, "mavi minder pencere") or "")
    assert stranger.get("/users").status_code == 200
    store.users.set_roles(name, ["sales"], None, BY)
    assert stranger.get("/users").status_code == 403
    store.users.set_enabled(name, False, BY)
    assert stranger.get("/people", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_no_answer_or_metric_repeats_a_secret_that_was_sent(
    chief: Client, store: Store, caplog: pytest.LogCaptureFixture, routes: list[Declared], shop: Any
) -> None:
    caplog.set_level("INFO", logger="tekil")
    _, key = store.keys.create_api_key("leaky", ["*"])
    session = chief.cookies["tekil_session"]
    seen: list[str] = []
    for down in (False, True):
        shop.down = down
        for route in routes:
            if route.path == ENDS_SESSION or (route.method == "POST" and not route.by_key):
                continue
            headers = {"Authorization": f"Bearer {key}", "Accept": "*/*"}
            answer = chief.request(route.method, path_of(route), headers=headers, follow_redirects=False)
            seen.append(answer.text + str(answer.headers))
    shop.down = False
    for path in ("/healthz", "/readyz", "/metrics"):
        seen.append(chief.get(path).text)
    wrong = chief.post("/v1/oauth/token", data={"client_id": "x", "client_secret": f"{key}x"})
    seen.append(wrong.text)
    said = " ".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    for secret in (key, session):
        assert secret not in said
        assert not any(secret in text for text in seen)
