"""Definitions over the API: planned and applied like on the command line, and on the audit trail."""

from __future__ import annotations

from typing import Any

from litestar.testing import TestClient

from tekil.store import Store
from tests.api.test_audit import Bearer

EVENT = "kind: event\nname: Signed Up\nspec: {stage: sign_up}\n"
RULE = "kind: retention\nname: old\nspec: {of: events, keep: 2 years}\n"


def send(client: TestClient[Any], path: str, headers: dict[str, str], text: str, **more: Any) -> Any:
    return client.post(f"/v1/definitions/{path}", json={"text": text, **more}, headers=headers)


def test_a_plan_changes_nothing_and_applying_does_what_it_said(
    client: TestClient[Any], bearer: Bearer, store: Store
) -> None:
    key = bearer("dictionary:write", "retention:write")
    planned = send(client, "plan", key, f"{EVENT}---\n{RULE}").json()["changes"]
    assert [(c["action"], c["kind"], c["name"]) for c in planned] == [
        ("new", "event", "Signed Up"),
        ("new", "retention", "old"),
    ]
    assert not [v for v in store.definitions.current() if v.name in ("Signed Up", "old")]
    assert send(client, "apply", key, f"{EVENT}---\n{RULE}", note="asked for").json()["changes"] == planned
    versions = store.definitions.history("retention", "old")
    assert [(v.version, v.note) for v in versions] == [(1, "asked for")]
    acts = [(e.act, e.object_id) for e in store.audit.page(_all(), 2)]
    assert acts == [("definition.changed", "old"), ("definition.changed", "Signed Up")]
    assert send(client, "apply", key, f"{EVENT}---\n{RULE}").json()["changes"] == []


def test_what_is_wrong_is_told_by_its_line(client: TestClient[Any], bearer: Bearer) -> None:
    answer = send(client, "plan", bearer("dictionary:write"), "kind: event\nname: A\nspec:\n  stage: lunch\n")
    assert (answer.status_code, answer.json()["code"]) == (400, "definitions_invalid")
    assert "text:4:" in answer.json()["detail"]
    assert send(client, "plan", bearer("dictionary:write"), "").json()["code"] == "definitions_missing"


def test_rules_that_destroy_ask_for_a_scope_of_their_own(
    client: TestClient[Any], bearer: Bearer, store: Store
) -> None:
    key = bearer("dictionary:write")
    for text, more in ((RULE.replace("2", "1"), {}), (EVENT, {"prune": True})):
        revision = store.definitions.revision()
        answer = send(client, "apply", key, text, **more)
        if store.definitions.current("retention"):
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
            assert store.definitions.revision() == revision


def test_a_note_that_names_a_customer_is_refused_and_nothing_changes(
    client: TestClient[Any], bearer: Bearer, store: Store
) -> None:
    revision = store.definitions.revision()
    key = bearer("dictionary:write")
    answer = send(client, "apply", key, EVENT.replace("Signed", "Typed"), note="for irem@example.com")
    assert (answer.status_code, answer.json()["code"]) == (400, "typed_personal")
    assert "irem@" not in answer.text
    assert store.definitions.revision() == revision


def _all() -> Any:
    from tekil.store.audit import Wanted

    return Wanted()
