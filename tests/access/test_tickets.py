"""Tickets are good once, for whom they were given to, and not for long."""

from __future__ import annotations

import threading

import pytest

from tekil.access.tickets import LASTS_SECONDS, Tickets
from tekil.errors import BadRequest


def test_a_ticket_is_good_once_for_its_holder_and_its_purpose() -> None:
    tickets = Tickets()
    ticket = tickets.give("passkey", "ayse", b"content")
    assert b"content" not in ticket
    for purpose, holder, shown in [
        ("passkey", "veli", ticket),
        ("oidc", "ayse", ticket),
        ("passkey\0ayse", "", ticket),
        ("passkey", "ayse", ticket[:-1]),
        ("passkey", "ayse", ticket[:-1] + bytes([ticket[-1] ^ 1])),
        ("passkey", "ayse", b""),
        ("passkey", "ayse", b"short"),
    ]:
        with pytest.raises(BadRequest):
            tickets.take(purpose, holder, shown)
    assert tickets.take("passkey", "ayse", ticket) == b"content"
    with pytest.raises(BadRequest, match="begin again"):
        tickets.take("passkey", "ayse", ticket)
    with pytest.raises(BadRequest):
        Tickets().take("passkey", "ayse", tickets.give("passkey", "ayse"))


def test_a_ticket_ends_and_is_then_forgotten() -> None:
    clock = [1_000.0]
    tickets = Tickets(lambda: clock[0])
    first, second = tickets.give("x", "a"), tickets.give("x", "a")
    tickets.take("x", "a", first)
    assert len(tickets._taken) == 1
    clock[0] += LASTS_SECONDS
    with pytest.raises(BadRequest):
        tickets.take("x", "a", second)
    assert tickets._taken == {}


def test_of_many_who_show_one_ticket_at_once_one_gets_in() -> None:
    tickets = Tickets()
    ticket = tickets.give("x", "a")
    taken: list[bool] = []

    def take() -> None:
        try:
            tickets.take("x", "a", ticket)
            taken.append(True)
        except BadRequest:
            taken.append(False)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(True) == 1
