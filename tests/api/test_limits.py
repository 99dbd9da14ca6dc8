"""One caller's loop is answered 429, and everybody else as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from litestar.testing import TestClient

from tekil.config import Access, Config
from tekil.console import create_app
from tekil.store import Store
from tests.api.reads_double import FullShop


def test_a_loop_is_told_to_wait_and_holds_nobody_up(
    shop: FullShop, store: Store, root: Path, bearer: Callable[..., dict[str, str]]
) -> None:
    app = create_app(shop, store, Config(root=root, access=Access(requests_per_second=2)))
    looping, calm = bearer("ledger:read"), bearer("ledger:read")
    with TestClient(app) as client:
        answers = [client.get("/v1/ledger", headers=looping) for _ in range(20)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert answers[0].status_code == 200
        assert refused
        assert refused[0].json()["code"] == "too_many_requests"
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert refused[0].headers["retry-after"] == "1"
        assert client.get("/v1/ledger", headers=calm).status_code == 200
        # Whoever shows no key is counted by address, and gets a page if that is what they look for.
        pages = [client.get("/sign-in", headers={"Accept": "text/html"}) for _ in range(20)]
        assert pages[0].status_code == 200
        assert pages[-1].status_code == 429
        assert "text/html" in pages[-1].headers["content-type"]
        assert "requests_per_second" in pages[-1].text
        assert 'status="429"' in client.get("/metrics", headers=calm).text
