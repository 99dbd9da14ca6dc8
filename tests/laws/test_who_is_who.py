"""Laws 3, 4 and 5 where identity is hard: limits that are crossed, devices in turns, people's own word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition, Written, apply
from tekil.identity.sql import LINK_ACTS, LINKS_SOURCE
from tekil.kinds import KINDS
from tekil.load import EVENTS
from tekil.store import Store
from tekil.verification import verify
from tests.installation import NOON, Installation
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.laws.test_answers_hold_in_time import known_at
from tests.streams import Said, cut, hear

FEW = settings(max_examples=LAW_EXAMPLES)

USERS, TABLETS, EMAILS = ("u1", "u2", "u3"), ("t1", "t2"), ("a@x.co", "b@x.co")
NARROW: dict[str, Any] = {
    "kinds": {
        "email": {"persons": 1, "max_per_person": 1, "devices": 2},
        "user_id": {"devices": 3, "persons": 2},
        "anonymous_id": {"persons": 2},
    },
    "blocked": ["^guest$"],
    "sources": {"app": ["user_id", "anonymous_id", "loyalty"]},
    "anonymous_history_days": 2,
    "values_max": 2,
    "links": {"accept": 10, "review": 1},
}
"""A policy whose limits a handful of messages crosses."""

NAMES = [*(f"user_id:{u}" for u in USERS), *(f"anonymous_id:{t}" for t in TABLETS), "loyalty:7"]


@pytest.fixture(autouse=True)
def narrow(store: Store) -> Iterator[None]:
    policy = Written(Definition("identity", "identity", spec=NARROW))
    apply(store, KINDS, [policy], author="a test")
    yield
    apply(store, KINDS, [], author="a test", prune=True)


@st.composite
def messages(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A login, an anonymous view, an alias, an external id, or people's word on who is who."""
    at = NOON - timedelta(minutes=draw(st.integers(0, 6 * 24 * 60)))
    said: dict[str, Any] = {"messageId": f"m{number}", "timestamp": at.isoformat() + "Z"}
    kind = draw(st.sampled_from(["page", "page", "identify", "identify", "alias", "record"]))
    if kind == "record":
        act = draw(st.sampled_from(["merge", "split", "withdraw", "share", "link", "link", "unlink"]))
        one, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
        key = {"left": one, "right": one if act == "share" else other}
        fields = {"act": act, "weight": draw(st.sampled_from([900, 1_000, 1_500]))}
        return {**said, "type": "record", "object": "identity_assertion", "key": key, "fields": fields}
    user = draw(st.sampled_from([None, None, *USERS, "guest"]))
    tablet = draw(st.sampled_from([None, *TABLETS])) if user else draw(st.sampled_from(TABLETS))
    names = {"userId": user, "anonymousId": tablet}
    said |= {"type": kind, **{name: value for name, value in names.items() if value}}
    if user == "guest" and not tablet:
        said["anonymousId"] = "t1"
    if kind == "identify":
        said["traits"] = draw(st.sampled_from([{}, {"email": EMAILS[0]}, {"email": EMAILS[1]}]))
    if kind == "alias":
        said["previousId"] = draw(st.sampled_from(USERS))
    if draw(st.integers(0, 3)) == 0:
        said["context"] = {"externalIds": [{"id": "7", "type": "loyalty", "collection": "users"}]}
    return said


@st.composite
def streams(draw: st.DrawFn) -> list[Said]:
    said = []
    for number in range(draw(st.integers(1, 12))):
        source, message = draw(st.sampled_from(["web", "app"])), draw(messages(number))
        # Only Tekil itself says that two were found to be alike; what others say of it goes for nothing.
        if message.get("fields", {}).get("act") in LINK_ACTS and draw(st.integers(0, 4)):
            source = LINKS_SOURCE
        said.append(Said(source, NOON + timedelta(seconds=number), message))
    return said


@FEW
@given(st.data())
def test_refresh_equals_rebuild_whatever_limits_are_crossed(found: Found, data: st.DataObject) -> None:
    installation = found()
    for part in cut(data.draw, data.draw(streams())):
        hear(installation, [part])
        assert verify(installation.engine).differences == []
    every_event_is_one_persons(installation)
    installation.close()


@FEW
@given(st.data())
def test_order_is_irrelevant_to_who_is_who(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams())
    outcomes = []
    for order in (said, data.draw(st.permutations(said))):
        installation = found()
        installation.now = max(one.received_at for one in said)
        hear(installation, cut(data.draw, order))
        outcomes.append((installation.knowledge(), installation.cards()))
        installation.close()
    assert outcomes[0] == outcomes[1]


@FEW
@given(st.data())
def test_persons_of_then_are_the_persons_that_were(found: Found, data: st.DataObject) -> None:
    installation = found()
    remembered = []
    for part in cut(data.draw, data.draw(streams())):
        for one in part:
            installation.say(one.message, source=one.source, at=installation.now)
        installation.run()
        installation.pass_time(minutes=1)
        installation.run()
        installation.engine.rebuild()
        remembered.append((installation.now, installation.knowledge()))
    for instant, then in remembered:
        assert known_at(installation, instant) == then
    installation.close()


@FEW
@given(st.data())
def test_what_is_taken_out_was_never_said(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams())
    doomed = [n for n in range(len(said)) if said[n].message["type"] != "record" and data.draw(st.booleans())]
    installation = found()
    hear(installation, cut(data.draw, said))
    ids = ", ".join(f"'m{n}'" for n in doomed) or "''"
    installation.engine.take_out(
        EVENTS, f"SELECT message_key FROM events WHERE message_id IN ({ids})", lambda _warehouse: None
    )
    knowledge, cards = installation.knowledge(), installation.cards()
    assert verify(installation.engine).differences == []
    installation.close()

    never = found()
    never.now = installation.now
    hear(never, [[one for n, one in enumerate(said) if n not in doomed]])
    assert (knowledge, cards) == (never.knowledge(), never.cards())
    never.close()


def every_event_is_one_persons(installation: Installation) -> None:
    counted = installation.rows("""
        SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM person_events) AS owned,
          (SELECT count(DISTINCT message_key) FROM person_events) AS once,
          (SELECT CAST(sum(events) AS BIGINT) FROM activity) AS told
    """)[0]
    assert counted["events"] == counted["owned"] == counted["once"] == (counted["told"] or 0)
