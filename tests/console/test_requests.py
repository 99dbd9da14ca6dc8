"""The request desk in the console, from the letter to the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.requests import SubjectRequest
from tests.api.reads_double import SCRIPT, FullShop

Client = TestClient[Any]
Send = Callable[..., Any]


@pytest.fixture(autouse=True)
def _published(store: Store, shop: FullShop) -> None:
    store.cards.publish([], shop.cards, 1)


def take_in(admin: Client, send: Send, email: str, kind: str = "access") -> str:
    form = {"identifier": email, "kind": kind, "channel": "kep", "notes": "dilekçe 12"}
    answer = send(admin, "/requests", "/requests", form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def email_of(shop: FullShop, number: int) -> str:
    return next(i.value for i in shop.cards[number].identifiers if i.kind == "email")


def test_a_request_is_taken_in_checked_exported_and_answered(
    admin: Client, send: Send, shop: FullShop
) -> None:
    email = email_of(shop, 2)
    path = take_in(admin, send, email)
    page = admin.get(path).text
    assert "dilekçe 12" in page
    assert "KEP" in page
    assert email not in page
    assert "kaldı" in admin.get("/requests").text
    assert admin.get(f"{path}/export.json").status_code == 400
    refused = send(admin, path, f"{path}/close", {"decision": "granted"})
    assert refused.status_code == 400
    assert "kimlik kontrolünü" in refused.text
    assert send(admin, path, f"{path}/identity", {"identity": "verified"}).status_code == 303
    told = admin.get(f"{path}/export.json").json()
    assert told["profile"]["person_id"] == shop.cards[2].person_id
    assert told["events"]
    assert [one["kind"] for one in told["requests"]] == ["access"]
    assert (
        send(admin, path, f"{path}/close", {"decision": "granted", "notes": "gönderildi"}).status_code == 303
    )
    page = admin.get(path).text
    assert "Kabul edildi" in page
    assert "gönderildi" in page
    assert path not in re.findall(r'href="(/requests/\w+)"><strong>', admin.get("/requests").text)


def test_the_readable_export_stands_alone_and_runs_nothing(admin: Client, send: Send, shop: FullShop) -> None:
    path = take_in(admin, send, email_of(shop, 1))
    send(admin, path, f"{path}/identity", {"identity": "verified"})
    answer = admin.get(f"{path}/export.html")
    assert answer.headers["content-disposition"] == 'attachment; filename="person.html"'
    assert SCRIPT not in answer.text
    assert "<script" not in answer.text
    assert "/static/" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "Hakkınızda tutulan veriler" in answer.text
    assert "max-width" in answer.text


def test_a_granted_objection_shows_in_the_consents(admin: Client, send: Send, shop: FullShop) -> None:
    email = email_of(shop, 4)
    path = take_in(admin, send, email, "objection")
    send(admin, path, f"{path}/identity", {"identity": "verified"})
    send(admin, path, f"{path}/close", {"decision": "granted", "notes": ""})
    assert "Profil çıkarma" in admin.get(f"/people/{shop.cards[4].person_id}").text


@pytest.mark.parametrize(
    "form",
    [
        {"identifier": "", "kind": "access", "channel": "email"},
        {"identifier": "a@b.co", "kind": "wishes", "channel": "email"},
        {"identifier": "a@b.co", "kind": "access", "channel": "pigeon"},
    ],
)
def test_what_cannot_be_taken_in_is_said(admin: Client, send: Send, form: dict[str, str]) -> None:
    assert send(admin, "/requests", "/requests", form).status_code == 400


def test_a_request_about_nobody_has_nothing_to_export(admin: Client, send: Send) -> None:
    path = take_in(admin, send, "kimse@example.com")
    assert "bilinen kimse yok" in admin.get(path).text
    send(admin, path, f"{path}/identity", {"identity": "verified"})
    assert admin.get(f"{path}/export.json").status_code == 404
    assert admin.get("/requests/nothing").status_code == 404


def test_the_desk_warns_of_what_is_due(admin: Client, store: Store) -> None:
    now = now_us()
    for name, due_at in (
        ("late", now - 1),
        ("soon", now + 86_400_000_000),
        ("far", now + 20 * 86_400_000_000),
    ):
        store.requests.add(SubjectRequest(name, "access", "email", "t", now, due_at, "email"))
    page = admin.get("/requests").text
    assert "1 başvurunun yanıt süresi geçti." in page
    assert "1 başvurunun süresi yedi gün içinde doluyor." in page
    store.requests.change("late", status="closed", decision="refused", closed_at=now)
    assert "süresi geçti" not in admin.get("/requests").text
