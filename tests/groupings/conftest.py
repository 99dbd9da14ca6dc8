"""A street and two firms: who lives and works with whom, said as people say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.groupings import Groupings
from tekil.models import ACTIVITY, AFFILIATIONS, ATTRIBUTES
from tests.installation import Installation

HOME = {"address": "Atatürk Cad. 5/3", "city": "İzmir"}
LINE = "0532 123 45 67"


def identify(user: str, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "traits": traits}


def group(user: str, group_id: str, **traits: Any) -> dict[str, Any]:
    return {"type": "group", "userId": user, "groupId": group_id, "traits": traits}


STREET = [
    # A family: one telephone, one address; the child has only the address.
    identify("anne", email="anne@gmail.com", phone=LINE, **HOME),
    identify("baba", email="baba@hotmail.com", phone=LINE, **HOME),
    identify("cocuk", **HOME),
    # The same street in another city, and somebody who moved away.
    identify("other", address="Atatürk Cad. 5/3", city="Muş"),
    identify("moved", **HOME),
    identify("moved", address="Gazi Cad. 1", city="İzmir"),
    # A firm by its domain, with a mailbox that everybody uses.
    *(identify(f"w{n}", email=f"w{n}@acme.example") for n in range(3)),
    *(identify(f"w{n}", email="info@acme.example") for n in range(3)),
    identify("w3", email="w3@acme.example"),
    identify("w3", email="info@acme.example"),
    # The same firm by group() calls, renamed meanwhile; a number that is the firm's.
    group("w0", "g-7", name="Acme", plan="basic", phone="+90 212 555 00 00"),
    group("w1", "g-7", name="Acme A.Ş.", employees=40),
    group("anne", "g-8"),
]
"""In this order, a minute apart."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("street"), models=(ACTIVITY, ATTRIBUTES, AFFILIATIONS))
    for message in STREET:
        made.pass_time(minutes=1)
        made.say(message)
    made.run()
    yield made
    made.close()
    made.store.close()


@pytest.fixture(scope="module")
def groupings(street: Installation) -> Groupings:
    return Groupings(street.reads, street.store, street.vault)
