"""What retention took out is as if it had never been said, in whatever order (laws 2, 3, 4, 8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tekil.load.floors import BEHAVIOUR
from tekil.verification import verify
from tests.installation import NOON
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.retention.keeping import retention, rules
from tests.streams import Said, hear, streams


def lasts(one: Said, cutoff: datetime) -> bool:
    """Return whether a message is none that a rule about events takes out."""
    if not isinstance(one.message, dict) or one.message.get("type") not in BEHAVIOUR:
        return True
    at = datetime.fromisoformat(one.message["timestamp"]).replace(tzinfo=None)
    return at >= cutoff


@settings(max_examples=LAW_EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(said=streams(), days=st.integers(5, 40), at=st.integers(0, 25), again=st.booleans())
def test_what_is_over_is_as_if_it_had_never_been_said(
    found: Found, said: list[Said], days: int, at: int, again: bool
) -> None:
    place = found()
    rules(place)
    hear(place, [said[:at]] if said[:at] else [])
    rules(place, f"{{of: events, keep: {days} days}}")
    retention(place).run()
    hear(place, [part for part in (said[at:], said if again else []) if part])
    assert not any(planned.count for planned in retention(place).plan())
    assert verify(place.engine).holds
    known = place.knowledge()
    rules(place)
    place.close()

    cutoff = NOON.replace(hour=0) - timedelta(days=days)
    other = found()
    hear(other, [part for part in ([one for one in said if lasts(one, cutoff)],) if part])
    assert known == other.knowledge()
    other.close()
