"""Who is who: components, the person id, and what joins whom."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.identity.components import label_components
from tests.laws.conftest import LAW_EXAMPLES, Found

IDENTIFY: dict[str, Any] = {"type": "identify"}
UUID = "11111111-2222-3333-4444-555555555555"


def union_find(nodes: int, edges: list[tuple[int, int]]) -> list[int]:
    """The textbook's way, one edge at a time; a root is the smallest of its set."""
    parent = list(range(nodes))

    def root(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for left, right in edges:
        one, other = sorted((root(left), root(right)))
        parent[other] = one
    return [root(node) for node in range(nodes)]


@settings(max_examples=LAW_EXAMPLES * 25)
@given(st.data())
def test_components_are_those_of_the_textbook(data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, 60))
    node = st.integers(0, nodes - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=90))
    left, right = (np.array([edge[end] for edge in edges], dtype=np.int64) for end in (0, 1))
    assert label_components(nodes, left, right).tolist() == union_find(nodes, edges)


def test_a_chain_as_long_as_it_gets_is_one_component() -> None:
    shuffled = np.random.default_rng(1).permutation(20_000)
    assert not label_components(20_000, shuffled[:-1], shuffled[1:]).any()


@pytest.mark.parametrize(
    ("messages", "persons"),
    [
        ([{"userId": "u1"}, {"userId": "u2"}], 2),
        ([{"userId": "u1", "anonymousId": "a1"}, {"userId": "u2", "anonymousId": "a1"}], 2),
        ([{"userId": "x"}, {"anonymousId": "x"}], 2),
        ([IDENTIFY | {"userId": "u1", "traits": {"email": "a@b.co"}},
          IDENTIFY | {"anonymousId": "a1", "traits": {"email": " A@B.CO "}}], 1),
        ([IDENTIFY | {"userId": "u1", "traits": {"email": "a@b.co"}},
          IDENTIFY | {"userId": "u2", "traits": {"email": "a@b.co"}}], 2),
        ([IDENTIFY | {"userId": "u1", "traits": {"phone": "0532 123 45 67"}},
          IDENTIFY | {"anonymousId": "a1", "traits": {"phone": "+905321234567"}}], 1),
        ([{"type": "identify", "userId": u, "traits": {"phone": "12"}} for u in ("u1", "u2")], 2),
        ([{"userId": "u1"}, {"type": "alias", "userId": "u2", "previousId": "u1"}], 1),
        ([{"anonymousId": UUID}, {"type": "alias", "userId": "u2", "previousId": UUID}], 1),
        ([{"anonymousId": "a1"}, {"userId": "u1"}, {"userId": "u1", "anonymousId": "a1"}], 1),
    ],
)  # fmt: skip
def test_what_is_named_together_is_one_person(found: Found, messages: list[Any], persons: int) -> None:
    together, one_by_one = found(), None
    together.say(*({"type": "track", "event": "A", **message} for message in messages))
    together.run()
    assert together.rows("SELECT count(DISTINCT person_key) AS n FROM identity") == [{"n": persons}]
    expected = together.knowledge()["identity"]
    together.close()

    one_by_one = found()
    for message in messages:
        one_by_one.say({"type": "track", "event": "A", **message})
        one_by_one.run()
    assert one_by_one.knowledge()["identity"] == expected
    one_by_one.close()


def test_anybody_can_work_out_a_person_id_again(found: Found) -> None:
    installation = found()
    installation.say({"type": "page", "anonymousId": "a1"})
    installation.pass_time(hours=1)
    installation.say({"type": "page", "anonymousId": "a1", "userId": "u1"})
    installation.run()
    expected = int.from_bytes(hashlib.md5(b"anonymous_id:a1").digest()[8:], "little") >> 1
    assert installation.person("user_id:u1").person_id == f"p{expected:016x}"
    installation.close()
