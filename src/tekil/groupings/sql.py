"""The SELECTs of groupings over `affiliations`, as the policy says what groups people."""

from __future__ import annotations

from collections.abc import Sequence

from tekil.dictionary.sql import quoted
from tekil.identifiers import HouseholdsSpec, OrganisationsSpec

DOMAINS = "SELECT DISTINCT shadow FROM sealed_values WHERE kind = 'email' AND shadow IS NOT NULL"

NOBODY = "SELECT person_key, how, value AS name, last_seen FROM affiliations WHERE FALSE"


def listed(texts: Sequence[str]) -> str:
    """Return texts as the inside of an IN list; one that nothing is, where there are none."""
    return ", ".join(map(quoted, texts)) or "NULL"


def organisation_people(spec: OrganisationsSpec, free: Sequence[str]) -> str:
    """Return the SELECT of who is in which organisation (`person_key`, `how`, `name`, `last_seen`)."""
    parts = []
    if spec.groups:
        parts.append(
            "SELECT person_key, 'group' AS how, value AS name, last_seen FROM affiliations"
            " WHERE how = 'group'"
        )
    if spec.domains:
        taken_out = f" AND s.shadow NOT IN ({listed(free)})" if free else ""
        parts.append(
            "SELECT a.person_key, 'domain' AS how, s.shadow AS name, max(a.last_seen) AS last_seen"
            " FROM affiliations a JOIN sealed_values s ON s.token = a.value"
            f" WHERE a.how = 'email' AND s.shadow IS NOT NULL{taken_out} GROUP BY a.person_key, s.shadow"
        )
    return " UNION ALL ".join(parts) or NOBODY


def organisations(people: str, where: str, limit: int, offset: int = 0) -> str:
    """Return the SELECT of organisations, those of most people first; `where` is a condition over `name`."""
    return (
        f"SELECT how, name, count(*) AS people, max(last_seen) AS last_seen FROM ({people}) AS people"
        f" WHERE {where} GROUP BY how, name ORDER BY people DESC, name, how LIMIT {limit} OFFSET {offset}"
    )


def household_people(spec: HouseholdsSpec, free: Sequence[str]) -> str:
    """Return the SELECT of who has what in common, whoever else has it (`person_key`, `how`, `group_key`)."""
    hows = [how for how in ("phone", "address") if getattr(spec, how)]
    columns = "a.person_key, a.how, a.value, a.group_key, a.last_seen"
    parts = [f"SELECT {columns} FROM affiliations a WHERE a.how IN ({listed(hows)})"]
    if spec.email:
        parts.append(
            f"SELECT {columns} FROM affiliations a JOIN sealed_values s ON s.token = a.value"
            f" WHERE a.how = 'email' AND s.shadow IN ({listed(free)})"
        )
    return " UNION ALL ".join(parts)


def households(people: str, people_max: int, limit: int, offset: int = 0) -> str:
    """Return the SELECT of households, the largest first.

    What the same people have in common is one household: who is first and last, how many, and a sum tell
    sets of people apart. `group_key` is the least of what they have in common.
    """
    return f"""
SELECT min(group_key) AS group_key, people, max(last_seen) AS last_seen FROM (
  SELECT group_key, count(*) AS people, max(last_seen) AS last_seen, min(person_key) AS first_person,
    max(person_key) AS last_person, sum(person_key % 1000000007) AS mixed
  FROM ({people}) AS people
  GROUP BY group_key HAVING count(*) BETWEEN 2 AND {people_max}
) AS grouped
GROUP BY first_person, last_person, people, mixed
ORDER BY people DESC, last_seen DESC, group_key LIMIT {limit} OFFSET {offset}
"""


def tie(people: str, group_keys: Sequence[int], people_max: int) -> str:
    """Return the SELECT of who has some things in common: a row for each person and thing."""
    keys = ", ".join(str(int(key)) for key in group_keys) or "NULL"
    return f"""
SELECT p.group_key, p.how, p.value, p.person_key, p.last_seen FROM ({people}) AS p JOIN (
  SELECT group_key FROM ({people}) AS people WHERE group_key IN ({keys})
  GROUP BY group_key HAVING count(*) BETWEEN 2 AND {people_max}
) AS tied ON tied.group_key = p.group_key
ORDER BY p.group_key, p.person_key
"""


def accounts(people: str, of: str) -> str:
    """Return the SELECT of shared identifiers that an organisation's people name, the most used first."""
    return f"""
SELECT a.how AS kind, a.value, count(*) AS people FROM affiliations a
JOIN shared s ON s.identifier_key = a.group_key
WHERE a.how IN ('email', 'phone') AND a.person_key IN (
  SELECT person_key FROM ({people}) AS people WHERE {of})
GROUP BY a.how, a.value ORDER BY people DESC, a.value LIMIT 50
"""
