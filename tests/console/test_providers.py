"""Signing in by a provider, as people meet it: there and back, the first time and later, and out again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.access.audit import Actor
from tekil.config import Access, OutgoingSettings, ProviderSettings
from tekil.console import create_app
from tekil.store import Store
from tests.api.reads_double import FullShop
from tests.console.conftest import HTML, configuration
from tests.oidc.stand_in import CLIENT, SECRET, StandIn, serve
from tests.outgoing.loopback import ALLOW

Client = TestClient[Any]
Send = Callable[..., Any]
BY = Actor("system", "test")
ROLES = {"cdp-admins": ("administrator",), "cdp-sales": ("sales",)}
GO = "/sign-in/with/company"
BACK = f"{GO}/back"


@pytest.fixture(scope="module")
def shared() -> Iterator[StandIn]:
    made = StandIn()
    server = serve(made)
    yield made
    server.close()


@pytest.fixture
def stand_in(shared: StandIn) -> Iterator[StandIn]:
    shared.claims = {"preferred_username": f"ayse-{time.monotonic_ns()}"}
    shared.subject = f"subject-{time.monotonic_ns()}"
    yield shared
    shared.claims, shared.user_info, shared.metadata = {}, None, {}
    shared.signer, shared.algorithm, shared.broken = None, "RS256", {}


def application(store: Store, root: Path, *providers: ProviderSettings) -> Litestar:
    settings = msgspec.structs.replace(
        configuration(root), access=Access(providers=providers), outgoing=OutgoingSettings(ALLOW)
    )
    return create_app(FullShop(), store, settings)


@pytest.fixture(scope="module")
def company(shared: StandIn, store: Store, root: Path, password: str) -> Iterator[Litestar]:
    settings = ProviderSettings("company", shared.issuer, CLIENT, ROLES, title="Minder Evi hesabı")
    strict = msgspec.structs.replace(settings, name="invited", provision=False)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("COMPANY", "INVITED"):
            environment.setenv(f"TEKIL_OIDC_{name}_SECRET", SECRET)
        yield application(store, root, settings, strict)


def at(app: Litestar) -> Client:
    client = TestClient(app, raise_server_exceptions=False)
    client.headers.update(HTML)
    return client


def leave(client: Client, stand_in: StandIn, go: str = GO, goal: str = "/people") -> dict[str, str]:
    """Go to the provider and sign in there; return what comes back."""
    answer = client.get(go, params={"next": goal}, follow_redirects=False)
    assert answer.headers["location"].startswith(f"{stand_in.issuer}/authorize?"), answer.text
    return stand_in.sign_in(answer.headers["location"])


def come_back(client: Client, brought: dict[str, str], back: str = BACK) -> Any:
    return client.get(back, params=brought, follow_redirects=False)


def sign_in(client: Client, stand_in: StandIn) -> Any:
    return come_back(client, leave(client, stand_in))


def test_somebody_comes_for_the_first_time_and_again(
    company: Litestar, stand_in: StandIn, store: Store, send: Send
) -> None:
    client = at(company)
    page = client.get("/sign-in", params={"next": "/people"}).text
    assert "Minder Evi hesabı ile gir" in page
    assert f'href="http://localhost:8001{GO}?next=/people"' in page
    answer = sign_in(client, stand_in)
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    name = stand_in.claims["preferred_username"]
    user = store.users.get(name)
    assert (user.roles, user.must_change) == (("administrator",), False)
    assert client.get("/people").status_code == 200
    acts = [(e.act, e.actor) for e in store.audit.entries() if e.object_id == name]
    assert acts == [
        ("user.created", "provider company"),
        ("identity.linked", "provider company"),
        ("session.started", name),
    ]

    # Whatever they are called there later, they stay who they are here; their roles follow.
    stand_in.claims = {"preferred_username": "another", "groups": ["cdp-sales"]}
    again = at(company)
    assert sign_in(again, stand_in).status_code == 303
    assert store.users.get(name).roles == ("sales",)
    assert again.get("/users").status_code == 403

    # Keys and users are changed after a second factor of Tekil's own, however they came in.
    out = send(again, "/account", "/sign-out", {})
    assert out.headers["location"] == "/signed-out/company"
    signed_out = again.get("/signed-out/company").text
    assert f"{stand_in.issuer}/end?client_id=tekil&amp;post_logout_redirect_uri=" in signed_out
    assert again.get("/people", follow_redirects=False).headers["location"].startswith("/sign-in")


def test_no_password_opens_what_a_provider_made(company: Litestar, stand_in: StandIn, store: Store) -> None:
    sign_in(at(company), stand_in)
    for guess in ("", "!", "None", stand_in.subject):
        assert store.users.sign_in(stand_in.claims["preferred_username"], guess) is None


def test_an_answer_without_a_question_opens_nothing(company: Litestar, stand_in: StandIn) -> None:
    asked, other = at(company), at(company)
    brought = leave(asked, stand_in)
    refused = [
        come_back(other, brought),
        come_back(asked, {"code": brought["code"]}),
        come_back(at(company), {}),
    ]
    brought = leave(asked, stand_in)
    refused.append(come_back(asked, {**brought, "state": "made-up"}))
    for answer in refused:
        assert answer.status_code == 400
        assert "Baştan başlayın" in answer.text
        assert "tekil_session" not in str(answer.headers.get_list("set-cookie"))


def test_an_answer_opens_once(company: Litestar, stand_in: StandIn) -> None:
    client = at(company)
    brought = leave(client, stand_in)
    question = client.cookies["tekil_sign_on"]
    assert come_back(client, brought).status_code == 303
    assert "tekil_sign_on" not in client.cookies
    client.cookies.set("tekil_sign_on", question)
    assert come_back(client, brought).status_code == 400


def test_one_providers_answer_is_not_anothers(company: Litestar, stand_in: StandIn) -> None:
    client = at(company)
    brought = leave(client, stand_in)
    assert come_back(client, brought, "/sign-in/with/invited/back").status_code == 400


def test_the_browser_of_a_victim_is_not_signed_in_as_somebody_else(
    company: Litestar, stand_in: StandIn
) -> None:
    # Mallory signs in there, and lures Ayşe's browser to the address that came back (login CSRF).
    mallory, ayse = at(company), at(company)
    brought = leave(mallory, stand_in)
    leave(ayse, stand_in)
    assert come_back(ayse, brought).status_code == 400
    # Nor does a cookie that Mallory planted help: it is sealed for Mallory's browser.
    brought = leave(mallory, stand_in)
    ayse.cookies.set("tekil_sign_on", mallory.cookies["tekil_sign_on"])
    assert come_back(ayse, brought).status_code == 400


@pytest.mark.parametrize(
    ("lie", "text"),
    [
        ({"claims": {"nonce": "another"}}, "kabul edilmedi"),
        ({"algorithm": "none"}, "kabul edilmedi"),
        ({"claims": {"groups": ["visitors"]}}, "hiçbir rol"),
        ({"claims": {"preferred_username": "a b"}}, "64 harf"),
        ({"claims": {"preferred_username": None}}, "64 harf"),
        ({"claims": {"preferred_username": "<script>"}}, "64 harf"),
        ({"claims": {"preferred_username": "admin"}}, "Bu adda bir kullanıcı var"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    company: Litestar, stand_in: StandIn, store: Store, lie: dict[str, Any], text: str
) -> None:
    before = store.users.all()
    for name, value in lie.items():
        setattr(stand_in, name, value)
    answer = sign_in(at(company), stand_in)
    assert answer.status_code in (400, 403)
    assert text in answer.text
    assert store.users.all() == before


def test_somebody_whom_the_provider_turned_away_is_told_so(company: Litestar, stand_in: StandIn) -> None:
    client = at(company)
    state = leave(client, stand_in)["state"]
    brought = {"state": state, "error": "access_denied", "error_description": "<script>x</script>"}
    answer = come_back(client, brought)
    assert answer.status_code == 403
    assert "içeri almadı" in answer.text
    assert "<script>x" not in answer.text


def test_a_disabled_user_stays_out_whatever_the_provider_says(
    company: Litestar, stand_in: StandIn, store: Store
) -> None:
    client = at(company)
    sign_in(client, stand_in)
    store.users.set_enabled(stand_in.claims["preferred_username"], False, BY)
    assert client.get("/people", follow_redirects=False).status_code == 303
    answer = sign_in(at(company), stand_in)
    assert answer.status_code == 403
    assert "kapalı" in answer.text


def test_where_nobody_is_made_a_user_only_the_invited_come_in(
    company: Litestar, stand_in: StandIn, store: Store
) -> None:
    go = "/sign-in/with/invited"
    client = at(company)
    answer = come_back(client, leave(client, stand_in, go), f"{go}/back")
    assert answer.status_code == 403
    assert "henüz kullanıcınız yok" in answer.text
    name = f"veli-{time.monotonic_ns()}"
    store.users.create(name, ["sales"])
    store.identities.link(name, stand_in.issuer, stand_in.subject, BY)
    assert come_back(client, leave(client, stand_in, go), f"{go}/back").status_code == 303
    assert store.users.get(name).roles == ("administrator",)


def test_an_open_redirect_is_none(company: Litestar, stand_in: StandIn) -> None:
    client = at(company)
    brought = leave(client, stand_in, goal="https://evil.example")
    assert come_back(client, brought).headers["location"] == "/"


def test_a_provider_that_is_away_leaves_the_other_ways_open(
    company: Litestar, stand_in: StandIn, store: Store, root: Path
) -> None:
    nobody = ProviderSettings("company", "http://127.0.0.1:9", CLIENT, ROLES)
    client = at(application(store, root, nobody))
    answer = client.get(GO)
    assert answer.status_code == 503
    assert "ulaşılamıyor" in answer.text
    assert 'name="password"' in answer.text
    assert client.get("/signed-out/company").status_code == 200
    assert client.get("/sign-in/with/unknown").status_code == 404


def test_the_way_back_is_the_address_that_people_use_and_never_what_a_request_says(
    company: Litestar, stand_in: StandIn
) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = at(company).get(GO, headers=headers, follow_redirects=False)
    assert (
        "redirect_uri=http%3A%2F%2Flocalhost%3A8001%2Fsign-in%2Fwith%2Fcompany%2Fback"
        in (answer.headers["location"])
    )
    assert "evil" not in answer.headers["location"]
