"""What retention took out is as if it had never been said, in whatever order (laws 2, 3, 4, 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition, Written
from tekil.load.floors import BEHAVIOUR
from tekil.verification import verify
from tests.installation import NOON
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.retention.keeping import retention, rules
from tests.streams import BROWSERS, USERS, Said, hear, streams

OBJECTS = ("order", "ticket")
OLD = "ticket"
"""The object about which there is a rule."""

NAMED = {each: {"fields.customer": "user_id", "fields.browser": "anonymous_id"} for each in OBJECTS}
NAMING = [Written(Definition("identity", "identity", spec={"records": NAMED}))]


def lasts(one: Said, cutoff: datetime) -> bool:
    """Return whether a message is none that the rules about events and records take out."""
    about = one.message.get("object") == OLD or one.message.get("type") in BEHAVIOUR
    if not about:
        return True
    at = datetime.fromisoformat(one.message["timestamp"]).replace(tzinfo=None)
    return at >= cutoff


@st.composite
def records(draw: st.DrawFn) -> list[Said]:
    """What is said of things, by whom they are, at any time of two months."""
    said = []
    for number in range(draw(st.integers(0, 6))):
        message = {
            "type": "record",
            "object": draw(st.sampled_from(OBJECTS)),
            "key": {"id": draw(st.integers(1, 3))},
            "fields": {"customer": draw(st.sampled_from(USERS)), "browser": draw(st.sampled_from(BROWSERS))},
            "messageId": f"record-{number}",
            "timestamp": (NOON - timedelta(days=draw(st.integers(0, 60)))).isoformat() + "Z",
        }
        said.append(Said("crm", NOON + timedelta(seconds=100 + number), message))
    return said


@st.composite
def mixed(draw: st.DrawFn) -> list[Said]:
    """Messages of people and records, in any order."""
    shuffled = draw(st.permutations([*draw(streams(most=18)), *draw(records())]))
    return [replace(one, received_at=NOON + timedelta(seconds=n)) for n, one in enumerate(shuffled)]


@settings(max_examples=LAW_EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(said=mixed(), days=st.integers(5, 40), at=st.integers(0, 25), again=st.booleans())
def test_what_is_over_is_as_if_it_had_never_been_said(
    found: Found, said: list[Said], days: int, at: int, again: bool
) -> None:
    place = found()
    rules(place, beside=NAMING)
    hear(place, [said[:at]] if said[:at] else [])
    rules(
        place,
        f"{{of: events, keep: {days} days}}",
        f"{{of: records, object: {OLD}, keep: {days} days}}",
        beside=NAMING,
    )
    retention(place).run()
    hear(place, [part for part in (said[at:], said if again else []) if part])
    assert not any(planned.count for planned in retention(place).plan())
    assert verify(place.engine).holds
    known = place.knowledge()
    place.close()

    cutoff = NOON.replace(hour=0) - timedelta(days=days)
    other = found()
    rules(other, beside=NAMING)
    hear(other, [part for part in ([one for one in said if lasts(one, cutoff)],) if part])
    assert known == other.knowledge()
    rules(other)
    other.close()
