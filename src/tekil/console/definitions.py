"""Definitions in the console: all of them, one with its versions, the editor, the plan before it is so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import needs, segment
from tekil.api import reference as decode
from tekil.api.routes import ReadsHere, StoreHere
from tekil.audience_reads import AudienceReads, Move
from tekil.console.editing import (
    FORMED,
    UNNAMED,
    Draft,
    definition_of,
    document,
    draft_of,
    fields_of,
    new_draft,
    operators_for,
    read_draft,
    unwritten,
)
from tekil.console.forms import FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.picture import draw
from tekil.console.visit import Visit, VisitHere
from tekil.definitions import (
    Definition,
    InvalidDefinitions,
    Key,
    Written,
    apply,
    dependents,
    difference,
    dump,
    stored,
    uses,
)
from tekil.errors import BadRequest, Forbidden, NotFound, TekilError
from tekil.kinds import KINDS
from tekil.models import AUDIENCE_KIND
from tekil.models.conditions import OPERATORS, Field
from tekil.planning import Plan, Planning, Preview
from tekil.privacy.typed import check_typed
from tekil.reads import Reads
from tekil.store import Card, Store, Version

READ = needs(Permission.AUDIENCES_READ)
WRITE = needs(Permission.AUDIENCES_WRITE)

ASKS_MORE = {
    "dictionary": Permission.DICTIONARY_WRITE,
    "event": Permission.DICTIONARY_WRITE,
    "identity": Permission.DICTIONARY_WRITE,
    "retention": Permission.RETENTION_WRITE,
}
"""Kind → what changing it here asks for beside `audiences:write`."""

TRAITS_OFFERED = 60
TRAITS_SECONDS = 60.0

AudiencesHere = NamedDependency[SkipValidation[AudienceReads]]
PlanningHere = NamedDependency[SkipValidation[Planning]]


class Traits:
    """Which traits people have, the most common first; asked of the warehouse once a minute."""

    def __init__(self, reads: Reads) -> None:
        """Take what reads the warehouse."""
        self._reads, self._until, self._names = reads, 0.0, list[str]()

    def names(self) -> list[str]:
        """Return the names."""
        if time.monotonic() >= self._until:
            rows = self._reads.sql(
                "SELECT name, count(*) AS n FROM traits GROUP BY name ORDER BY n DESC, name"
                f" LIMIT {TRAITS_OFFERED}"
            )
            self._names = rows["name"].to_pylist() if "name" in rows.column_names else []
            self._until = time.monotonic() + TRAITS_SECONDS
        return self._names


TraitsHere = NamedDependency[SkipValidation[Traits]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A definition in the list: how many people are in it, where it is an audience, and how many use it."""

    version: Version
    definition: Definition
    people: int | None
    users: int


@dataclass(frozen=True, slots=True)
class Live:
    """What a draft gives as it stands: a refusal, a feature's answers, or whom an audience would hold."""

    refusal: str = ""
    preview: Preview | None = None
    move: Move | None = None
    sample: Sequence[Card] = ()
    compared: bool = False


