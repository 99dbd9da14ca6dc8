"""Who gets in, how, and what a stranger can make the console do: nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.console.forms import inner_path
from tekil.store import Store
from tekil.store.failures import ACCOUNT_MAX
from tests.console.conftest import HTML, token

Client = TestClient[Any]
Send = Callable[..., Any]

INSIDE = ["/", "/people", "/people/x", "/sources", "/sources/web-shop", "/keys"]
INSIDE += ["/dictionary", "/dictionary/x", "/quality", "/quarantine"]
INSIDE = [
    "/",
    "/people",
    "/people/x",
    "/sources",
    "/sources/web-shop",
    "/keys",
    "/consents",
    "/consents/iys",
    "/requests",
    "/requests/x",
]


@pytest.mark.parametrize("path", [*INSIDE, "/people?q=a%26b"])
def test_a_stranger_is_led_to_the_door_and_back(visitor: Client, path: str) -> None:
    answer = visitor.get(path, follow_redirects=False)
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert place == "/sign-in" if path == "/" else place.startswith("/sign-in?next=%2F")


@pytest.mark.parametrize(
    "path", ["/live/now", "/live/chart.json", "/live/minutes.svg", "/sources/web-shop/now"]
)
def test_a_program_without_a_session_gets_no_figures(visitor: Client, path: str) -> None:
    answer = visitor.get(path, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")


def test_signing_in_leads_on_and_the_cookie_is_out_of_reach(
    visitor: Client, password: str, send: Send
) -> None:
    answer = send(
        visitor, "/sign-in?next=/keys", "/sign-in", {"name": "admin", "password": password, "next": "/keys"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("tekil_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert visitor.get("/").status_code == 200
    assert visitor.get("/sign-in", follow_redirects=False).headers["location"] == "/"


def test_by_https_the_cookie_travels_only_there(app: Litestar, password: str) -> None:
    with TestClient(app, base_url="https://tekil.example") as visitor:
        visitor.headers.update(HTML)
        form = {"form_token": token(visitor.get("/sign-in").text), "name": "admin", "password": password}
        answer = visitor.post("/sign-in", data=form, follow_redirects=False)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)


def test_a_wrong_password_is_refused_and_too_many_must_wait(
    visitor: Client, password: str, send: Send
) -> None:
    for _ in range(ACCOUNT_MAX):
        answer = send(visitor, "/sign-in", "/sign-in", {"name": "somebody", "password": "guess"})
        assert answer.status_code == 403
        assert "doğru değil" in answer.text
    answer = send(visitor, "/sign-in", "/sign-in", {"name": "somebody", "password": "guess"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    answer = send(visitor, "/sign-in", "/sign-in", {"name": "admin", "password": password})
    assert answer.status_code == 303


def test_signing_out_ends_the_session_itself(admin: Client, send: Send, store: Store) -> None:
    session = admin.cookies["tekil_session"]
    assert send(admin, "/keys", "/sign-out", {}).headers["location"] == "/sign-in"
    assert store.sessions.find(session) is None
    assert admin.get("/keys", follow_redirects=False).status_code == 303


FORMS = [
    ("/sources", {"name": "evil"}),
    ("/sources/web-shop/enabled", {"enabled": "no"}),
    ("/sources/web-shop/keys", {}),
    ("/sources/web-shop/keys/revoke", {"key": "x"}),
    ("/keys", {"name": "evil", "scope": "*"}),
    ("/keys/x/revoke", {}),
    ("/consents", {"identifier": "email:a@b.co", "choice": "marketing:email", "given": "yes"}),
    ("/preferences", {"language": "en"}),
    ("/sign-out", {}),
]


@pytest.mark.parametrize(("path", "fields"), FORMS)
def test_a_form_of_another_site_does_nothing(
    admin: Client, store: Store, path: str, fields: dict[str, str]
) -> None:
    before = (store.keys.sources(), store.keys.write_keys(), store.keys.api_keys())
    assert admin.post(path, data=fields, follow_redirects=False).status_code == 403
    assert (
        admin.post(path, data={**fields, "form_token": "0" * 64}, follow_redirects=False).status_code == 403
    )
    honest = {**fields, "form_token": token(admin.get("/keys").text)}
    foreign = admin.post(path, data=honest, headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=False)
    assert foreign.status_code == 403
    assert before == (store.keys.sources(), store.keys.write_keys(), store.keys.api_keys())
    assert admin.get("/keys").status_code == 200


@pytest.mark.parametrize(("path", "fields"), FORMS[:7])
def test_a_stranger_with_a_token_of_their_own_still_does_nothing(
    visitor: Client, store: Store, path: str, fields: dict[str, str]
) -> None:
    before = (store.keys.sources(), store.keys.write_keys(), store.keys.api_keys())
    form = {**fields, "form_token": token(visitor.get("/sign-in").text)}
    answer = visitor.post(path, data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert before == (store.keys.sources(), store.keys.write_keys(), store.keys.api_keys())


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "", "javascript:x", "/\t/e"],
)
def test_nobody_is_led_to_another_site(place: str) -> None:
    assert inner_path(place) == "/"
    assert inner_path("/people?q=a") == "/people?q=a"


def test_every_answer_forbids_code_that_is_not_ours(admin: Client) -> None:
    for path in ("/", "/nothing-here", "/healthz", "/v1/ledger"):
        policy = admin.get(path).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
