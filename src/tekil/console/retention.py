"""Retention: how long things are kept, what would go now, and what went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import reference as decode
from tekil.api.declared import needs
from tekil.api.routes import StoreHere
from tekil.console.forms import FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.definitions import Definition, InvalidDefinitions, Written, apply, parse, stored
from tekil.errors import NotFound
from tekil.kinds import KINDS
from tekil.retention import RETENTION_KIND, SUGGESTED, Retention, Rule, rules_in_force
from tekil.store import Store

READ = needs(Permission.RETENTION_READ)
WRITE = needs(Permission.RETENTION_WRITE)

RetentionHere = NamedDependency[SkipValidation[Retention | None]]

RUNS_SHOWN = 50

TURKISH = {"day": "gün", "week": "hafta", "month": "ay", "year": "yıl"}
"""The units of a span, as Turkish pages write and read them."""


def shown_span(keep: str, language: str) -> str:
    """Return a span as a language writes it.

    >>> shown_span("25 months", "tr")
    '25 ay'
    """
    count, _, unit = keep.partition(" ")
    return f"{count} {TURKISH[unit.removesuffix('s')]}" if language == "tr" else keep


def read_span(text: str) -> str:
    """Return a span that somebody typed in either language as definitions write it.

    >>> read_span("2 yıl"), read_span("13 months")
    ('2 years', '13 months')
    """
    count, _, unit = text.partition(" ")
    known = {turkish: name for name, turkish in TURKISH.items()}.get(unit.strip().lower())
    return text if known is None else f"{count} {known}{'' if count == '1' else 's'}"


@dataclass(frozen=True, slots=True)
class Row:
    """A rule for display: what it is called, from when on things are over, and how many are."""

    rule: Rule
    title: str
    keep: str
    before: datetime | None
    count: int | None


@get("/retention", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_retention(
    visit: VisitHere, pages: PagesHere, store: StoreHere, retention: RetentionHere
) -> Response[str]:
    """Show the rules with what each would destroy now, and what was destroyed."""
    return _page(visit, pages, store, retention)


def _page(
    visit: Visit, pages: Pages, store: Store, retention: Retention | None, refusal: str = ""
) -> Response[str]:
    return pages.show(
        visit,
        "retention.html",
        status=400 if refusal else 200,
        page="retention",
        rows=_rows(visit, store, retention),
        runs=store.destructions.newest(RUNS_SHOWN, kind="retention"),
        next_run=retention.next_run() if retention else None,
        running=retention is not None and retention.is_running,
        can_run=retention is not None,
        refusal=refusal,
    )


def _rows(visit: Visit, store: Store, retention: Retention | None) -> list[Row]:
    language = visit.words.language
    if retention is None:
        return [_row(rule, language, None, None) for rule in rules_in_force(store.definitions)]
    return [_row(planned.rule, language, planned.before, planned.count) for planned in retention.plan()]


def _row(rule: Rule, language: str, before: datetime | None, count: int | None) -> Row:
    return Row(rule, _title(rule, language), shown_span(rule.spec.keep, language), before, count)


def _title(rule: Rule, language: str) -> str:
    return Definition(RETENTION_KIND.name, rule.name, rule.title).title_in(language)


@post("/retention/suggested", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def adopt_suggested(visit: VisitHere, store: StoreHere) -> Redirect:
    """Put the suggested rules in force, where there are none yet."""
    if not rules_in_force(store.definitions):
        _put(store, visit, parse(SUGGESTED))
    return go("/retention")


@post("/retention/run", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def run_now(visit: VisitHere, store: StoreHere, retention: RetentionHere) -> Redirect:
    """Have the rules run as soon as the engine has a moment."""
    if retention is not None:
        store.audit.append(visit.actor, Act.RETENTION_RUN, "retention")
        retention.ask()
    return go("/retention")


@post("/retention/{name:str}", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def change_rule(
    name: FromPath[str],
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    store: StoreHere,
    retention: RetentionHere,
) -> Response[str] | Redirect:
    """Keep a rule's class for another span."""
    wanted = decode(name)
    versions = [v for v in store.definitions.current(RETENTION_KIND.name) if v.name == wanted]
    if not versions:
        raise NotFound(f"There is no rule {wanted!r}.", code="rule_unknown")
    before = stored(versions[0])
    after = msgspec.structs.replace(before, spec={**before.spec, "keep": read_span(form.one("keep"))})
    try:
        _put(store, visit, [Written(after)])
    except InvalidDefinitions as error:
        told = visit.words("retention.refused", text=" ".join(problem.text for problem in error.problems))
        return _page(visit, pages, store, retention, told)
    return go("/retention")


def _put(store: Store, visit: Visit, wanted: list[Written]) -> None:
    changes = apply(store, KINDS, wanted, author=visit.user.name if visit.user else "")
    for change in changes:
        store.audit.append(visit.actor, Act.DEFINITION_CHANGED, change.kind, change.name)


ROUTES = [show_retention, adopt_suggested, run_now, change_rule]
