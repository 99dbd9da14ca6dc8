"""Laws 2, 3 and 8: duplicates are inert, order is irrelevant, the ledger balances."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.verification import check_ledger
from tests.dictionary.defining import define, undefine
from tests.laws.conftest import LAW_EXAMPLES, Found
from tests.streams import cut, hear, streams

FEW = settings(max_examples=LAW_EXAMPLES)


@FEW
@given(st.data())
def test_law_2_duplicates_are_inert_however_late(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams(most=12))
    repeated = data.draw(st.lists(st.sampled_from(said), min_size=1, max_size=6))
    late = [*said, *repeated]
    with_duplicates, without = found(), None
    hear(with_duplicates, cut(data.draw, late))
    knowledge, cards = with_duplicates.knowledge(), with_duplicates.cards()
    counted = with_duplicates.rows("SELECT sum(loaded) AS l, sum(duplicate) AS d FROM ledger")[0]
    with_duplicates.close()

    without = found()
    without.now = with_duplicates.now
    hear(without, [said])
    assert knowledge == without.knowledge()
    assert cards == without.cards()
    assert (int(counted["l"]), int(counted["d"])) == (len(said), len(repeated))
    without.close()


@FEW
@given(st.data())
def test_law_3_order_is_irrelevant(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams(most=16))
    end = max(one.received_at for one in said)
    first = found()
    first.now = end
    hear(first, cut(data.draw, said))
    knowledge, cards = first.knowledge(), first.cards()
    first.close()

    second = found()
    second.now = end
    hear(second, cut(data.draw, data.draw(st.permutations(said))))
    assert knowledge == second.knowledge()
    assert cards == second.cards()
    second.close()


@FEW
@given(st.data())
def test_law_8_the_ledger_balances_after_every_cycle(found: Found, data: st.DataObject) -> None:
    installation = found()
    said = data.draw(streams(most=16, bad=True))
    said += data.draw(st.lists(st.sampled_from(said), max_size=4))
    for part in cut(data.draw, said):
        for one in part:
            installation.say(one.message, source=one.source, at=one.received_at)
        assert check_ledger(installation.engine) == []
        installation.run()
        assert check_ledger(installation.engine) == []
    counts = installation.log.counts(installation.warehouse.marks().position)
    assert sum(count.accepted for count in counts) == len(said)
    assert all(count.waiting == 0 for count in counts)
    installation.close()


DICTIONARY: dict[str, dict[str, Any]] = {
    "Order Completed": {
        "synonyms": ["Görüldü"],
        "undefined_fields": "warn",
        "fields": {
            "properties.price": {"type": "integer", "mode": "quarantine"},
            "context.locale": {"allowed": ["tr-TR"], "mode": "warn"},
        },
    },
    "Customer": {
        "type": "identify",
        "fields": {"traits.plan": {"type": "text", "mode": "quarantine"}, "userId": {"required": True}},
    },
}


@FEW
@given(st.data())
def test_laws_3_and_8_hold_with_a_dictionary_in_force(found: Found, data: st.DataObject) -> None:
    said = data.draw(streams(most=16, bad=True))
    end = max(one.received_at for one in said)
    outcomes = []
    for order in (said, data.draw(st.permutations(said))):
        installation = found()
        installation.now = end
        define(installation.store, DICTIONARY, unknown_events="warn")
        hear(installation, cut(data.draw, order))
        assert check_ledger(installation.engine) == []
        broken = installation.sorted_rows("SELECT * FROM violations")
        outcomes.append((installation.knowledge(), installation.cards(), broken))
        undefine(installation.store)
        installation.close()
    assert outcomes[0] == outcomes[1]
