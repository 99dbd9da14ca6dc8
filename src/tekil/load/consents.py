"""What the new events say of consent: distinct values only, so that a banner's state is read once a cycle."""

from __future__ import annotations

import pyarrow as pa

from tekil.warehouse import Warehouse

PARTS = {
    "consent": "consent",
    "consent_management": "consentManagement",
    "onetrust_groups": "OnetrustActiveGroups",
    "tc_string": "tcString",
    "gpc": "gpc",
}
"""Column → the member of `context` that it holds, as text; an object as its JSON."""

_READ = ", ".join(f"json_member(context, '{member}') AS {column}" for column, member in PARTS.items())
_SAID = " OR ".join(f"{column} IS NOT NULL" for column in PARTS)
_ORDER = "{'seen_at': occurred_at, 'key': message_key}"
_WHO = "kind, value, source"

SAID = f"""
SELECT {_WHO}, {", ".join(PARTS)},
  min(occurred_at) AS first_at, arg_min(message_id, {_ORDER}) AS first_message,
  max(occurred_at) AS last_at, arg_max(message_id, {_ORDER}) AS last_message
FROM (
  SELECT CASE WHEN user_id IS NOT NULL THEN 'user_id' ELSE 'anonymous_id' END AS kind,
    coalesce(user_id, anonymous_id) AS value, source, message_id, message_key, occurred_at, {_READ}
  FROM new_events WHERE context IS NOT NULL
) AS contexts
WHERE {_SAID}
GROUP BY {_WHO}, {", ".join(PARTS)}
"""
"""One row for each state that somebody's messages said, with the first and the last message that did."""


def consents_said(warehouse: Warehouse) -> pa.Table:
    """Return the rows of `SAID`, after `prepare` and before `keep`. Instants are UTC without a zone."""
    return warehouse.query(SAID)
