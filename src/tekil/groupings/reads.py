"""What is read of organisations and households: lists, cards, people, and where somebody belongs."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tekil.dictionary.sql import quoted
from tekil.errors import NotFound
from tekil.groupings import sql
from tekil.groupings.free_mail import free_among
from tekil.groupings.model import (
    Account,
    Affinity,
    Belonging,
    Household,
    Member,
    Organisation,
    OrganisationCard,
    Page,
)
from tekil.identifiers import Policy
from tekil.identity import person_id, person_key
from tekil.load import seal_id
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN
from tekil.reads import MovedPerson, Reads, TimelineEvent
from tekil.store import Card, Store

CALLS_MAX = 200
"""Group() calls that are looked through for an organisation's traits, the newest."""

EVENTS_SHOWN, EVENTS_OF = 20, 200
"""Latest events of an organisation, and of how many of its people, those last seen."""

BELONGING_MAX = 20
_HOUSEHOLD = re.compile("h[0-7][0-9a-f]{15}")
_ORDER = {"address": 0, "phone": 1, "email": 2}

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')
"""A string of JSON, and whether it names a member."""


def plain(value: str) -> str:
    """Return what an affiliation's value says, without the marks of JSON; one that is none as it is.

    >>> plain('"Gazi Cad. 1" "İzmir"'), plain('{"street":"Gazi Cad. 1"}'), plain("+90 ••• 67")
    ('Gazi Cad. 1 İzmir', 'Gazi Cad. 1', '+90 ••• 67')
    """
    texts = [text for text, is_name in _TEXT.findall(value) if not is_name]
    return " ".join(msgspec.json.decode(f'"{text}"') for text in texts) if texts else value


def utc(instant: datetime) -> datetime:
    """Return an instant as UTC."""
    return instant.replace(tzinfo=UTC)


