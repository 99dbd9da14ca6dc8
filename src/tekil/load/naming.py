"""What else names a person in a message: external ids, devices, traits and records that the policy speaks of.

The engine finds what is said; each distinct value comes here once, to be brought into its normal form, looked
at, and sealed. Most messages say none of it, and cost a look at two texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from tekil.dictionary.sql import quoted
from tekil.identifiers import SEALED, Policy, kind_of
from tekil.load.sealing import seal_id
from tekil.load.tables import REFUSED_IDENTIFIERS, SEALED_VALUES
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN, Kind
from tekil.privacy.shadows import shadow
from tekil.warehouse import Warehouse, arrow_schema

_WHERE = "position, number, source, message_key, occurred_at"

DEVICE = {"id": "device_id", "advertisingId": "advertising_id"}
"""Member of `context.device` → kind."""

EXTERNAL = f"""
SELECT {_WHERE}, json_member(context, 'externalIds') AS ids FROM opened
WHERE NOT is_wrong AND strpos(context, '"externalIds"') > 0
  AND starts_with(json_member(context, 'externalIds'), '[')
"""

_EXTERNAL_SAID = f"""
SELECT {_WHERE}, json_member(element, 'type') AS type, json_member(element, 'id') AS value
FROM elements_of(external_ids, ids)
WHERE coalesce(json_member(element, 'collection'), 'users') = 'users'
"""

NAMED = pa.schema([(name, pa.string()) for name in ("type", "value", "kind", "name", "reason")])
"""What was said → what it is known as (`kind:value`), or why it is no identifier."""

JUDGED = """
SELECT s.position, s.number, s.source, s.message_key, s.occurred_at, n.kind, n.name, n.reason
FROM said_identifiers s JOIN named_values n ON n.type = s.type AND n.value = s.value
"""

STAYING = """
SELECT j.* FROM judged_identifiers j
JOIN (SELECT position, number FROM opened) AS o ON o.position = j.position AND o.number = j.number
"""

Named = Mapping[str, tuple[Kind, str]]
"""Token in `judged_identifiers` → the kind and the value it stands for. The vault has none of them yet:
whether a message stays is only clear once it is known whom it names."""


def named_identifiers(most: int) -> str:
    """Return the SELECT of the identifiers of each message as the members of a JSON object, sorted."""
    return f"""
SELECT position, number, json_object_of(name, '1') AS identifiers
FROM (SELECT DISTINCT position, number, name FROM judged_identifiers WHERE name IS NOT NULL) AS named
GROUP BY position, number HAVING count(*) <= {most}
"""


def new_refusals(most: int) -> str:
    """Return the SELECT of what is no identifier, counted by source, kind and reason."""
    return f"""
WITH fresh AS (
  SELECT * FROM judged_identifiers j WHERE NOT EXISTS (
    SELECT 1 FROM repeated r WHERE r.position = j.position AND r.number = j.number
  )
)
SELECT refusal_key, source, kind, reason, CAST(sum(messages) AS BIGINT) AS messages,
  min(sample_key) AS sample_key, max(last_seen) AS last_seen
