"""Cards that a changed definition makes other ones are made anew step by step, and no crash forgets any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tekil import publishing
from tekil.errors import Unavailable
from tekil.store import Cards, Store
from tekil.verification import verify
from tests.installation import Installation
from tests.models.test_audiences import define, models_of
from tests.models.test_features import order

PEOPLE = 7


@pytest.fixture
def shop(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Seven people, of whom two are published at a time."""
    monkeypatch.setattr(publishing, "CARDS_A_STEP", 2)
    store.cards.clear()
    made = Installation(tmp_path, store=store, defined=models_of)
    define(made, buyers="orders > 0")
    made.say(*(order(f"u{user}", 5) for user in range(PEOPLE)))
    made.run()
    yield made
    made.close()
    define(made, {})


def features(shop: Installation) -> list[str]:
    return sorted(str(sorted(card.as_dict()["features"])) for card in shop.cards())


def test_messages_go_on_while_everybody_is_published_anew(shop: Installation) -> None:
    define(shop, {"orders": "count(*)", "total": "sum(number(properties.total))"}, buyers="orders > 0")
    assert shop.engine.step() is None
    assert features(shop) == ["['orders', 'orders_7d']"] * PEOPLE
    assert shop.engine.publish_some()
    assert shop.engine.doing == ("publish", 0, PEOPLE)
    assert features(shop).count("['orders', 'total']") == 2
    shop.say(order("u6", 5), order("u7", 5))
    assert shop.engine.step() is not None
    assert shop.person("user_id:u7").as_dict()["features"] == {"orders": 1, "total": 5}
    assert shop.person("user_id:u6").as_dict()["features"] == {"orders": 2, "total": 10}
    steps = 0
    while shop.engine.publish_some():
        steps += 1
    assert (steps, shop.engine.doing) == (3, ("", 0, 0))
    assert features(shop) == ["['orders', 'total']"] * (PEOPLE + 1)
    assert verify(shop.engine).holds


def test_a_crash_in_the_middle_is_gone_on_with(shop: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    define(shop, {"orders": "count(*)"}, buyers="orders > 0")
    shop.engine.step()
    assert shop.engine.publish_some()
    publish: Any = Cards.publish

    def away(*_: Any) -> None:
        raise Unavailable("The store is away.")

    monkeypatch.setattr(Cards, "publish", away)
    with pytest.raises(Unavailable):
        shop.engine.publish_some()
    monkeypatch.setattr(Cards, "publish", publish)
    again = type(shop.engine)(
        shop.log, shop.warehouse, shop.store, shop.engine._in_force.lasting, shop.vault,
        clock=lambda: shop.now, defined=models_of,
    )  # fmt: skip
    again.recover()
    assert shop.rows("SELECT count(*) AS n FROM unpublished") == [{"n": PEOPLE - 2}]
    again.drain()
    assert shop.rows("SELECT count(*) AS n FROM unpublished") == [{"n": 0}]
    assert features(shop) == ["['orders']"] * PEOPLE
    assert verify(again).holds


def test_a_second_change_adds_to_those_who_wait(shop: Installation) -> None:
    define(shop, {"orders": "count(*)"}, buyers="orders > 0")
    shop.engine.step()
    shop.engine.publish_some()
    define(shop, {"orders": "count(*)"}, buyers="orders > 0", none="orders > 5")
    shop.engine.step()
    assert shop.rows("SELECT count(*) AS n FROM unpublished") == [{"n": PEOPLE - 2}]
    shop.run()
    assert features(shop) == ["['orders']"] * PEOPLE


def test_only_whom_a_changed_audience_moves_is_published(shop: Installation) -> None:
    shop.say(order("u0", 5))
    shop.run()
    define(shop, buyers="orders > 1")
    shop.engine.step()
    assert shop.rows("SELECT count(*) AS n FROM unpublished") == [{"n": PEOPLE - 1}]
    shop.run()
    assert shop.person("user_id:u1").as_dict()["audiences"] == {}
    assert shop.reads.doing().definitions == shop.store.definitions.revision()
