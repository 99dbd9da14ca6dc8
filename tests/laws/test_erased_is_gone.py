"""Law 10: erased is gone, and stays gone under replay and late arrival; nobody else notices."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tekil.access.audit import SYSTEM
from tekil.erasure import Eraser
from tekil.verification import verify
from tests.installation import Installation, microseconds
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.streams import Said, hear, streams

FEW = settings(max_examples=LAW_EXAMPLES)


def whoever(said: list[Said], taken: int) -> str | None:
    """Return a reference to whom one of the messages is about."""
    named = [
        f"{kind}:{one.message[member]}"
        for one in said
        if isinstance(one.message, dict)
        for member, kind in (("userId", "user_id"), ("anonymousId", "anonymous_id"))
        if isinstance(one.message.get(member), str) and len(one.message[member]) < 100
    ]
    return named[taken % len(named)] if named else None


def owned(installation: Installation, reference: str) -> set[tuple[str, str]]:
    """Return the identifiers of whoever a reference names, as the tables hold them.

    Of devices that several people use only the person's turns go, so they are nobody's here.
    """
    kind, _, value = reference.partition(":")
    rows = installation.rows(
        "SELECT o.kind, o.value, EXISTS (SELECT 1 FROM ownership t WHERE t.identifier_key = o.identifier_key"
        "   AND t.person_key <> o.person_key) AS is_shared"
        " FROM identity i JOIN identity o ON o.person_key = i.person_key"
        f" WHERE i.kind = '{kind}' AND i.value = '{value}'"
    )
    alone = {tuple(reference.split(":", 1))}
    return {(row["kind"], row["value"]) for row in rows if not row["is_shared"]} if rows else alone


def said_by(installation: Installation, reference: str) -> set[tuple[str, str]]:
    """Return the messages, by source and id, of whoever a reference names."""
    kind, _, value = reference.partition(":")
    rows = installation.rows(
        "SELECT e.source, e.message_id FROM identity i JOIN person_events e ON e.person_key = i.person_key"
        f" WHERE i.kind = '{kind}' AND i.value = '{value}'"
    )
    return {(row["source"], row["message_id"]) for row in rows}


def id_of(message: Any) -> Any:
    """Return the id that a message gives itself, good or bad."""
    return message.get("messageId") if isinstance(message, dict) else None


def mentioned_by_others(installation: Installation, theirs: set[tuple[str, str]], words: Any) -> bool:
    """Return whether somebody else claims an address or a number of whoever is known by `theirs`."""
    rows = installation.rows(
        "SELECT source, message_id, email, phone FROM events WHERE email IS NOT NULL OR phone IS NOT NULL"
    )
    others = [row for row in rows if (row["source"], row["message_id"]) not in words]
    return any(theirs & {("email", row["email"]), ("phone", row["phone"])} for row in others)


def names(installation: Installation, message: Any, theirs: set[tuple[str, str]]) -> bool:
    """Return whether a message, good or bad, names one of some identifiers."""
    if not isinstance(message, dict):
        return False
    said = [("user_id", message.get("userId")), ("anonymous_id", message.get("anonymousId"))]
    said += [(kind, message.get("previousId")) for kind in ("user_id", "anonymous_id")]
    return bool(theirs.intersection((k, v) for k, v in said if isinstance(v, str)))


def in_log(installation: Installation) -> list[Any]:
    return [
        message
        for table in installation.log.replay()
        for body in table["body"].to_pylist()
        for message in msgspec.json.decode(body)["batch"]
    ]


def erase(installation: Installation, reference: str) -> None:
    eraser = Eraser(installation.engine, clock=lambda: microseconds(installation.now))
    proof = eraser.apply(reference, SYSTEM)
    assert proof.found == 0, proof.checked


@FEW
@given(st.data())
def test_law_10_erased_is_gone_and_nobody_else_notices(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams(most=7, bad=True) | streams(most=7, shared=True))
    reference = whoever(said, data.draw(st.integers(0, 100)))
    assume(reference is not None)
    assert reference is not None
    end = max(one.received_at for one in said)
    erased = found()
    erased.now = end
    repeated = data.draw(st.lists(st.sampled_from(said), max_size=2))
    hear(erased, [[*said, *repeated]])
    theirs, words = owned(erased, reference), said_by(erased, reference)
    is_mentioned = mentioned_by_others(erased, theirs, words)
    event(f"devices go from hand to hand: {bool(erased.rows('SELECT 1 FROM ownership LIMIT 1'))}")
    erase(erased, reference)
    assert verify(erased.engine).holds
    assert not [m for m in in_log(erased) if names(erased, m, theirs)]

    # What comes late, and whatever was said already and comes once more, changes nothing.
    knowledge, cards = erased.knowledge(), erased.cards()
    late = data.draw(st.lists(st.sampled_from(said), max_size=4))
    hear(erased, [late] if late else [])
    assert (erased.knowledge(), erased.cards()) == (knowledge, cards)
    assert verify(erased.engine).holds
    assert not [m for m in in_log(erased) if names(erased, m, theirs)]
    erased.engine.rebuild()
    assert erased.knowledge() == knowledge
    now = erased.now
    erased.close()

    # Others' persons are as if the erased one had never said a word; but what they themselves said of the
    # erased has been taken out of their words.
    if is_mentioned:
        return
    without = found()
    without.now = now
    others = [
        one
        for one in said
        if not names(without, one.message, theirs) and (one.source, id_of(one.message)) not in words
    ]
    hear(without, [others] if others else [])
    known = {(row["kind"], row["value"]) for row in without.rows("SELECT kind, value FROM identity")}
    assert not known & theirs
    assert without.knowledge() == knowledge
    assert without.cards() == cards
    without.close()
