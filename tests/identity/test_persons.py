"""Who is who, the pure part: order-free, held to its limits, quick where somebody is everybody's friend."""

from __future__ import annotations

import time
from collections import Counter

import networkx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.identifiers import Policy
from tekil.identity.graph import Graph
from tekil.identity.persons import SAID_TO_DIFFER, resolve_graph
from tests.identity.graphs import KINDS, LIMITS, Edge, graph_of, kind_of, people, shuffled, who
from tests.laws.conftest import LAW_EXAMPLES

MANY = settings(max_examples=LAW_EXAMPLES * 25, deadline=None)
NAMES = [f"{kind}:{n}" for kind in ("user_id", "crm_id", "email", "phone", "anonymous_id") for n in range(4)]


@st.composite
def graphs(draw: st.DrawFn, names: list[str] = NAMES, *, told: bool = True) -> tuple[list[str], Graph]:
    """Names in the order of their age, and links; with `told`, aliases too, and what people said outright."""
    listed = draw(st.permutations(names))
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] < pair[1])
    pairs = draw(st.lists(ends, max_size=40, unique=True))
    edges = [
        Edge(
            left,
            right,
            draw(st.integers(1, 3)),
            draw(st.integers(0, 2)),
            is_alias=told and kind_of(left) == kind_of(right) == "user_id" and draw(st.booleans()),
        )
        for left, right in pairs
    ]
    acts = st.tuples(ends, st.sampled_from(["merge", "split"])).map(lambda said: (*said[0], said[1]))
    said = draw(st.lists(acts, max_size=3 if told else 0))
    return listed, graph_of(listed, edges, {pair[:2]: pair for pair in said}.values())