@get("/definitions", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_definitions(
    visit: VisitHere, pages: PagesHere, store: StoreHere, audiences: AudiencesHere, reads: ReadsHere
) -> Response[str]:
    """Show everything that is defined, kind by kind."""
    versions = store.definitions.current()
    found = [stored(version) for version in versions]
    used = uses(found)
    sizes = {one.name: one.people for one in audiences.all()}
    rows = [
        Listed(
            version,
            definition,
            sizes.get(definition.name) if definition.kind == AUDIENCE_KIND.name else None,
            sum((definition.kind, definition.name) in parts for parts in used.values()),
        )
        for version, definition in zip(versions, found, strict=True)
    ]
    order = [*FORMED, *(kind for kind in KINDS if kind not in FORMED)]
    groups = [(kind, [row for row in rows if row.definition.kind == kind]) for kind in order]
    return pages.show(
        visit,
        "definitions.html",
        page="definitions",
        groups=[(kind, mine) for kind, mine in groups if mine or kind in FORMED],
        formed=FORMED,
        doing=reads.doing(),
        may_write=visit.may(Permission.AUDIENCES_WRITE),
    )


@get("/definitions/now", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_doing(visit: VisitHere, pages: PagesHere, reads: ReadsHere) -> dict[str, Any]:
    """Return how far the engine has come with what was applied."""
    html = pages.render(visit, "definitions_doing.html", {"doing": reads.doing()})
    return {"busy": bool(reads.doing().what), "html": html}


@get("/definitions/picture", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_picture(visit: VisitHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Draw which definition is made of which."""
    found = [stored(version) for version in store.definitions.current()]
    titles = {(d.kind, d.name): d.title_in(visit.words.language) for d in found}
    picture = draw(uses(found), titles, list(KINDS))
    return pages.show(visit, "definitions_picture.html", page="definitions", picture=picture)


@get("/definitions/new/{kind:str}", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def show_new(
    kind: FromPath[str], visit: VisitHere, pages: PagesHere, store: StoreHere, traits: TraitsHere
) -> Response[str]:
    """Show the empty form of a kind."""
    if kind not in FORMED:
        raise NotFound(f"There is no form for {kind!r}.", code="definition_unknown")
    return _editor(visit, pages, store, traits, new_draft(kind))


@get("/definitions/{kind:str}/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_definition(
    kind: FromPath[str],
    name: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
    traits: TraitsHere,
    reads: ReadsHere,
) -> Response[str]:
    """Show one definition: its form, its versions, what it is made of and what is made of it."""
    definition = _in_force(store, decode(kind), decode(name))
    draft = draft_of(definition, _fields(store, traits, definition.name))
    return _editor(visit, pages, store, traits, draft, reads=reads)


def _in_force(store: Store, kind: str, name: str) -> Definition:
    for version in store.definitions.current(kind):
        if version.name == name:
            return stored(version)
    raise NotFound(f"There is no {kind} {name!r}.", code="definition_unknown")


def _fields(store: Store, traits: Traits, but: str) -> dict[str, Field]:
    return fields_of([stored(v) for v in store.definitions.current()], traits.names(), but)


def _editor(
    visit: Visit,
    pages: Pages,
    store: Store,
    traits: Traits,
    draft: Draft,
    *,
    refusal: str = "",
    live: Live | None = None,
    text: str = "",
    reads: Reads | None = None,
) -> Response[str]:
    found = [stored(version) for version in store.definitions.current()]
    used = uses(found)
    key = (draft.kind, draft.was)
    definition = next((d for d in found if (d.kind, d.name) == key), None)
    fields = fields_of(found, traits.names(), draft.was)
    return pages.show(
        visit,
        "definition.html",
        status=400 if refusal else 200,
        page="definitions",
        draft=draft,
        definition=definition,
        text=text or (dump([definition]) if definition and draft.kind not in FORMED else ""),
        is_formed=draft.kind in FORMED,
        fields=fields,
        titles={d.name: d.title_in(visit.words.language) for d in found if d.kind in FORMED},
        fitting={name: operators_for(field) for name, field in fields.items()},
        operators=OPERATORS,
        made_of=sorted(used.get(key, ())),
        makes=sorted(dependents([key], used)),
        versions=store.definitions.history(*key) if draft.was else [],
        may_write=_may(visit, draft.kind),
        refusal=refusal,
        live=live or Live(),
        doing=reads.doing() if reads else None,
    )


def _may(visit: Visit, kind: str) -> bool:
    asked = [Permission.AUDIENCES_WRITE, *([ASKS_MORE[kind]] if kind in ASKS_MORE else [])]
    return all(visit.may(permission) for permission in asked)


def _check_may(visit: Visit, kind: str) -> None:
    if not _may(visit, kind):
        raise Forbidden(
            f"Changing a definition of the kind {kind} asks for {ASKS_MORE.get(kind, WRITE)}, too.",
            code="permission_missing",
        )


@post("/definitions/check", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def check_draft(
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
    form: FormHere,
    traits: TraitsHere,
    planning: PlanningHere,
    audiences: AudiencesHere,
) -> dict[str, str]:
    """Return what a form would give as it stands: numbers, or what is wrong; for while somebody types."""
    draft = unwritten(form)
    try:
        draft = read_draft(form, _fields(store, traits, draft.was))
        live = _live(visit, store, planning, audiences, draft)
    except TekilError as error:
        live = Live(_told(visit, error))
    return {"sql": draft.sql, "html": pages.render(visit, "definition_live.html", {"live": live})}


def _live(visit: Visit, store: Store, planning: Planning, audiences: AudienceReads, draft: Draft) -> Live:
    """Return what a draft gives, for the part of the page that shows it."""
    if not draft.sql.strip():
        return Live()
    before = _in_force(store, draft.kind, draft.was) if draft.was else None
    wanted = definition_of(draft, before)
    # What it is called, and was called, does not matter to whom it holds for.
    plain = Definition(wanted.kind, draft.was or UNNAMED, {}, "", {"sql": draft.sql})
    if plain.kind != AUDIENCE_KIND.name:
        return Live(preview=planning.preview(plain))
    found = audiences.preview(plain)
    sample = found.sample if visit.may(Permission.PROFILES_READ) else []
    return Live(move=found.move, sample=sample, compared=bool(draft.was))


def _told(visit: Visit, error: TekilError) -> str:
    if isinstance(error, InvalidDefinitions):
        return " ".join(problem.text.removeprefix(f"{UNNAMED}: ") for problem in error.problems)
    return visit.words.known(f"error.{error.code}", error.message)


@post("/definitions/edit", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def edit(
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
    form: FormHere,
    traits: TraitsHere,
    planning: PlanningHere,
    audiences: AudiencesHere,
) -> Response[str]:
    """Do what a button of the editor says: more rows, fewer, a preview; or show the plan."""
    draft = unwritten(form)
    _check_may(visit, draft.kind)
    text = form.secret("text")
    try:
        if draft.kind not in FORMED:
            return _planned(visit, pages, store, planning, document(text, draft.kind), draft.note)
        draft = read_draft(form, _fields(store, traits, draft.was))
        if form.one("do") == "plan":
            before = _in_force(store, draft.kind, draft.was) if draft.was else None
            return _planned(visit, pages, store, planning, definition_of(draft, before), draft.note)
        live = _live(visit, store, planning, audiences, draft)
    except TekilError as error:
        return _editor(visit, pages, store, traits, draft, refusal=_told(visit, error), text=text)
    return _editor(visit, pages, store, traits, draft, live=live)


@post("/definitions/plan", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def plan_other(
    visit: VisitHere, pages: PagesHere, store: StoreHere, form: FormHere, planning: PlanningHere
) -> Response[str]:
    """Show what it would do to restore a version, or to take a definition away."""
    kind, name = form.one("kind"), form.one("name")
    _check_may(visit, kind)
    if form.one("version"):
        version = _version(store, kind, name, form.one("version"))
        former = stored(version)
        # Under the name of now: it is the same definition, whatever it was called then.
        restored = Definition(kind, name, former.title, former.owner, former.spec)
        note = visit.words("definitions.note_restored", n=version.version)
        return _planned(visit, pages, store, planning, restored, note)
    return _planned(visit, pages, store, planning, None, "", without=[(kind, name)])


def _version(store: Store, kind: str, name: str, number: str) -> Version:
    for version in store.definitions.history(kind, name):
        if str(version.version) == number and version.body is not None:
            return version
    raise NotFound(f"There is no version {number} of {name!r}.", code="definition_unknown")


def _planned(
    visit: Visit,
    pages: Pages,
    store: Store,
    planning: Planning,
    wanted: Definition | None,
    note: str,
    *,
    without: Sequence[Key] = (),
    refusal: str = "",
) -> Response[str]:
    revision = store.definitions.revision()
    plan: Plan = planning.plan([Written(wanted)] if wanted else [], without=without)
    effects = {(effect.kind, effect.name): effect for effect in plan.effects}
    key = (wanted.kind, wanted.name) if wanted else without[0]
    old = next((c.renamed_from for c in plan.changes if c.renamed_from), "")
    current = {(v.kind, v.name): stored(v) for v in store.definitions.current(key[0])}
    return pages.show(
        visit,
        "definition_plan.html",
        status=400 if refusal else 200,
        page="definitions",
        plan=plan,
        effects=effects,
        key=key,
        effect=effects.get(key),
        lines=difference(current.get((key[0], old)) or current.get(key), wanted),
        document=dump([wanted]) if wanted else "",
        gone=not wanted,
        note=note,
        revision=revision,
        refusal=refusal,
    )


@post("/definitions/apply", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def put_in_force(
    visit: VisitHere, pages: PagesHere, store: StoreHere, form: FormHere, planning: PlanningHere
) -> Response[str] | Redirect:
    """Put in force what the plan showed, unless the definitions have changed since."""
    text = form.secret("document")
    wanted = document(text) if text.strip() else None
    kind, name = (wanted.kind, wanted.name) if wanted else (form.one("kind"), form.one("name"))
    _check_may(visit, kind)
    without = [] if wanted else [(kind, name)]
    note = form.one("note")
    try:
        if form.one("revision") != str(store.definitions.revision()):
            raise BadRequest("Somebody changed the definitions a moment ago.", code="definitions_changed")
        changes = apply(
            store,
            KINDS,
            [Written(wanted)] if wanted else [],
            author=visit.user.name if visit.user else "",
            note=check_typed(note, "The note"),
            without=without,
        )
    except BadRequest as error:
        told = _told(visit, error)
        return _planned(visit, pages, store, planning, wanted, note, without=without, refusal=told)
    for change in changes:
        store.audit.append(visit.actor, Act.DEFINITION_CHANGED, change.kind, change.name)
    return go(f"/definitions/{segment(kind)}/{segment(name)}" if wanted else "/definitions")


@get(
    "/definitions/{kind:str}/{name:str}/versions/{number:int}",
    opt=READ,
    include_in_schema=False,
    sync_to_thread=True,
)
def show_version(
    kind: FromPath[str],
    name: FromPath[str],
    number: FromPath[int],
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
) -> Response[str]:
    """Show a former version: who made it and why, and what it changed."""
    of, called = decode(kind), decode(name)
    versions = store.definitions.history(of, called)
    version = _version(store, of, called, str(number))
    older = versions[versions.index(version) + 1 :]
    before = stored(older[0]) if older and older[0].body else None
    return pages.show(
        visit,
        "definition_version.html",
        page="definitions",
        version=version,
        name=called,
        text=dump([stored(version)]),
        lines=difference(before, stored(version)),
        is_newest=version == versions[0],
        may_write=_may(visit, of),
    )


@get(
    ["/definitions/edit", "/definitions/plan", "/definitions/apply"],
    opt=READ,
    include_in_schema=False,
    sync_to_thread=False,
)
def go_back() -> Redirect:
    """Lead back whoever comes to where forms are sent, such as by another language chosen there."""
    return go("/definitions")


ROUTES = [
    go_back,
    show_definitions,
    show_doing,
    show_picture,
    show_new,
    show_definition,
    check_draft,
    edit,
    plan_other,
    put_in_force,
    show_version,
]