class Groupings:
    """Reads of groupings. For many threads. Values are masked; people are as `Reads` gives them."""

    def __init__(self, reads: Reads, store: Store, vault: Vault) -> None:
        """Take what reads the warehouse and cards, the store of the policy, and the vault for masks."""
        self._reads, self._store, self._vault = reads, store, vault
        self._lock = threading.Lock()
        self._free: tuple[int, int, list[str]] = (-1, -1, [])

    def organisations(self, text: str = "", limit: int = 50, offset: int = 0) -> list[Organisation]:
        """Return organisations, those of most people first; whose id holds `text`, where there is one."""
        wanted = seal_id(text.strip().lower(), self._vault.token).replace("\0", "")
        where = f"strpos(lowered(name), {quoted(wanted)}) > 0" if wanted else "TRUE"
        select = sql.organisations(self._organisation_people(), where, int(limit), int(offset))
        return self._organisations(self._rows(select))

    def organisation(self, reference: str) -> OrganisationCard:
        """Return everything on an organisation's card. Raises `NotFound`."""
        of, people = self._of(reference), self._organisation_people()
        rows = self._organisations(self._rows(sql.organisations(people, of, 1)))
        if not rows:
            raise NotFound(
                f"There is no organisation {reference!r}; write group:… or domain:….",
                code="organisation_unknown",
            )
        kind, _, name = reference.partition(":")
        members = f"SELECT person_key FROM ({people}) AS people WHERE {of}"
        counted = self._rows(
            "SELECT sum(events) AS events, sum(events_30d) AS events_30d, min(first_seen) AS first_seen"
            f" FROM activity WHERE person_key IN ({members})"
        )[0]
        return OrganisationCard(
            rows[0],
            self._traits(self._sealed(name)) if kind == "group" else {},
            self._domains(members),
            int(counted["events"] or 0),
            int(counted["events_30d"] or 0),
            utc(counted["first_seen"]) if counted["first_seen"] else None,
            self._accounts(people, of),
        )

    def latest(self, reference: str) -> list[TimelineEvent]:
        """Return the last things that an organisation's people did, of those who were seen last."""
        of, people = self._of(reference), self._organisation_people()
        return self._latest(f"SELECT person_key FROM ({people}) AS people WHERE {of}")

    def organisation_people(self, reference: str, limit: int = 50, offset: int = 0) -> Page:
        """Return an organisation's people, those last seen there first. Raises `NotFound` where none is."""
        of, people = self._of(reference), self._organisation_people()
        rows = self._rows(
            f"SELECT person_key, last_seen FROM ({people}) AS people WHERE {of}"
            f" ORDER BY last_seen DESC, person_key LIMIT {int(limit) + 1} OFFSET {int(offset)}"
        )
        if not rows and not offset:
            raise NotFound(
                f"Nobody is of {reference!r}; write group:… or domain:….", code="organisation_unknown"
            )
        shown = [Member(card, utc(row["last_seen"])) for row in rows[:limit] if (card := self._card(row))]
        return Page(shown, offset + limit if len(rows) > limit else None)

    def households(self, limit: int = 50, offset: int = 0) -> list[Household]:
        """Return households, the largest first."""
        people, most = self._household_people()
        rows = self._rows(sql.households(people, most, int(limit), int(offset)))
        found = self._households([row["group_key"] for row in rows])
        return [found[row["group_key"]][0] for row in rows if row["group_key"] in found]

    def household(self, reference: str) -> tuple[Household, list[Member]]:
        """Return a household and its people. Raises `NotFound`."""
        key = int(reference[1:], 16) if _HOUSEHOLD.fullmatch(reference) else None
        found = {} if key is None else self._households([key])
        if key not in found:
            raise NotFound(f"There is no household {reference!r}.", code="household_unknown")
        household, persons = found[key]
        members = [
            Member(card, utc(seen))
            for one, seen in persons.items()
            if (card := self._card({"person_key": one}))
        ]
        return household, members

    def of_person(self, reference: str) -> Belonging:
        """Return where a person (by id) belongs; nowhere for what is no id."""
        key = person_key(reference)
        if key is None:
            return Belonging([], [])
        people = self._organisation_people()
        own = self._rows(
            f"SELECT how, name FROM ({people}) AS people WHERE person_key = {key} LIMIT {BELONGING_MAX}"
        )
        names = " OR ".join(f"(how = '{row['how']}' AND name = {quoted(row['name'])})" for row in own)
        rows = self._rows(sql.organisations(people, names, BELONGING_MAX)) if own else []
        ties = self._rows(f"SELECT group_key FROM affiliations WHERE person_key = {key} AND how <> 'group'")
        found = self._households([row["group_key"] for row in ties])
        households = {household.id: household for household, _ in found.values()}
        return Belonging(self._organisations(rows), list(households.values()))

    def _households(self, keys: Sequence[int]) -> dict[int, tuple[Household, dict[int, Any]]]:
        """Return, by the key of a thing in common, the household that has it, with persons and when seen.

        All that the same people have in common is told, whichever of it was asked for.
        """
        people, most = self._household_people()
        asked = self._shared_by(self._rows(sql.tie(people, keys, most))) if keys else {}
        persons = sorted({person for _, members in asked.values() for person in members})
        listed = ", ".join(map(str, persons)) or "NULL"
        more = self._rows(f"SELECT DISTINCT group_key FROM affiliations WHERE person_key IN ({listed})")
        beside = [row["group_key"] for row in more]
        everything = self._shared_by(self._rows(sql.tie(people, beside, most))) if beside else {}
        by_people: dict[frozenset[int], list[int]] = {}
        for key, (_, members) in everything.items():
            by_people.setdefault(frozenset(members), []).append(key)
        found: dict[int, tuple[Household, dict[int, Any]]] = {}
        for key, (_, members) in asked.items():
            same = by_people.get(frozenset(members), [key])
            common = sorted((everything[one][0] for one in same), key=lambda a: (_ORDER[a.how], a.value))
            shown = self._vault.show([one.value for one in common], is_json=True)
            told = [Affinity(one.how, plain(text)) for one, text in zip(common, shown, strict=True)]
            household = Household(f"h{min(same):016x}", told, len(members), utc(max(members.values())))
            found[key] = household, members
        return found

    @staticmethod
    def _shared_by(rows: Sequence[dict[str, Any]]) -> dict[int, tuple[Affinity, dict[int, Any]]]:
        found: dict[int, tuple[Affinity, dict[int, Any]]] = {}
        for row in rows:
            _, members = found.setdefault(row["group_key"], (Affinity(row["how"], row["value"]), {}))
            members[row["person_key"]] = row["last_seen"]
        return found

    def _of(self, reference: str) -> str:
        """Return the condition of an organisation. Raises `NotFound` for what names none."""
        kind, colon, name = reference.partition(":")
        if not colon or kind not in ("group", "domain") or "\0" in name:
            raise NotFound(
                f"There is no organisation {reference!r}; write group:… or domain:….",
                code="organisation_unknown",
            )
        return f"how = '{kind}' AND name = {quoted(self._sealed(name) if kind == 'group' else name.lower())}"

    def _sealed(self, name: str) -> str:
        return name if TOKEN.fullmatch(name) else seal_id(name, self._vault.token)

    def _organisations(self, rows: Sequence[dict[str, Any]]) -> list[Organisation]:
        groups = [row["name"] for row in rows if row["how"] == "group"]
        called = self._called(groups) if groups else {}
        names = self._vault.show([called.get((row["how"], row["name"]), row["name"]) for row in rows])
        return [
            Organisation(
                f"{row['how']}:{row['name']}", row["how"], name, int(row["people"]), row["last_seen"]
            )
            for row, name in zip(rows, names, strict=True)
        ]

    def _called(self, groups: Sequence[str]) -> dict[tuple[str, str], str]:
        """Return what group() calls said last that groups are called."""
        rows = self._rows(
            "SELECT group_id, arg_max(name, {'seen_at': occurred_at, 'key': message_key}) AS name FROM ("
            "SELECT group_id, variant_text(traits, 'name') AS name, occurred_at, message_key FROM events"
            f" WHERE type = 'group' AND group_id IN ({sql.listed(groups)})) AS calls"
            " WHERE name IS NOT NULL GROUP BY group_id"
        )
        return {("group", row["group_id"]): row["name"] for row in rows}

    def _traits(self, group: str) -> dict[str, Any]:
        rows = self._rows(
            "SELECT variant_json(traits) AS traits FROM events"
            f" WHERE type = 'group' AND group_id = {quoted(group)} AND traits IS NOT NULL"
            f" ORDER BY occurred_at DESC, message_key DESC LIMIT {CALLS_MAX}"
        )
        traits: dict[str, Any] = {}
        for text in self._vault.show([row["traits"] for row in rows], is_json=True):
            traits = {**msgspec.json.decode(text), **traits}
        return traits

    def _domains(self, members: str) -> dict[str, int]:
        rows = self._rows(
            "SELECT s.shadow, count(DISTINCT a.person_key) AS people FROM affiliations a"
            f" JOIN sealed_values s ON s.token = a.value WHERE a.how = 'email' AND s.shadow IS NOT NULL"
            f" AND a.person_key IN ({members}) GROUP BY s.shadow ORDER BY people DESC, s.shadow LIMIT 10"
        )
        return {row["shadow"]: int(row["people"]) for row in rows}

    def _accounts(self, people: str, of: str) -> list[Account]:
        rows = self._rows(sql.accounts(people, of))
        shown = self._vault.show([row["value"] for row in rows])
        return [
            Account(row["kind"], value, int(row["people"])) for row, value in zip(rows, shown, strict=True)
        ]

    def _latest(self, members: str) -> list[TimelineEvent]:
        persons = self._rows(
            f"SELECT person_key FROM activity WHERE person_key IN ({members})"
            f" ORDER BY last_seen DESC, person_key LIMIT {EVENTS_OF}"
        )
        listed = ", ".join(str(int(row["person_key"])) for row in persons) or "NULL"
        rows = self._rows(
            f"""
            SELECT message_id, source, type, event, occurred_at, received_at, url, title, campaign,
              CAST(NULL AS VARCHAR) AS properties
            FROM timeline t LEFT JOIN ownership o ON o.identifier_key = t.identifier_key
              AND t.occurred_at >= o.valid_from AND t.occurred_at < o.valid_until
            WHERE t.identifier_key IN (SELECT identifier_key FROM identity WHERE person_key IN ({listed}))
              AND coalesce(o.person_key IN ({listed}), TRUE)
            ORDER BY occurred_at DESC, message_key DESC LIMIT {EVENTS_SHOWN}
            """
        )
        shown = self._vault.show([msgspec.json.encode(rows).decode()], is_json=True)[0]
        return msgspec.json.decode(shown, type=list[TimelineEvent])

    def _organisation_people(self) -> str:
        policy, free = self._policy()
        return sql.organisation_people(policy.spec.organisations, free)

    def _household_people(self) -> tuple[str, int]:
        policy, free = self._policy()
        return sql.household_people(policy.spec.households, free), policy.spec.households.people_max

    def _policy(self) -> tuple[Policy, list[str]]:
        """Return the policy in force, and which of the domains there are are free mail by it."""
        policy = Policy.read(self._store.definitions)
        known = int(self._rows("SELECT count(*) AS known FROM sealed_values")[0]["known"])
        with self._lock:
            kept, revision, free = self._free
            if (kept, revision) != (known, policy.revision):
                domains = [row["shadow"] for row in self._rows(sql.DOMAINS)]
                free = free_among(domains, policy.spec.organisations)
                self._free = known, policy.revision, free
        return policy, free

    def _rows(self, select: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._reads.answers(select).to_pylist()
        return rows

    def _card(self, row: dict[str, Any]) -> Card | None:
        """Return a person's card, masked; nothing in the moment in which it is being published."""
        try:
            return self._reads.profile(person_id(row["person_key"]))
        except (NotFound, MovedPerson):
            return None