@MANY
@given(graphs(), st.randoms())
def test_order_is_irrelevant(drawn: tuple[list[str], Graph], random: object) -> None:
    names, graph = drawn
    order = list(range(len(graph.left)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = resolve_graph(graph, LIMITS), resolve_graph(shuffled(graph, order), LIMITS)
    assert people(names, one) == people(names, other)
    assert np.array_equal(one.sharing.is_cut, other.sharing.is_cut)
    assert len(one.refused) == len(other.refused)


@MANY
@given(graphs(told=False))
def test_no_person_has_more_of_a_kind_than_a_person_has(drawn: tuple[list[str], Graph]) -> None:
    names, graph = drawn
    for person in people(names, resolve_graph(graph, LIMITS)):
        for kind, count in Counter(map(kind_of, person)).items():
            most = Policy().rule(kind).per_person
            assert most == 0 or count <= most


@MANY
@given(graphs())
def test_every_identifier_is_in_one_person_within_a_cluster(drawn: tuple[list[str], Graph]) -> None:
    _, graph = drawn
    found = resolve_graph(graph, LIMITS)
    assert np.array_equal(found.person[found.person], found.person)
    assert np.array_equal(found.cluster[found.person], found.cluster)
    # A person is called after their oldest identifier.
    assert (found.person <= np.arange(len(found.person))).all()
    cut = np.flatnonzero(found.sharing.is_cut)
    assert np.array_equal(found.person[cut], cut)
    for refused in found.refused:
        assert found.person[graph.left[refused.link]] != found.person[graph.right[refused.link]]


@MANY
@given(graphs([f"anonymous_id:{n}" for n in range(30)]))
def test_where_nothing_binds_persons_are_the_components_of_networkx(drawn: tuple[list[str], Graph]) -> None:
    names, graph = drawn
    expected = networkx.Graph()
    expected.add_nodes_from(range(len(names)))
    expected.add_edges_from(zip(graph.left.tolist(), graph.right.tolist(), strict=True))
    expected.add_edges_from((s.left, s.right) for s in graph.said if s.act == "merge")
    for said in graph.said:
        if said.act == "split":
            return
    found = people(names, resolve_graph(graph, LIMITS))
    assert found == {frozenset(names[n] for n in part) for part in networkx.connected_components(expected)}


def test_an_e_mail_two_accounts_share_goes_with_the_stronger_evidence() -> None:
    found, persons = who(
        "user_id:1 user_id:2 email:x",
        [Edge("user_id:1", "email:x", messages=2), Edge("user_id:2", "email:x", messages=5)],
    )
    assert found == {frozenset({"user_id:1"}), frozenset({"user_id:2", "email:x"})}
    assert [KINDS[refused.kind] for refused in persons.refused] == ["user_id"]


def test_a_tablet_joins_nobody_who_signs_in_on_it() -> None:
    found, persons = who(
        "anonymous_id:t user_id:1 user_id:2 email:1",
        [
            Edge("anonymous_id:t", "user_id:1"),
            Edge("anonymous_id:t", "user_id:2"),
            Edge("user_id:1", "email:1"),
        ],
    )
    assert found == {
        frozenset({"anonymous_id:t"}),
        frozenset({"user_id:1", "email:1"}),
        frozenset({"user_id:2"}),
    }
    assert persons.sharing.is_contested.tolist() == [True, False, False, False]


def test_a_mailbox_of_many_is_shared() -> None:
    users = [f"user_id:{n}" for n in range(4)]
    found, persons = who(" ".join(["email:info", *users]), [Edge("email:info", user) for user in users])
    assert len(found) == 5
    assert persons.sharing.is_shared[0]


def test_an_alias_says_that_two_accounts_are_one() -> None:
    chain = [Edge(f"user_id:{n}", f"user_id:{n + 1}", is_alias=True) for n in range(4)]
    found, _ = who(" ".join(f"user_id:{n}" for n in range(5)), chain)
    assert len(found) == 1


def test_an_alias_of_everybody_to_one_is_a_mistake() -> None:
    users = [f"user_id:{n}" for n in range(9)]
    found, _ = who(
        " ".join(["user_id:x", *users]), [Edge("user_id:x", user, is_alias=True) for user in users]
    )
    assert len(found) == 10


def test_people_overrule_machines_and_themselves() -> None:
    names = "user_id:1 user_id:2 email:x"
    edges = [Edge("user_id:1", "email:x"), Edge("user_id:2", "email:x")]
    assert len(who(names, edges, [("user_id:1", "user_id:2", "merge")])[0]) == 1
    found, persons = who(names, edges, [("user_id:1", "email:x", "split"), ("user_id:2", "email:x", "split")])
    assert len(found) == 3
    assert {refused.kind for refused in persons.refused} == {SAID_TO_DIFFER}


def test_a_hub_of_200_000_is_found_and_passed_over_in_moments() -> None:
    count = 200_000
    kinds = np.full(count + 1, KINDS.index("anonymous_id"))
    kinds[0] = KINDS.index("email")
    ones = np.ones(count, dtype=np.int64)
    graph = Graph(
        np.arange(count + 1), kinds, np.zeros(count + 1, dtype=bool), ones * 0, np.arange(1, count + 1),
        kinds[0] * ones, kinds[1:], ones == 0, ones, ones, ones, ones * 0,
    )  # fmt: skip
    started = time.process_time()
    found = resolve_graph(graph, LIMITS)
    assert found.sharing.is_shared[0]
    assert np.array_equal(found.person, np.arange(count + 1))
    assert time.process_time() - started < 2


def test_the_careful_way_through_a_large_cluster_takes_no_square_of_it() -> None:
    # Two accounts in one cluster of 40,000 devices, chained so that no device has many links.
    count = 40_000
    kinds = np.full(count, KINDS.index("anonymous_id"))
    kinds[[0, -1]] = KINDS.index("user_id")
    left, ones = np.arange(count - 1), np.ones(count - 1, dtype=np.int64)
    graph = Graph(
        np.arange(count), kinds, np.zeros(count, dtype=bool), left, left + 1, kinds[:-1], kinds[1:],
        ones == 0, ones, left, left, ones * 0,
    )  # fmt: skip
    started = time.process_time()
    found = resolve_graph(graph, LIMITS)
    assert len(np.unique(found.person)) == 2
    assert len(found.refused) == 1
    assert time.process_time() - started < 5
