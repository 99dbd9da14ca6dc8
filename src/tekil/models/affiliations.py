"""Affiliations: what ties a person to others without making them one: groups, addresses, telephones.

A row for each group, e-mail address, telephone and postal address that a person's own messages name. Whoever
has the same in common is read from here: persons are grouped, never merged, and no row depends on what
others said.
"""

from __future__ import annotations

from tekil.models.model import Model

GROUP, EMAIL, PHONE, ADDRESS = "group", "email", "phone", "address"
"""How people belong together: said by a group() call, or by what they have in common."""

STREETS = ("address", "address1", "addressline1", "street", "streetaddress", "adres", "acikadres")
CITIES = ("city", "sehir", "şehir", "il")
"""Names of traits, in small letters and without _."""

_NAME = "replace(lowered(name), '_', '')"
_ORDER = "{'seen_at': occurred_at, 'key': message_key}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


AFFILIATIONS = Model(
    "affiliations",
    f"""
SELECT person_key, how, value, key64(how || ':' || value) AS group_key, max(last_seen) AS last_seen,
  CAST(sum(messages) AS BIGINT) AS messages
FROM (
  SELECT told.person_key, k.how,
    CASE k.how WHEN '{GROUP}' THEN told.group_id WHEN '{EMAIL}' THEN told.email ELSE told.phone END AS value,
    told.occurred_at AS last_seen, 1 AS messages
  FROM (
    SELECT person_key, group_id, email, phone, occurred_at FROM person_events
    WHERE group_id IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL
  ) AS told
  CROSS JOIN (
    SELECT '{GROUP}' AS how UNION ALL SELECT '{EMAIL}' AS how UNION ALL SELECT '{PHONE}' AS how
  ) AS k
  UNION ALL
  SELECT person_key, '{ADDRESS}' AS how, street || coalesce(' ' || city, '') AS value, last_seen, messages
  FROM (
    SELECT person_key,
      arg_max(value, {_ORDER}) FILTER (WHERE is_street) AS street,
      arg_max(value, {_ORDER}) FILTER (WHERE NOT is_street) AS city,
      max(occurred_at) FILTER (WHERE is_street) AS last_seen,
      count(*) FILTER (WHERE is_street) AS messages
    FROM (
      SELECT person_key, value, occurred_at, message_key, {_NAME} IN ({_listed(STREETS)}) AS is_street
      FROM person_traits WHERE {_NAME} IN ({_listed((*STREETS, *CITIES))})
    ) AS places
    GROUP BY person_key
  ) AS homes
  WHERE street IS NOT NULL
) AS named
WHERE value IS NOT NULL
GROUP BY person_key, how, value
""",
    {
        "how": "text",
        # A group's id, a token, or, of a postal address, the JSON text of the last one and its city.
        "value": "text",
        # key64 of `how:value`; of an e-mail address or a telephone it is the identifier's key.
        "group_key": "bigint",
        "last_seen": "timestamp",
        "messages": "bigint",
    },
)
"""Everything that may put a person into an organisation or a household; the policy says what of it does."""
