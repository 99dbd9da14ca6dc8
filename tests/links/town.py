"""A small town whose people leave their names in several places, never twice in the same way."""

from __future__ import annotations

import random
from typing import Any

FIRST = (
    "Ayşe", "Mehmet", "İrem", "Işıl", "Ali", "Zeynep", "Can", "Ece", "Umut", "Selin", "Gül", "Barış", "Öykü",
    "Çağla", "Nur", "Kemal",
)  # fmt: skip
BEGINNINGS, ENDS = ("Yıl", "Kay", "Işık", "Dem", "Şim", "Ör"), ("maz", "alp", "oğlu", "sek", "er")
LAST = [beginning + end for beginning in BEGINNINGS for end in ENDS]
CITIES = ("İstanbul", "İzmir", "Ankara", "Bursa")
TWICE = 50
"""So many came twice: with an account, and at a stand where nobody asked for it."""


def people(count: int = 250, seed: int = 4) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        {
            "first_name": rng.choice(FIRST),
            "last_name": rng.choice(LAST),
            "birthday": f"19{rng.randrange(50, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 28):02}",
            "city": rng.choice(CITIES),
        }
        for _ in range(count)
    ]


def messages(count: int = 250) -> list[dict[str, Any]]:
    """Everybody has an account; the first `TWICE` came by a stand too, and wrote as one writes at a stand."""
    town = people(count)
    said = [
        {"type": "identify", "userId": f"u{n}", "traits": {**one, "email": f"kisi{n}@example.com"}}
        for n, one in enumerate(town)
    ]
    for n, one in enumerate(town[:TWICE]):
        typed = {**one, "first_name": one["first_name"].upper(), "phone": f"+90532{1_000_000 + n * 7919}"}
        if n % 5 == 0:
            typed["last_name"] = one["last_name"][:-1]
        if n % 7 == 0:
            del typed["birthday"]
        said.append({"type": "identify", "anonymousId": f"stand{n}", "traits": typed})
    return said
