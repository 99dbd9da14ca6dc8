"""Features and audiences as forms: from what a form sent to a document, from a document to a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tekil.console.forms import Form
from tekil.definitions import Definition, parse
from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, Type
from tekil.models import AUDIENCE_KIND, FEATURE_KIND
from tekil.models.audiences import ACTIVITY_COLUMNS
from tekil.models.conditions import (
    GROUPS_MAX,
    OPERATORS,
    ROWS_MAX,
    Conditions,
    Field,
    Group,
    Joined,
    Row,
    changed,
    conditions_of,
    fits,
    sql_of,
    trait,
)
from tekil.models.features import read_feature

FORMED = (FEATURE_KIND.name, AUDIENCE_KIND.name)
"""The kinds that have a form; the others are written as they are exported."""

UNNAMED = "unnamed_yet"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor shows. `was` is the name in force, empty for a new one.

    `by` says what its SQL follows from: `rows` (of an audience), or the text itself.
    """

    kind: str
    was: str = ""
    name: str = ""
    title_tr: str = ""
    title_en: str = ""
    owner: str = ""
    description: str = ""
    note: str = ""
    sql: str = ""
    by: str = "text"
    rows: Conditions = field(default_factory=Conditions)


def draft_of(definition: Definition, fields: Mapping[str, Field]) -> Draft:
    """Return the editor's contents for a definition in force."""
    sql = str(definition.spec.get("sql", ""))
    rows = conditions_of(sql, fields) if definition.kind == AUDIENCE_KIND.name else None
    return Draft(
        definition.kind,
        definition.name,
        definition.name,
        definition.title.get("tr", ""),
        definition.title.get("en", ""),
        definition.owner,
        str(definition.spec.get("description", "")),
        sql=sql,
        by="text" if rows is None else "rows",
        rows=rows or Conditions(),
    )


def new_draft(kind: str) -> Draft:
    """Return the editor's contents for a new one."""
    return Draft(kind, by="rows" if kind == AUDIENCE_KIND.name else "text")


def read_draft(form: Form, fields: Mapping[str, Field]) -> Draft:
    """Return what a form holds, after what its button did to the rows.

    Raises `BadRequest` for rows that cannot be written; the draft is then what `unwritten` gives.
    """
    draft = unwritten(form)
    if draft.by == "rows" and form.one("was_by") == "text":
        # Somebody goes on with rows: from what they wrote, where rows can say it.
        rows = conditions_of(draft.sql, fields) if draft.sql.strip() else Conditions()
        return replace(draft, by="text" if rows is None else "rows", rows=rows or draft.rows)
    # Without a script nothing is switched at once: what stands in the text was typed there.
    is_from_rows = form.one("do") == "switch" and form.one("was_by") == "rows"
    if draft.by == "rows" or is_from_rows:
        return replace(draft, sql=sql_of(draft.rows, fields))
    return draft


def unwritten(form: Form) -> Draft:
    """Return what a form holds, its rows not yet made SQL."""
    texts = {name: form.one(name) for name in ("was", "name", "title_tr", "title_en", "owner", "note")}
    kind = form.one("kind")
    by = "rows" if kind == AUDIENCE_KIND.name and form.one("by") == "rows" else "text"
    description, sql = (form.secret(name).replace("\r", "").strip() for name in ("description", "sql"))
    return Draft(kind, description=description, sql=sql, by=by, rows=_rows(form), **texts)


def _rows(form: Form) -> Conditions:
    groups = tuple(
        Group(
            _joined(form.one(f"g{g}_join")),
            tuple(
                Row(form.one(f"g{g}_{r}_field"), form.one(f"g{g}_{r}_op"), form.secret(f"g{g}_{r}_value"))
                for r in range(ROWS_MAX)
                if form.all(f"g{g}_{r}_field")
            ),
        )
        for g in range(GROUPS_MAX)
        if form.all(f"g{g}_join")
    )
    start = Conditions(_joined(form.one("join")), tuple(g for g in groups if g.rows) or (Group(),))
    act, _, place = form.one("do").partition(":")
    group, _, row = place.partition(":")
    of = int(group) if group.isdecimal() else 0
    at = int(row) if row.isdecimal() else 0

    def act_on(rows: list[list[Row]]) -> None:
        if act == "group":
            rows.append([Row()])
        elif act == "row" and of < len(rows):
            rows[of].append(Row())
        elif act == "remove" and of < len(rows) and at < len(rows[of]):
            del rows[of][at]

    return changed(start, act_on)


def _joined(text: str) -> Joined:
    return "or" if text == "or" else "and"


def definition_of(draft: Draft, before: Definition | None) -> Definition:
    """Return the document that a draft writes; members of the spec that have no field stay as they are."""
    title = {"tr": draft.title_tr, "en": draft.title_en}
    spec = {**(before.spec if before else {}), "sql": draft.sql, "description": draft.description}
    name = draft.name or draft.was
    renamed = draft.was if draft.was and draft.was != name else (before.renamed_from if before else "")
    return Definition(
        draft.kind,
        name,
        {language: text for language, text in title.items() if text},
        draft.owner,
        {key: value for key, value in spec.items() if value != ""},
        renamed,
    )


def document(text: str, kind: str = "") -> Definition:
    """Return the one definition of a YAML text. Raises `InvalidDefinitions`, or `BadRequest` for several."""
    found = parse(text)
    if len(found) != 1:
        raise BadRequest("Write exactly one definition here.", code="definitions_missing")
    definition = found[0].definition
    if kind and definition.kind != kind:
        raise BadRequest(f"This is a definition of the kind {kind}; keep it.", code="definition_kind_changed")
    return definition


def fields_of(definitions: list[Definition], traits: list[str], but: str = "") -> dict[str, Field]:
    """Return all that a row can name, by name; `but` is the audience at hand.

    A feature that is called like something of a person's activity hides it, as it does in SQL.
    """
    found = [Field(name, "activity", kind) for name, kind in ACTIVITY_COLUMNS.items()]
    found += [
        Field(d.name, "feature", kind)
        for d in definitions
        if d.kind == FEATURE_KIND.name and (kind := _type(str(d.spec.get("sql", "")))) is not None
    ]
    found += [
        Field(d.name, "audience", Type.BOOLEAN)
        for d in definitions
        if d.kind == AUDIENCE_KIND.name and d.name != but
    ]
    found += [known for name in traits if (known := trait(name)) is not None]
    return {one.name: one for one in found}


def _type(sql: str) -> Type | None:
    try:
        return read_feature(sql).type
    except ExpressionFlaw:
        return None


def operators_for(field: Field) -> list[str]:
    """Return the names of the operators that fit a field."""
    return [name for name, operator in OPERATORS.items() if fits(operator, field)]
