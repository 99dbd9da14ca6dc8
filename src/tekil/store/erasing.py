"""What erasing a person does with each table of the store: said beside the table, by its `info`.

    notes = Table("notes", metadata, …, info=rows_of(person="person_id"))

A table that says nothing fails `tests/store/test_erasing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Erased:
    """What becomes of a table's rows.

    `delete` deletes those of the person, `pseudonymise` puts a keyed hash in the place of their token and
    `instead` in other columns, `own` says that erasure knows what to do by itself, `keep` that no row is
    anybody's, or that the law wants it: then `because` says why. `person` and `token` name the column that
    tells whose a row is, `other` that of a second token where it is two people's; `unfinished` (a column and
    values) the rows that are deleted all the same.
    """

    what: Literal["delete", "pseudonymise", "own", "keep"]
    because: str = ""
    person: str = ""
    token: str = ""
    other: str = ""
    instead: Mapping[str, str] = field(default_factory=dict)
    unfinished: tuple[str, tuple[str, ...]] | None = None


def rows_of(*, person: str = "", token: str = "", other: str = "") -> dict[str, Any]:
    """Declare that rows go whose `person` column is theirs, or whose `token` or `other` is one of theirs."""
    return {"erasure": Erased("delete", person=person, token=token, other=other)}


def pseudonymised(
    token: str,
    because: str,
    *,
    unfinished: tuple[str, tuple[str, ...]] | None = None,
    **instead: str,
) -> dict[str, Any]:
    """Declare that rows stay as a proof, with a keyed hash for the token and `instead` for other columns."""
    return {"erasure": Erased("pseudonymise", because, token=token, instead=instead, unfinished=unfinished)}


def erased_apart(how: str) -> dict[str, Any]:
    """Declare that erasure has code of its own for the table."""
    return {"erasure": Erased("own", how)}


def kept(why: str) -> dict[str, Any]:
    """Declare that rows stay, because they are nobody's or the law wants them."""
    return {"erasure": Erased("keep", why)}
