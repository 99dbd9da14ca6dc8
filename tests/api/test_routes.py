"""A program asks the API about people, their events, the ledger and the warehouse."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from litestar.testing import TestClient

from tekil.reads import Reads
from tests.api.reads_double import FullShop

Client = TestClient[Any]
Bearer = Callable[..., dict[str, str]]


def test_the_double_reads_what_the_protocol_promises(shop: FullShop) -> None:
    reads: Reads = shop
    assert reads.people_count() > 0


def test_a_person_is_found_by_id_and_by_any_identifier(
    client: Client, bearer: Bearer, shop: FullShop
) -> None:
    card = shop.cards[2]
    headers = bearer("profiles:read")
    for reference in (card.person_id, *(f"{i.kind}:{i.value}" for i in card.identifiers)):
        answer = client.get(f"/v1/profiles/{quote(reference, safe='')}", headers=headers)
        assert answer.status_code == 200, reference
        body = answer.json()
        assert body["person_id"] == card.person_id
        assert {(i["kind"], i["value"]) for i in body["identifiers"]} == {
            (i.kind, i.value) for i in card.identifiers
        }
        assert body["traits"]["loyalty"]["tier"] == "gold"
        assert body["last_seen"].endswith("Z")


def test_a_value_with_a_slash_a_colon_and_a_percent_sign_is_one_reference(
    client: Client, bearer: Bearer, shop: FullShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    card = shop.cards[0]
    monkeypatch.setattr(shop, "profile", lambda reference, **_: (asked.append(reference), card)[1])
    for text in ("user_id:a/b:c", "user_id:100%2F", "email:ışıl+x@example.com", "user_id:İ", "user_id:a//b/"):
        answer = client.get(f"/v1/profiles/{quote(text, safe='')}", headers=bearer("*"))
        assert answer.status_code == 200
        assert asked[-1] == text
        answer = client.get(f"/v1/profiles/{quote(text, safe='')}/events", headers=bearer("*"))
        assert answer.status_code == 200
        assert asked[-1] == text


def test_a_merged_away_id_leads_to_the_person_it_became(
    client: Client, bearer: Bearer, shop: FullShop
) -> None:
    new = shop.cards[0].person_id
    headers = bearer("*")
    answer = client.get("/v1/profiles/merged-away", headers=headers, follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/v1/profiles/{new}"
    answer = client.get("/v1/profiles/merged-away/events?limit=3", headers=headers, follow_redirects=False)
    assert answer.headers["location"] == f"/v1/profiles/{new}/events?limit=3"


def test_events_come_newest_first_and_page_to_the_end(client: Client, bearer: Bearer, shop: FullShop) -> None:
    headers, path = bearer("events:read"), f"/v1/profiles/{shop.cards[0].person_id}/events"
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = client.get(
            path, headers=headers, params={"limit": 50, **({"cursor": cursor} if cursor else {})}
        )
        seen += page.json()["events"]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len(seen) == 120
    assert seen == sorted(seen, key=lambda event: event["occurred_at"], reverse=True)
    assert seen[0]["properties"]["sku"] == "KK-0"
    assert seen[0]["received_at"].endswith("Z")
    assert client.get(path, headers=headers, params={"cursor": "nonsense"}).json()["code"] == "cursor_invalid"


def test_the_ledger_balances_in_messages(client: Client, bearer: Bearer) -> None:
    body = client.get("/v1/ledger", headers=bearer("ledger:read")).json()
    for row in (body["total"], *body["sources"]):
        assert row["accepted"] == row["loaded"] + row["quarantined"] + row["duplicate"] + row["waiting"]
    assert set(body["total"]) == {"accepted", "loaded", "quarantined", "duplicate", "waiting", "erased"}


def test_a_source_is_made_switched_off_and_listed(client: Client, bearer: Bearer) -> None:
    headers = bearer("sources:write", "ledger:read")
    made = client.post("/v1/sources", headers=headers, json={"name": "kiosk"})
    assert made.status_code == 201
    assert made.json()["source"] == "kiosk"
    assert made.json()["key"]
    assert client.patch("/v1/sources/kiosk", headers=headers, json={"enabled": False}).status_code == 200
    listed = {s["name"]: s for s in client.get("/v1/sources", headers=headers).json()["sources"]}
    assert listed["kiosk"]["enabled"] is False
    assert listed["kiosk"]["accepted"] == 0
    assert listed["web-shop"]["accepted"] > 0
    refused = client.post("/v1/sources", headers=headers, json={"name": "No Good"})
    assert (refused.status_code, refused.json()["code"]) == (400, "source_name_invalid")


def test_quarantined_messages_say_why(client: Client, bearer: Bearer) -> None:
    answer = client.get("/v1/quarantine?source=web-shop&limit=2", headers=bearer("events:read"))
    assert [m["reasons"] for m in answer.json()["messages"]] == ["type_missing", "not_an_object"]


def test_sql_answers_json_and_no_column_hides_another(client: Client, bearer: Bearer) -> None:
    answer = client.post("/v1/sql", headers=bearer("sql:read"), json={"statement": "select 1"})
    assert answer.status_code == 200
    assert [column["name"] for column in answer.json()["columns"]] == ["n", "n_2", "at"]
    assert answer.json()["rows"] == [
        {"n": 1, "n_2": "AP8=", "at": "2026-01-02T00:00:00"},
        {"n": 2, "n_2": None, "at": None},
    ]


def test_sql_answers_an_arrow_stream_to_who_asks_for_one(client: Client, bearer: Bearer) -> None:
    headers = {**bearer("sql:read"), "Accept": "application/vnd.apache.arrow.stream"}
    answer = client.post("/v1/sql", headers=headers, json={"statement": "select 1"})
    assert answer.headers["content-type"].startswith("application/vnd.apache.arrow.stream")
    table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
    assert table.column(0).to_pylist() == [1, 2]


def test_sql_that_changes_anything_is_refused(client: Client, bearer: Bearer) -> None:
    answer = client.post("/v1/sql", headers=bearer("sql:read"), json={"statement": "drop table events"})
    assert (answer.status_code, answer.json()["code"]) == (400, "sql_not_select")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/profiles/user_id:1", "profiles:read"),
        ("GET", "/v1/profiles/user_id:1/events", "events:read"),
        ("GET", "/v1/ledger", "ledger:read"),
        ("GET", "/v1/sources", "ledger:read"),
        ("POST", "/v1/sources", "sources:write"),
        ("PATCH", "/v1/sources/x", "sources:write"),
        ("GET", "/v1/quarantine", "events:read"),
        ("POST", "/v1/sql", "sql:read"),
        ("GET", "/v1/audit", "audit:read"),
    ],
)
def test_each_route_asks_for_its_own_scope(
    client: Client, bearer: Bearer, method: str, path: str, scope: str
) -> None:
    every = {"profiles:read", "events:read", "ledger:read", "sql:read", "sources:write", "audit:read"}
    nobody = client.request(method, path)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "key_missing")
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    unknown = client.request(method, path, headers={"Authorization": "Bearer tk_wrong"})
    assert (unknown.status_code, unknown.json()["code"]) == (401, "key_unknown")
    lacking = client.request(method, path, headers=bearer(*(every - {scope})))
    assert (lacking.status_code, lacking.json()["code"]) == (403, "scope_missing")
    assert client.request(method, path, headers=bearer(scope)).status_code not in (401, 403)


def test_a_revoked_key_stops_working_within_seconds(
    client: Client, bearer: Bearer, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer("ledger:read")
    assert client.get("/v1/ledger", headers=headers).status_code == 200
    store.keys.revoke_api_key(store.keys.api_keys()[-1].id)
    monkeypatch.setattr("tekil.api.access.time.monotonic", lambda: 1e12)
    assert client.get("/v1/ledger", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "path_unknown"),
        ("DELETE", "/v1/ledger", 405, "method_not_allowed"),
        ("GET", "/v1/profiles/nobody", 404, "person_unknown"),
        ("GET", "/v1/profiles/nobody%00", 404, "not_found"),
        ("GET", "/v1/profiles/x/events?limit=0", 400, "invalid_request"),
        ("GET", "/v1/profiles/x/events?limit=many", 400, "invalid_request"),
        ("POST", "/v1/sql", 400, "invalid_request"),
        ("PATCH", "/v1/sources/unheard-of", 404, "source_unknown"),
    ],
)
def test_every_refusal_is_a_problem_document(
    client: Client, bearer: Bearer, method: str, path: str, status: int, code: str
) -> None:
    body = {"enabled": True} if method == "PATCH" else None
    answer = client.request(method, path, headers={**bearer("*"), "Accept": "text/html"}, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "instance"}
    assert (problem["status"], problem["code"]) == (status, code)


def test_what_is_down_says_so_and_when_to_ask_again(
    client: Client, bearer: Bearer, shop: FullShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    monkeypatch.setattr(shop, "down", True)
    answer = client.get("/v1/ledger", headers=bearer("*"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert "tekil_up 0.0" in client.get("/metrics").text


def test_a_fault_of_ours_tells_no_secret_but_a_mark_to_look_for(
    client: Client,
    bearer: Bearer,
    shop: FullShop,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(shop, "ledger", fail)
    answer = client.get("/v1/ledger", headers=bearer("*"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "hunter2" not in answer.text
    mark = answer.json()["detail"].split("mark ")[1].split(";")[0]
    assert any(mark in record.getMessage() for record in caplog.records)


def test_prometheus_reads_the_ledger_freshness_people_and_durations(client: Client) -> None:
    client.get("/healthz")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'tekil_ledger_messages{source="web-shop",state="accepted"}' in answer.text
    assert 'tekil_quarantined_messages{reason="type_missing",source="web-shop"}' in answer.text
    assert 'tekil_freshness_seconds{quantile="0.99"} 0.874' in answer.text
    assert "tekil_people 48211.0" in answer.text
    assert 'tekil_http_request_seconds_count{method="GET",route="/healthz",status="200"}' in answer.text


def test_the_document_describes_every_route_and_no_page(client: Client) -> None:
    document = json.loads(client.get("/openapi.json").content)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/v1/profiles/{reference}",
        "/v1/profiles/{reference}/events",
        "/v1/readiness",
        "/v1/definitions/plan",
        "/v1/definitions/apply",
        "/v1/profiles/{reference}/export",
        "/v1/ledger",
        "/v1/quarantine",
        "/v1/sources",
        "/v1/sources/{name}",
        "/v1/sql",
        "/v1/audit",
        "/v1/consents/{reference}",
        "/v1/consents/{reference}/permission",
        "/v1/consents/links",
        "/v1/leads",
        "/v1/leads/{lead_id}",
        "/v1/leads/{lead_id}/acts",
        "/v1/leads/{lead_id}/tasks",
        "/v1/leads/{lead_id}/tasks/{task_id}/done",
        "/v1/pipelines",
        "/v1/pipelines/{name}/board",
        "/v1/lead-times",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    sql = document["paths"]["/v1/sql"]["post"]["responses"]["200"]["content"]
    assert set(sql) == {"application/json", "application/vnd.apache.arrow.stream"}
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (operation, status)
