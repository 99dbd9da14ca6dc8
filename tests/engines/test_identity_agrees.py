"""Law 7 where identity is hard: external ids, devices in turns, shared values, people's own word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.identity import IdentityDesk
from tekil.identity.sql import LINKS_SOURCE
from tekil.kinds import KINDS
from tekil.store import Store
from tests.engines.conftest import Pair
from tests.engines.test_engines_agree import agree, hear
from tests.installation import NOON
from tests.streams import Said

CARD = {"context": {"externalIds": [{"id": "K 7", "type": "Loyalty Card"}, {"id": "null", "type": "crm_id"}]}}
DEVICE = {"context": {"device": {"id": "D1", "advertisingId": "AD-1"}}}
MESSAGES: list[dict[str, Any]] = [
    {"type": "page", "anonymousId": "t1", "userId": "u1", **CARD},
    {"type": "page", "anonymousId": "t1"},
    {"type": "page", "anonymousId": "t1", "userId": "u2", **DEVICE},
    {"type": "identify", "anonymousId": "a3", "traits": {"email": "ayse@example.com", "tckn": "10000000146"}},
    {"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com", "tckn": "10000000147"}},
    {"type": "identify", "userId": "u2", "traits": {"email": "ayse@example.com"}},
    {"type": "alias", "userId": "u3", "previousId": "u1"},
    {"type": "page", "userId": "null", "anonymousId": "a4", **CARD},
    {"type": "record", "object": "identity_assertion", "key": {"left": "user_id:u2", "right": "user_id:u3"},
     "fields": {"act": "merge"}},
    {"type": "page", "anonymousId": "t1"},
    {"type": "record", "object": "identity_assertion", "key": {"left": "user_id:u2", "right": "user_id:u3"},
     "fields": {"act": "withdraw"}},
    {"type": "record", "object": "identity_assertion",
     "key": {"left": "anonymous_id:a4", "right": "user_id:u3"}, "fields": {"act": "link", "weight": 1250}},
    {"type": "record", "object": "identity_assertion",
     "key": {"left": "anonymous_id:a4", "right": "user_id:u2"}, "fields": {"act": "link", "weight": 1400}},
]  # fmt: skip


@pytest.mark.slow
def test_both_engines_say_who_is_who_alike(pair: Pair, stores: tuple[Store, Store]) -> None:
    linking = Written(Definition("identity", "identity", spec={"links": {"accept": 13}}))
    for store in stores:
        apply(store, KINDS, [linking], author="test")
    said = [
        Said(
            LINKS_SOURCE if "weight" in message.get("fields", {}) else "web",
            NOON + timedelta(minutes=n),
            message,
        )
        for n, message in enumerate(MESSAGES)
    ]
    agree(pair, [said[:6], said[6:9], said[9:]], rebuilding=True)
    for store in stores:
        apply(store, KINDS, [], author="test", prune=True)


SAID: list[dict[str, Any]] = [
    {"type": "record", "object": "identity_assertion", "key": {"left": "user_id:u1", "right": "user_id:u2"},
     "fields": {"act": "split", "by": "zeynep", "reason": "they called"}},
    {"type": "record", "object": "identity_assertion", "key": {"left": "user_id:u3", "right": "user_id:u3"},
     "fields": {"act": "share", "by": "zeynep"}},
]  # fmt: skip


@pytest.mark.slow
def test_both_engines_draw_the_same_pictures(pair: Pair) -> None:
    everything = [*MESSAGES, *SAID]
    said = [Said("web", NOON + timedelta(minutes=n), message) for n, message in enumerate(everything)]
    installations = pair()
    told = []
    for each in installations:
        hear(each, [said])
        desk = IdentityDesk(each.log, each.warehouse, each.store, each.vault)
        portraits = [desk.portray(card.person_id) for card in each.cards()]
        assert any(moment.by == "zeynep" for portrait in portraits for moment in portrait.moments)
        told.append((portraits, desk.look_over()))
        each.close()
    assert told[0] == told[1]