FROM (
  SELECT key64(source || ':' || kind || ':' || reason) AS refusal_key, source, kind, reason,
    1 AS messages, message_key AS sample_key, occurred_at AS last_seen
  FROM (
    SELECT source, kind, reason, message_key, occurred_at FROM fresh WHERE reason IS NOT NULL
    UNION ALL
    SELECT source, '' AS kind, 'too_many' AS reason, message_key, max(occurred_at) AS occurred_at
    FROM fresh WHERE name IS NOT NULL GROUP BY source, message_key HAVING count(DISTINCT name) > {most}
  ) AS refused
  UNION ALL
  SELECT refusal_key, source, kind, reason, messages, sample_key, last_seen FROM {REFUSED_IDENTIFIERS.name}
) AS counted
GROUP BY refusal_key, source, kind, reason
"""


def said_identifiers(policy: Policy) -> Iterator[str]:
    """Yield the SELECTs of what messages say, by the names they say it under."""
    yield _EXTERNAL_SAID
    for member, kind in DEVICE.items():
        yield _said(kind, "context", f"device.{member}", f"strpos(context, '\"{member}\"') > 0")
    for trait, kind in sorted(policy.spec.traits.items()):
        yield _said(kind, "traits", trait, f"type = 'identify' AND strpos(traits, {quoted(trait)}) > 0")
    for record, members in sorted(policy.spec.records.items()):
        for path, kind in sorted(members.items()):
            root, _, rest = path.partition(".")
            yield _said(kind, root, rest, f"type = 'record' AND object = {quoted(record)}")


def _said(kind: str, column: str, path: str, condition: str) -> str:
    value = column
    for step in path.split("."):
        # Step by step: not every engine walks a path that is put together.
        value = f"json_member({value}, {quoted(step)})"
    return (
        f"SELECT {_WHERE}, '{kind}' AS type, {value} AS value FROM opened"
        f" WHERE NOT is_wrong AND {column} IS NOT NULL AND {condition}"
    )


def may_name(bodies: pa.Table, policy: Policy) -> bool:
    """Return whether any body may name a person otherwise than by what every message has a member for."""
    if policy.spec.records:
        return True
    words = ["externalIds", "advertisingId", '"device"', *map(re.escape, policy.spec.traits)]
    return bool(pc.any(pc.match_substring_regex(bodies["body"], "|".join(words))).as_py())


def find_named(warehouse: Warehouse, policy: Policy, vault: Vault) -> Named | None:
    """Stage `judged_identifiers` from `opened`; return what it names, nothing where nothing is named."""
    warehouse.derive("external_ids", EXTERNAL)
    union = " UNION ALL ".join(said_identifiers(policy))
    warehouse.derive("said_identifiers", f"SELECT * FROM ({union}) AS said WHERE trim(value, ' ') <> ''")
    values = warehouse.query("SELECT DISTINCT type, value FROM said_identifiers WHERE type IS NOT NULL")
    if not values.num_rows:
        return None
    judged, taken = judge_values(values, policy, vault)
    warehouse.stage("named_values", judged)
    warehouse.derive("judged_identifiers", JUDGED)
    return taken


def name_identifiers(
    warehouse: Warehouse, policy: Policy, vault: Vault, named: Named, *, are_some_gone: bool
) -> None:
    """Stage `named_identifiers`, what `opened` still holds of `judged_identifiers`; keep its values.

    Personal values are in the vault then. Raises `Unavailable` while the store is away.
    """
    taken = named
    if are_some_gone:
        warehouse.derive("judged_identifiers", STAYING)
        names = warehouse.query("SELECT DISTINCT name FROM judged_identifiers WHERE name IS NOT NULL")
        staying = {token for name in names["name"].to_pylist() for token in TOKEN.findall(name)}
        taken = {token: value for token, value in taken.items() if token in staying}
    vault.keep((token, kind, value) for token, (kind, value) in taken.items())
    shadows = [(token, kind, shadow(kind, value)) for token, (kind, value) in taken.items()]
    told = [dict(zip(SEALED_VALUES.column_names, row, strict=True)) for row in shadows]
    warehouse.stage("named_shadows", pa.Table.from_pylist(told, arrow_schema(SEALED_VALUES)))
    warehouse.derive("named_identifiers", named_identifiers(policy.spec.identifiers_max))


def judge_values(values: pa.Table, policy: Policy, vault: Vault) -> tuple[pa.Table, Named]:
    """Return `NAMED` rows for distinct `type` and `value`, and what their tokens stand for."""
    rows: list[tuple[str, str, str, str | None, str | None]] = []
    taken: dict[str, tuple[Kind, str]] = {}
    for type_, value in zip(values["type"].to_pylist(), values["value"].to_pylist(), strict=True):
        kind = kind_of(type_)
        plain = None if kind is None else policy.normalise(kind, value)
        if kind is None or plain is None:
            rows.append((type_, value, kind or "", None, "kind_invalid" if kind is None else "invalid"))
        elif policy.is_blocked(plain):
            rows.append((type_, value, kind, None, "blocked"))
        else:
            rows.append((type_, value, kind, f"{kind}:{_sealed(kind, plain, vault, taken)}", None))
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=NAMED), taken


def _sealed(kind: str, plain: str, vault: Vault, taken: dict[str, tuple[Kind, str]]) -> str:
    """Return a value as the tables hold it; note in `taken` what the vault must keep."""

    def token(of: Kind, value: str) -> str:
        made = vault.token(of, value)
        taken[made] = of, value
        return made

    return token(SEALED[kind], plain) if kind in SEALED else seal_id(plain, token)


def keep_named(warehouse: Warehouse) -> None:
    """Write what `name_identifiers` staged beside the events, inside the engine's transaction."""
    warehouse.replace(
        REFUSED_IDENTIFIERS.name, "new_refused_identifiers", "SELECT * FROM new_refused_identifiers"
    )
    warehouse.append(
        SEALED_VALUES.name,
        f"SELECT * FROM named_shadows n WHERE NOT EXISTS (SELECT 1 FROM {SEALED_VALUES.name} s"
        " WHERE s.token = n.token)",
    )
