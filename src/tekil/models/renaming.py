"""What lasts of an audience goes on under a new name: who is in since when, the journal, the sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tekil.dictionary.sql import quoted
from tekil.models.memberships import AUDIENCE_CHANGES, AUDIENCE_SIZES, MEMBERS, RENAMES
from tekil.store import Rename
from tekil.warehouse import Table, Warehouse


def follow(warehouse: Warehouse, renames: Sequence[Rename]) -> bool:
    """Call rows by the names that audiences have now; return whether any were called otherwise.

    `renames` are all there ever were, the first one first. The last one that was followed is kept by the same
    transaction, so each is followed once, whatever crashes.
    """
    last = warehouse.query(f"SELECT max(revision) AS last FROM {RENAMES.name}")["last"][0].as_py() or 0
    new = [rename for rename in renames if rename.revision > last]
    if not new:
        return False
    names = _composed(new)
    for table in (MEMBERS, AUDIENCE_CHANGES, AUDIENCE_SIZES):
        warehouse.derive(f"renamed_{table.name}", _renamed(table, names))
    rows = " UNION ALL ".join(
        f"SELECT CAST({r.revision} AS BIGINT) AS revision, {quoted(r.old)} AS old, {quoted(r.new)} AS new"
        for r in new
    )
    with warehouse.transaction():
        for table in (MEMBERS, AUDIENCE_CHANGES, AUDIENCE_SIZES):
            warehouse.overwrite(table.name, f"SELECT * FROM renamed_{table.name}")
        warehouse.append(RENAMES.name, rows)
    for table in (MEMBERS, AUDIENCE_CHANGES, AUDIENCE_SIZES):
        warehouse.drop(f"renamed_{table.name}")
    return True


def _composed(renames: Sequence[Rename]) -> Mapping[str, str]:
    """Return what each old name became in the end.

    >>> _composed([Rename(2, "audience", "a", "b"), Rename(5, "audience", "b", "c")])
    {'a': 'c', 'b': 'c'}
    """
    names: dict[str, str] = {}
    for rename in renames:
        names = {old: rename.new if new == rename.old else new for old, new in names.items()}
        # An old name that was taken again meanwhile has rows of the first one only: none were written since.
        names.setdefault(rename.old, rename.new)
    return names


def _renamed(table: Table, names: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN {quoted(old)} THEN {quoted(new)}" for old, new in names.items())
    audience = f"CASE audience {cases} ELSE audience END"
    columns = ", ".join(f"{audience} AS audience" if c == "audience" else c for c in table.column_names)
    if table is not AUDIENCE_SIZES:
        return f"SELECT {columns} FROM {table.name}"
    # The new name may have been an audience's before; an hour has one row for each.
    return f"""SELECT hour, audience, CAST(sum(people) AS BIGINT) AS people,
      CAST(sum(entered) AS BIGINT) AS entered, CAST(sum(gone) AS BIGINT) AS gone
      FROM (SELECT {columns} FROM {table.name}) AS sizes GROUP BY hour, audience"""
