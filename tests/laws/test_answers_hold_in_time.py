"""Laws 4 and 5: a refresh equals a rebuild at every instant, and as-of gives what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.models import Bindings, Model, derive
from tekil.verification import verify
from tests.installation import DERIVED, Installation
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.streams import Said, cut, streams

FEW = settings(max_examples=LAW_EXAMPLES)


def hear_now(installation: Installation, part: list[Said]) -> None:
    for one in part:
        installation.say(one.message, source=one.source, at=installation.now)
    installation.run()


@FEW
@given(st.data())
def test_law_4_refresh_equals_rebuild(found: Found, data: st.DataObject) -> None:
    installation = found()
    for part in cut(data.draw, data.draw(streams(bad=True))):
        hear_now(installation, part)
        assert verify(installation.engine).differences == []
        installation.pass_time(minutes=data.draw(st.integers(0, 12 * 24 * 60)))
        installation.run()
        outcome = verify(installation.engine)
        assert outcome.differences == []
        assert outcome.ledger == []
    installation.close()


@FEW
@given(st.data())
def test_law_4_a_window_closes_at_its_very_instant(found: Found, data: st.DataObject) -> None:
    installation = found()
    installation.say({"type": "track", "event": "A", "userId": "u1"})
    installation.run()
    days = data.draw(st.sampled_from([7, 30]))
    installation.pass_time(days=days, microseconds=-1)
    installation.run()
    assert installation.person("user_id:u1").as_dict()[f"events_{days}d"] == 1
    installation.pass_time(microseconds=1)
    installation.run()
    assert installation.person("user_id:u1").as_dict()[f"events_{days}d"] == 0
    installation.close()


@FEW
@given(st.data())
def test_law_5_as_of_equals_then(found: Found, data: st.DataObject) -> None:
    installation = found()
    remembered: list[tuple[datetime, dict[str, list[str]]]] = []
    for part in cut(data.draw, data.draw(streams(most=16))):
        hear_now(installation, part)
        installation.pass_time(minutes=data.draw(st.integers(1, 20 * 24 * 60)))
        installation.run()
        installation.engine.rebuild()
        remembered.append((installation.now, installation.knowledge()))
    for instant, then in remembered:
        assert known_at(installation, instant) == then
    installation.close()


def known_at(
    installation: Installation, instant: datetime, models: Sequence[Model] | None = None
) -> dict[str, list[str]]:
    """Return all answers as of an instant, of models that may have been others then."""
    warehouse = installation.warehouse
    warehouse.set_now(instant)
    literal = f"TIMESTAMP '{instant.isoformat(sep=' ')}'"
    engine = installation.engine
    asked = models or engine.models
    staged = derive(warehouse, asked, Bindings.known_before(literal), "then_", engine.policy)
    return {
        table: sorted(
            repr(sorted(row.items())) for row in warehouse.query(f"SELECT * FROM {staged[table]}").to_pylist()
        )
        for table in {*DERIVED, *(model.name for model in asked)}
    }


def test_law_5_imported_history_is_known_when_it_happened(found: Found) -> None:
    installation = found()
    long_ago = installation.now - timedelta(days=90)
    installation.say(
        {"type": "track", "event": "A", "userId": "u1", "timestamp": long_ago.isoformat() + "Z"},
        door="import",
    )
    installation.run()
    assert len(known_at(installation, long_ago + timedelta(days=1))["activity"]) == 1
    assert known_at(installation, long_ago)["activity"] == []
    installation.close()
