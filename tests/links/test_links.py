"""Links from end to end: found, said, joined, looked at, taken back; and nothing of it written in clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from tekil.access.audit import Act
from tekil.api.links import link_routes
from tekil.config import Config
from tekil.console import create_app
from tekil.definitions import Definition, Written, apply
from tekil.errors import BadRequest, NotFound
from tekil.identifiers import Policy
from tekil.identity import IdentityDesk
from tekil.kinds import KINDS
from tekil.links import LinkDesk, LinkSearch, read_people
from tekil.links.matching import find_pairs
from tekil.verification import verify
from tests.installation import Installation
from tests.links.town import TWICE, messages


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("town"))
    made.say(*messages())
    made.run()
    yield made
    made.close()
    made.store.close()


def put_in_force(town: Installation, **links: float) -> None:
    spec: dict[str, Any] = {"links": links} if links else {}
    apply(town.store, KINDS, [Written(Definition("identity", "identity", spec=spec))], author="test")
    town.run()


def desk_of(town: Installation) -> LinkDesk:
    identity = IdentityDesk(town.log, town.warehouse, town.store, town.vault)
    return LinkDesk(town.log, town.warehouse, town.store, town.vault, identity)


def follow(town: Installation) -> None:
    town.pass_time(minutes=1)
    town.run()


def is_one(town: Installation, pair: str, decision: str) -> bool:
    (found,) = [one for one in desk_of(town).queue(decision) if one.id == pair]
    assert found.left_person is not None
    return found.left_person == found.right_person


def joined(town: Installation) -> list[tuple[int, int]]:
    """Return who at the stand is one person with which account, by their numbers."""
    rows = town.rows(
        "SELECT a.value AS stand, u.value AS account FROM identity a JOIN identity u"
        " ON u.person_key = a.person_key WHERE a.kind = 'anonymous_id' AND u.kind = 'user_id'"
    )
    return sorted((int(row["stand"][5:]), int(row["account"][1:])) for row in rows)


def test_links_are_off_until_the_policy_says_so(town: Installation) -> None:
    assert desk_of(town).run().linked == 0
    assert joined(town) == []


def test_links_join_the_right_ones_and_go_with_the_policy(town: Installation) -> None:
    put_in_force(town, accept=8, review=2)
    run = desk_of(town).run()
    follow(town)
    found = joined(town)
    assert sum(stand == account for stand, account in found) / len(found) >= 0.98
    assert len(found) >= 0.7 * TWICE
    assert run.linked >= len(found)
    # Found again, nothing changes: links are never their own reason.
    again = desk_of(town).run()
    assert (again.linked, again.taken_back) == (run.linked, 0)
    assert town.run() == 0
    put_in_force(town)
    assert joined(town) == []
    assert desk_of(town).run().taken_back == run.linked
    follow(town)
    assert town.rows("SELECT 1 AS one FROM evidence WHERE how = 'linked' AND act = 'link'") == []
    assert verify(town.engine).holds


def test_a_search_gives_the_same_pairs_each_time(town: Installation) -> None:
    people, _ = read_people(town.warehouse, town.vault, Policy.read(town.store.definitions))
    once, again = (find_pairs(people.compared, 1.0, 100) for _ in range(2))
    assert once == again != []
    # A pair's weight is the prior and what its fields say, which is all that is shown.
    priors = {round(pair.weight - sum(level.weight for level in pair.levels), 1) for pair in once}
    assert max(priors) - min(priors) <= 0.3


def test_nothing_to_learn_from_is_no_link(town: Installation) -> None:
    people, _ = read_people(town.warehouse, town.vault, Policy.read(town.store.definitions))
    assert find_pairs(people.compared.slice(0, 0), 1.0, 100) == []
    assert find_pairs(people.compared.select(["unique_id", "city"]), 1.0, 100) == []


@pytest.mark.slow
def test_a_decision_is_said_and_holds_against_the_next_search(town: Installation) -> None:
    put_in_force(town, accept=90, review=2)
    desk = desk_of(town)
    run = desk.run()
    assert run.linked == 0
    yes, no, unclear = desk.queue(limit=3)
    desk.decide(yes.id, "accepted", by="ayse")
    desk.decide(no.id, "rejected", by="ayse")
    desk.decide(unclear.id, "undecided", by="ayse")
    follow(town)
    assert is_one(town, yes.id, "accepted")
    put_in_force(town, accept=2, review=2)
    desk.run()
    follow(town)
    assert not is_one(town, no.id, "rejected")
    assert [one.id for one in desk.queue("undecided")] == [unclear.id]
    assert {one.id for one in (yes, no, unclear)}.isdisjoint(one.id for one in desk.queue(limit=500))
    assert [(one.pairs, one.recall) for one in desk.trust()][-1] == (2, 1.0)
    # Taken back, the two are as they were.
    desk.decide(yes.id, "undecided", by="ayse")
    desk.decide(no.id, "undecided", by="ayse")
    put_in_force(town)
    follow(town)
    assert not is_one(town, yes.id, "undecided")
    assert verify(town.engine).holds


def test_decisions_that_are_none_are_refused(town: Installation) -> None:
    with pytest.raises(NotFound):
        desk_of(town).decide("0" * 32, "accepted", by="ayse")
    with pytest.raises(BadRequest):
        desk_of(town).decide("0" * 32, "perhaps", by="ayse")


def test_neither_the_queue_nor_any_file_holds_a_name(town: Installation) -> None:
    put_in_force(town, accept=30, review=1)
    desk_of(town).run()
    shown = msgspec.json.encode(desk_of(town).queue(limit=500)).decode()
    assert "A•••" in shown
    files = [path for path in town.log.path.parent.rglob("*") if path.is_file()]
    assert {town.log.path.name, "store.db"} <= {path.name for path in files}
    written = b"".join(path.read_bytes() for path in files)
    for secret in ("yilmaz", "Yılmaz", "Işıkoğlu", "isikoglu", "kisi17@example.com"):
        assert secret not in shown
        assert secret.encode() not in written
    put_in_force(town)


def test_erasing_one_of_a_pair_takes_the_pair_away(town: Installation) -> None:
    put_in_force(town, accept=30, review=1)
    desk_of(town).run()
    pair = town.store.link_reviews.of_decision("waiting", 1)[0]
    assert town.store.person_rows.count([], [pair.right_token])["link_reviews"] >= 1
    town.store.person_rows.remove([], {pair.right_token: "erased~1"})
    with pytest.raises(NotFound):
        town.store.link_reviews.get(pair.id)
    put_in_force(town)


def test_the_api_finds_shows_and_decides_and_puts_it_on_record(town: Installation, tmp_path: Path) -> None:
    put_in_force(town, accept=90, review=2)
    desk = desk_of(town)
    routes = [link_routes(town.store, desk, LinkSearch(desk, town.store))]
    with TestClient(create_app(town.reads, town.store, Config(root=tmp_path), routes)) as client:
        _, secret = town.store.keys.create_api_key("x", ["profiles:read", "identity:write"])
        _, reader = town.store.keys.create_api_key("y", ["profiles:read"])
        client.headers["Authorization"] = f"Bearer {reader}"
        assert client.post("/v1/identity/links/run").status_code == 403
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.post("/v1/identity/links/run").json()["waiting"] > 0
        pair = client.get("/v1/identity/links/queue", params={"limit": 1}).json()[0]
        assert {"field", "level", "weight", "left", "right"} == set(pair["fields"][0])
        deciding = {"id": pair["id"], "decision": "accepted"}
        assert client.post("/v1/identity/links/decide", json=deciding).json()["decision"] == "accepted"
        assert client.get("/v1/identity/links/trust").json()[-1]["precision"] == 1.0
        assert client.get("/v1/identity/links/queue", params={"limit": 0}).status_code == 400
    assert Act.IDENTITY_SAID in [entry.act for entry in town.store.audit.entries()]
    put_in_force(town)
