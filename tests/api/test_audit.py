"""A program reads the audit trail, and what programs do is on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar.testing import TestClient

Client = TestClient[Any]
Bearer = Callable[..., dict[str, str]]


def test_what_a_key_does_is_on_record_under_its_id_without_values(
    client: Client, bearer: Bearer, store: Any
) -> None:
    headers = bearer("sql:read", "sources:write", "audit:read")
    key = store.keys.api_keys()[-1].id
    client.post("/v1/sql", headers=headers, json={"statement": "SELECT 1 WHERE 'ayse@x' = 'b'"})
    client.post("/v1/sources", headers=headers, json={"name": "watched"})
    client.patch("/v1/sources/watched", headers=headers, json={"enabled": False})
    told = client.get("/v1/audit", headers=headers, params={"actor": key}).json()["entries"]
    assert [e["act"] for e in told] == ["source.disabled", "write_key.created", "source.created", "sql.run"]
    assert {(e["actor_kind"], e["origin"]) for e in told} == {("key", "testclient")}
    assert told[3]["details"] == {"rows": 2, "statement": "SELECT ? WHERE ? = ?"}
    assert told[0]["at"].endswith("Z")
    span = {"actor": key, "since": told[2]["at"], "until": told[0]["at"]}
    within = client.get("/v1/audit", headers=headers, params=span).json()["entries"]
    assert within == told[1:3]
    for odd in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        assert client.get("/v1/audit", headers=headers, params={"since": odd}).status_code == 200


def test_the_trail_pages_to_its_beginning(client: Client, bearer: Bearer) -> None:
    headers, numbers, before = bearer("audit:read"), [], None
    while True:
        params = {"limit": 3, **({"before": before} if before else {})}
        page = client.get("/v1/audit", headers=headers, params=params).json()
        numbers += [entry["number"] for entry in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert numbers == list(range(numbers[0], 0, -1))
    assert client.get("/v1/audit?before=0", headers=headers).status_code == 400
