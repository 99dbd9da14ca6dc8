"""Finding links, saying them through the log, and having doubtful pairs looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tekil.errors import BadRequest
from tekil.identifiers import LinksSpec, Policy
from tekil.identifiers.model import WEIGHT_UNITS
from tekil.identity import IdentityDesk, identifier_key, person_id
from tekil.identity.sql import ASSERTION, LINKS_SOURCE
from tekil.links.matching import Pair, find_pairs
from tekil.links.model import People
from tekil.links.records import read_people
from tekil.log import Entry, Log
from tekil.messages import pack
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN
from tekil.privacy.tokens import Tokens
from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.links import WAITING, LinkReview
from tekil.warehouse import Warehouse

DECISIONS = ("accepted", "rejected", "undecided")
SAID: Mapping[str, str] = {"accepted": "merge", "rejected": "split"}
"""Decision → what is said of the two."""

STEPS = ("read", "learn", "weigh", "say")
"""What a search does, one after the other."""

Tell = Callable[[str], None]
"""Told each of `STEPS` as it begins; may raise, to end the search there."""

BATCH = 200
QUEUE_MAX = 10_000
"""Pairs that wait at most: the weightiest."""

IN_FORCE = """
SELECT l.kind || ':' || l.value AS left_name, r.kind || ':' || r.value AS right_name, e.weight
FROM evidence e JOIN identity l ON l.identifier_key = e.left_key
JOIN identity r ON r.identifier_key = e.right_key
WHERE e.how = 'linked' AND e.act = 'link'
"""

Links = dict[tuple[str, str], int]
"""The two names, in their order → the weight, in hundredths of bits."""


class Run(msgspec.Struct, frozen=True):
    """What a search found: people compared, pairs that are linked, links taken back, pairs that wait."""

    people: int
    linked: int
    taken_back: int
    waiting: int


class Field(msgspec.Struct, frozen=True):
    """How two compare in one field: the level, its bits, and both values, masked."""

    field: str
    level: str
    weight: float
    left: str
    right: str


class Review(msgspec.Struct, frozen=True):
    """A pair as people may see it. Weights are in bits; their sum with the prior is the pair's.

    `left` and `right` are masked identifiers, the persons those that own them now: one and the same where
    the two are joined already, none where one is known no more.
    """

    id: str
    left: str
    right: str
    left_person: str | None
    right_person: str | None
    weight: float
    reason: str
    fields: list[Field]
    decision: str
    decided_by: str
    decided_at: int | None
    found_at: int


class Trust(msgspec.Struct, frozen=True):
    """Links held against what people decided, from a weight (bits) up; a part is 1 where there is none.

    `precision` is the part of pairs from `weight` up that were accepted, `recall` the part of the accepted
    that weigh so much.
    """

    weight: float
    pairs: int
    precision: float
    recall: float


class LinkDesk:
    """Finds who is alike, and takes decisions. Safe to use from many threads; one search at a time."""

    def __init__(
        self, log: Log, warehouse: Warehouse, store: Store, vault: Vault, identity: IdentityDesk
    ) -> None:
        """Take the three places, the vault, and the desk that says who is who."""
        self._log, self._warehouse, self._store, self._vault = log, warehouse, store, vault
        self._identity = identity

    def run(self, tell: Tell = lambda _step: None) -> Run:
        """Compare everybody anew; say what is linked now, take back what is no longer, renew the queue.

        Where the policy has no links, all are taken back. Persons follow in the engine's next cycle.
        """
        policy = Policy.read(self._store.definitions)
        spec = policy.spec.links
        if spec is None:
            taken = self._say({})
            self._store.link_reviews.replace([])
            return Run(0, 0, taken, 0)
        tell("read")
        people, differ = read_people(self._warehouse, self._vault, policy)
        pairs = [
            pair
            for pair in find_pairs(people.compared, spec.review, spec.block_max, tell)
            if (pair.left, pair.right) not in differ
        ]
        links = {
            _names(people, pair): _units(pair.weight) for pair in pairs if _reason(people, pair, spec) is None
        }
        tell("say")
        taken = self._say(links)
        waiting = sorted(self._reviews(people, pairs, spec), key=lambda one: (-one.weight, one.id))[
            :QUEUE_MAX
        ]
        self._store.link_reviews.replace(waiting)
        return Run(len(people.names), len(links), taken, len(waiting))

    def queue(self, decision: str = WAITING, limit: int = 50, offset: int = 0) -> list[Review]:
        """Return pairs of a decision, the weightiest first, values masked."""
        found = self._store.link_reviews.of_decision(decision, limit, offset)
        return self._masked(found)

    def pair(self, review_id: str, *, reveal: bool = False) -> Review:
        """Return a pair, masked, or, to `reveal` it, with its values: a right that the caller has seen to.

        Raises `NotFound`.
        """
        return self._masked([self._store.link_reviews.get(review_id)], reveal=reveal)[0]

    def counts(self) -> dict[str, int]:
        """Return how many pairs wait, and how many were decided how."""
        found = self._store.link_reviews.counts()
        return {decision: found.get(decision, 0) for decision in (WAITING, "undecided", *SAID)}

    def decide(self, review_id: str, decision: str, *, by: str) -> Review:
        """Keep a decision, and say it: accepted, the two are one person; rejected, they are two.

        Undecided, what was said of them is withdrawn. Raises `NotFound`, and `BadRequest` for no decision.
        """
        if decision not in DECISIONS:
            raise BadRequest(
                f"Decide accepted, rejected or undecided, not {decision!r}.", code="decision_unknown"
            )
        pair = self._store.link_reviews.get(review_id)
        act = SAID.get(decision)
        if act is None and pair.decision in SAID:
            act = "withdraw"
        if act is not None:
            plan = self._identity.plan(act, pair.left_name, pair.right_name)
            self._identity.say(plan, by=by, reason=f"looked at pair {review_id}")
        self._store.link_reviews.decide(review_id, decision, by, now_us())
        return self._masked([self._store.link_reviews.get(review_id)])[0]

    def trust(self) -> list[Trust]:
        """Return precision and recall against what people decided, by weight, the highest first."""
        decided = [
            (one.weight, one.decision == "accepted")
            for decision in SAID
            for one in self._store.link_reviews.of_decision(decision, QUEUE_MAX)
        ]
        return list(trusted(decided))

    def _masked(self, pairs: Sequence[LinkReview], *, reveal: bool = False) -> list[Review]:
        """Return pairs with masks, or values, in the place of tokens, and with whoever owns them now."""
        keys = {
            name: identifier_key(*_split(name)) for one in pairs for name in (one.left_name, one.right_name)
        }
        listed = ", ".join(map(str, keys.values())) or "NULL"
        rows = self._warehouse.read(
            f"SELECT identifier_key, person_key FROM identity WHERE identifier_key IN ({listed})"
        ).to_pylist()
        owner = {row["identifier_key"]: person_id(row["person_key"]) for row in rows}
        persons = {name: owner.get(key) for name, key in keys.items()}
        texts = [msgspec.json.encode(_shown(one, persons)).decode() for one in pairs]
        return [
            msgspec.json.decode(text, type=Review)
            for text in self._vault.show(texts, reveal=reveal, is_json=True)
        ]

    def _say(self, links: Links) -> int:
        """Append what has changed; return how many links were taken back."""
        rows = self._warehouse.read(IN_FORCE).to_pylist()
        old = {_ordered(row["left_name"], row["right_name"]): row["weight"] for row in rows}
        gone = [pair for pair in old if pair not in links]
        changes = [
            *(_message(pair, "unlink", 0) for pair in sorted(gone)),
            *(_message(pair, "link", links[pair]) for pair in sorted(links) if old.get(pair) != links[pair]),
        ]
        at = now_us()
        packed = [pack(changes[start : start + BATCH]) for start in range(0, len(changes), BATCH)]
        if packed:
            self._log.append([Entry(LINKS_SOURCE, "batch", at, one.messages, one.body) for one in packed])
        return len(gone)

    def _reviews(self, people: People, pairs: Sequence[Pair], spec: LinksSpec) -> Iterator[LinkReview]:
        tokens, now = Tokens(self._vault), now_us()
        for pair in pairs:
            reason = _reason(people, pair, spec)
            if reason is None:
                continue
            left, right = (people.names[place] for place in (pair.left, pair.right))
            yield LinkReview(
                hashlib.sha256("\0".join(sorted([left, right])).encode()).hexdigest()[:32],
                left,
                right,
                tokens.token(*_split(left)),
                tokens.token(*_split(right)),
                _units(pair.weight),
                reason,
                msgspec.json.encode(_levels(people, pair)).decode(),
                found_at=now,
            )


def trusted(decided: Sequence[tuple[int, bool]]) -> Iterator[Trust]:
    """Yield what to think of links from each weight up, of decided pairs (weight, whether accepted).

    >>> [(one.precision, one.recall) for one in trusted([(900, True), (700, False), (600, True)])]
    [(1.0, 0.5), (0.5, 0.5), (0.6666666666666666, 1.0)]
    """
    ordered = sorted(decided, reverse=True)
    all_right, right = sum(is_right for _, is_right in ordered), 0
    for place, (weight, is_right) in enumerate(ordered, 1):
        right += is_right
        if place == len(ordered) or ordered[place][0] != weight:
            recall = right / all_right if all_right else 1.0
            yield Trust(weight / WEIGHT_UNITS, place, right / place, recall)


def _reason(people: People, pair: Pair, spec: LinksSpec) -> str | None:
    """Return why a pair waits to be looked at; nothing where it is linked."""
    if pair.weight < spec.accept:
        return "grey"
    return "accounts" if people.unique[pair.left] & people.unique[pair.right] else None


def _levels(people: People, pair: Pair) -> list[Field]:
    return [
        Field(
            level.field,
            level.label,
            round(level.weight, 2),
            _tokens(people.tokens[level.field][pair.left]),
            _tokens(people.tokens[level.field][pair.right]),
        )
        for level in pair.levels
    ]


def _tokens(text: str | None) -> str:
    # Only what can be masked is kept; a value that was never sealed is read where it stands.
    return " ".join(TOKEN.findall(text or ""))


def _shown(pair: LinkReview, persons: Mapping[str, str | None]) -> Review:
    return Review(
        pair.id,
        pair.left_name,
        pair.right_name,
        persons[pair.left_name],
        persons[pair.right_name],
        pair.weight / WEIGHT_UNITS,
        pair.reason,
        msgspec.json.decode(pair.levels, type=list[Field]),
        pair.decision,
        pair.decided_by,
        pair.decided_at,
        pair.found_at,
    )


def _names(people: People, pair: Pair) -> tuple[str, str]:
    return _ordered(people.names[pair.left], people.names[pair.right])


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _split(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    return kind, value


def _units(bits: float) -> int:
    return round(bits * WEIGHT_UNITS)


def _message(pair: tuple[str, str], act: str, weight: int) -> bytes:
    message: dict[str, Any] = {
        "type": "record",
        "object": ASSERTION,
        "key": {"left": pair[0], "right": pair[1]},
        "fields": {"act": act, "weight": weight},
    }
    return msgspec.json.encode(message)
