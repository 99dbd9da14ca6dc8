"""A person of whom nothing may be found anywhere but in the vault, and a search for their traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CANARY = {
    "email": "kanarya@minder.example",
    "phone": "0532 765 43 21",
    "name": "Kanarya Sarıkuş",
    "tckn": "10000000146",
    "iban": "TR33 0006 1005 1978 6457 8413 26",
    "card": "4111 1111 1111 1111",
    "address": "Kuş Sokağı 7",
}
"""A person of whom nothing may be found anywhere but in the vault."""

PLANTED: list[dict[str, Any]] = [
    {"type": "identify", "userId": "k-1", "traits": {**CANARY, "plan": "gold"}},
    {"type": "identify", "userId": CANARY["email"], "traits": {"name": CANARY["name"]}},
    {
        "type": "track",
        "event": f"Mail {CANARY['email']}",
        "userId": "k-1",
        "properties": {
            "note": " ".join(CANARY.values()).replace(CANARY["name"], "").replace(CANARY["address"], "")
        },
    },
    {
        "type": "track",
        "event": "Order",
        "anonymousId": "a",
        "properties": {
            "shipping": {"fullName": CANARY["name"], "street": CANARY["address"]},
            "card_number": CANARY["card"],
        },
    },
    {
        "type": "page",
        "anonymousId": "a",
        "messageId": f"m-{CANARY['email']}",
        "context": {
            "page": {
                "url": "https://minder.example/?e=kanarya%40minder.example&t=05327654321",
                "title": f"Hoş geldin {CANARY['email']}",
                "referrer": f"https://x.example/?q={CANARY['email']}",
            },
            "campaign": {"content": CANARY["email"]},
            "traits": {"email": CANARY["email"], "name": CANARY["name"]},
            "ip": "203.0.113.77",
            "device": {"owner": CANARY["email"]},
        },
    },
    {
        "type": "record",
        "object": "order",
        "key": {"mail": CANARY["email"]},
        "userId": "k-1",
        "fields": {"customerName": CANARY["name"], "iban": CANARY["iban"]},
    },
    {"type": "dance", "userId": "k-1", "traits": CANARY},
    {"type": "alias", "userId": "k-1", "previousId": CANARY["phone"]},
    {"type": "group", "userId": "k-1", "groupId": CANARY["tckn"], "traits": {"email": CANARY["email"]}},
]

TRACES = (
    "kanarya@",
    "kanarya%40",
    "Kanarya",
    "Sarıkuş",
    "765 43 21",
    "5327654321",
    "10000000146",
    "6457 8413",
    "0005196457841326",
    "4111 1111",
    "4111111111111111",
    "Kuş Sokağı",
    "203.0.113.77",
)
"""What of the canary must not be found, in any writing."""


def traces(folder: Path) -> list[str]:
    """Return which of the canary's traces lie in which file, in UTF-8 or UTF-16."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for trace in TRACES:
            if trace.encode() in content or trace.encode("utf-16-le") in content:
                found.append(f"{path.name}: {trace}")
    return found
