"""From the letter to the proof: a colleague erases a person at the request desk, while the engine runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.erasure import erasure_routes
from tekil.config import Config
from tekil.console import create_app
from tekil.erasure import ErasureDesk
from tests.console.conftest import HTML, member, token
from tests.erasure.test_eraser import AYSE, BERK, TRACES
from tests.installation import Installation
from tests.ledgers import ledger_of

Client = TestClient[Any]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("desk")
    made = Installation(folder)
    made.say(*AYSE, *BERK)
    made.run()
    stop = threading.Event()
    loop = threading.Thread(target=made.engine.run, args=(stop, lambda error: None))
    loop.start()
    yield made
    stop.set()
    loop.join()
    made.close()


@pytest.fixture(scope="module")
def officer(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A privacy officer who has just shown a second factor."""
    root = tmp_path_factory.mktemp("officer")
    consents = ledger_of(installation.store, root)
    consents.tokens._vault = installation.vault
    desk = ErasureDesk(installation.engine, [root])
    app = create_app(
        installation.reads,
        installation.store,
        Config(root=root),
        [erasure_routes(desk, installation.store)],
        consents=consents,
        erasures=desk,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(installation.store, "privacy_officer"))
        yield client


def send(client: Client, seen: str, path: str, fields: dict[str, Any]) -> Any:
    form = {"form_token": token(client.get(seen).text), **fields}
    return client.post(path, data=form, follow_redirects=False)


@pytest.fixture(scope="module")
def request_page(officer: Client) -> str:
    form = {"identifier": "ayse@example.com", "kind": "erasure", "channel": "kep", "notes": "dilekçe"}
    answer = send(officer, "/requests", "/requests", form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_person_is_erased_at_the_desk_once_their_identity_is_verified(
    officer: Client, installation: Installation, request_page: str
) -> None:
    assert "kimlik doğrulanınca" in officer.get(request_page).text
    assert officer.get(f"{request_page}/erasure").status_code == 400
    send(officer, request_page, f"{request_page}/identity", {"identity": "verified"})
    assert f"{request_page}/erasure" in officer.get(request_page).text
    plan = officer.get(f"{request_page}/erasure").text
    assert "Başkalarının olaylarındaki anmalar" in plan
    assert "a•••@e•••.com" in plan
    assert "ayse@example.com" not in plan
    assert officer.get(f"{request_page}/proof.html").status_code == 404

    answer = send(officer, f"{request_page}/erasure", f"{request_page}/erasure", {"sure": "yes"})
    assert answer.status_code == 303, answer.text
    page = officer.get(request_page).text
    assert "Kabul edildi" in page
    assert "dilekçe" not in page
    proof = officer.get(f"{request_page}/proof.html").text
    assert "hiçbir şey bulunmadı" in proof
    told = officer.get(f"{request_page}/proof.json").json()
    assert [one for one in told["checked"] if one["found"]] == []
    assert not any(trace in page + proof + repr(told) for trace in TRACES)
    assert installation.rows("SELECT sum(erased) AS n FROM ledger")[0]["n"] == 3


def test_only_whoever_may_erase_is_offered_it(
    officer: Client, installation: Installation, request_page: str
) -> None:
    officer.cookies.set("tekil_session", member(installation.store, "marketer"))
    assert officer.get(f"{request_page}/erasure").status_code == 403
    officer.cookies.set("tekil_session", member(installation.store, "privacy_officer", factor=False))
    seen = officer.get("/requests").text
    answer = officer.post(f"{request_page}/erasure", data={"form_token": token(seen)}, follow_redirects=False)
    assert answer.headers["location"] == "/account/second-factor"


def test_programs_plan_erase_and_read_the_destruction_log(
    officer: Client, installation: Installation
) -> None:
    def key(*scopes: str) -> dict[str, str]:
        _, secret = installation.store.keys.create_api_key("test", list(scopes))
        return {"Authorization": f"Bearer {secret}", "Accept": "application/json"}

    ask: Callable[..., Any] = officer.post
    body = {"reference": "user_id:berk-1453"}
    assert ask("/v1/erasure/plan", json=body, headers=key("profiles:read")).status_code == 403
    plan = ask("/v1/erasure/plan", json=body, headers=key("erasure:run")).json()
    assert plan["persons"]
    assert ask("/v1/erasure/plan", json={"reference": "x:y"}, headers=key("erasure:run")).status_code == 400
    proof = ask(
        "/v1/erasure/apply",
        json={**body, "reason": "letter 9 of veli@example.com"},
        headers=key("erasure:run"),
    ).json()
    assert [one for one in proof["checked"] if one["found"]] == []
    again = ask("/v1/erasure/prove", json={**body, "scan": True}, headers=key("erasure:run")).json()
    assert again["scanned_at"]
    assert [one for one in again["checked"] if one["found"]] == []
    log = officer.get("/v1/destructions", headers=key("requests:read")).json()["destructions"]
    assert log[0]["reason"] == "letter 9 of v•••@e•••.com"
    one = officer.get(f"/v1/destructions/{log[0]['id']}", headers=key("requests:read")).json()
    assert one["proof"]["signature"] == again["signature"]
