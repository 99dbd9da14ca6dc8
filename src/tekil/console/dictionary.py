"""The dictionary: what events mean, what they must hold, how well they keep to it, and changing that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import reference as decode
from tekil.api import segment
from tekil.api.declared import needs
from tekil.api.routes import ReadsHere, StoreHere
from tekil.console.drawings import Bar, bars
from tekil.console.forms import Form, FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.definitions import Definition, InvalidDefinitions, Written, apply, dump, parse, stored
from tekil.dictionary import MODES, STAGES, Dictionary, Event
from tekil.dictionary.health import Said, Violation, days_back, said, violations
from tekil.dictionary.inference import SeenField, draft, inconsistent, look
from tekil.errors import BadRequest, NotFound
from tekil.kinds import KINDS
from tekil.privacy.typed import check_typed
from tekil.reads import Reads
from tekil.store import Store, Version

READ = needs(Permission.DICTIONARY_READ)
WRITE = needs(Permission.DICTIONARY_WRITE)

UNDEFINED_SHOWN = 30
VIOLATIONS_SHOWN = 40
LOOKED_AT = 1_000
"""Messages that an event's page looks at: enough to know its fields, and few enough to be at once."""


class Row(msgspec.Struct, frozen=True):
    """An event of the list: what it is, how often it came in 30 days, and how often it broke a rule."""

    event: Event
    title: str
    messages: int
    broken: int
    is_due: bool


class Broken(msgspec.Struct, frozen=True):
    """How often a field broke a rule in 30 days, and in which sources' messages."""

    field: str
    rule: str
    mode: str
    messages: int
    sources: list[str]


@get("/dictionary", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_dictionary(visit: VisitHere, pages: PagesHere, reads: ReadsHere, store: StoreHere) -> Response[str]:
    """Show all events that are defined, and those that were only seen."""
    dictionary = Dictionary.read(store.definitions)
    today = datetime.now(UTC).date()
    told, broken = _looked(reads, today)
    by_event: dict[str, int] = defaultdict(int)
    for one in told:
        by_event[one.event] += one.messages
    wrong: dict[str, int] = defaultdict(int)
    for violation in broken:
        wrong[violation.event] += violation.messages
    rows = [
        Row(event, _title(event, visit), by_event[event.name], wrong[event.name], is_due(event, today))
        for event in dictionary.events
    ]
    known = {event.name for event in dictionary.events}
    seen = [(name, count) for name, count in by_event.items() if name and name not in known]
    return pages.show(
        visit,
        "dictionary.html",
        page="dictionary",
        rows=rows,
        due=[row for row in rows if row.is_due],
        seen=sorted(seen, key=lambda one: -one[1])[:UNDEFINED_SHOWN],
        unknown=dictionary.unknown_events,
        modes=MODES,
    )


def _looked(reads: Reads, today: date) -> tuple[list[Said], list[Violation]]:
    if not reads.ledger().total.accepted:
        return [], []
    return said(reads.sql, today), violations(reads.sql, today)


def _title(event: Event, visit: Visit) -> str:
    return event.title.get(visit.words.language) or next(iter(event.title.values()), "")


def is_due(event: Event, today: date) -> bool:
    """Return whether the day on which an event should be looked at again has come."""
    return bool(event.spec.review) and date.fromisoformat(event.spec.review) <= today


@post("/dictionary/mode", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def set_unknown(visit: VisitHere, form: FormHere, store: StoreHere) -> Redirect:
    """Say what becomes of events that nobody defined."""
    found = [stored(version) for version in store.definitions.current("dictionary")]
    spec = {**(found[0].spec if found else {}), "unknown_events": form.one("mode")}
    _put(store, visit, Definition("dictionary", "dictionary", {}, "", spec))
    return go("/dictionary")


@post("/dictionary/adopt", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def adopt(visit: VisitHere, form: FormHere, reads: ReadsHere, store: StoreHere) -> Redirect:
    """Define an event as it was said so far."""
    name = form.one("event")
    if name not in {version.name for version in store.definitions.current("event")}:
        _put(
            store,
            visit,
            draft(look(reads.sql, name), datetime.now(UTC).date()),
            visit.words("dictionary.note_adopted"),
        )
    return go(f"/dictionary/{segment(name)}")


@get(
    "/dictionary/{name:str}",
    opt=READ,
    include_in_schema=False,
    sync_to_thread=True,
)
def show_event(
    name: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    store: StoreHere,
    saved: FromQuery[str] = "",
) -> Response[str]:
    """Show one event: its meaning, its fields, how well it is kept to, its versions, and the form."""
    event = _find(store, decode(name))
    return _event_page(visit, pages, reads, store, event, _fields_of(store, event), saved=bool(saved))


def _find(store: Store, name: str) -> Event:
    event = Dictionary.read(store.definitions).find(name)
    if event is None:
        raise NotFound(f"The dictionary has no event {name!r}.", code="event_unknown")
    return event


def _event_page(
    visit: Visit,
    pages: Pages,
    reads: Reads,
    store: Store,
    event: Event,
    form: Mapping[str, str],
    *,
    saved: bool = False,
    refusal: str = "",
) -> Response[str]:
    today = datetime.now(UTC).date()
    told, broken = _looked(reads, today)
    mine = [one for one in broken if one.event == event.name]
    by_day: dict[str, int] = defaultdict(int)
    for one in mine:
        by_day[one.day] += one.messages
    days = days_back(today)
    fields = look(reads.sql, event.name, LOOKED_AT).fields if told and event.spec.type == "track" else []
    versions: list[Version] = store.definitions.history("event", event.name)
    return pages.show(
        visit,
        "event.html",
        status=400 if refusal else 200,
        page="dictionary",
        event=event,
        title=_title(event, visit),
        messages=sum(one.messages for one in told if one.event == event.name),
        broken=_summed(mine)[:VIOLATIONS_SHOWN],
        chart=_chart([by_day[day] for day in days]),
        first_day=date.fromisoformat(days[0]),
        last_day=today,
        undefined=_undefined(event, fields)[:UNDEFINED_SHOWN],
        looked_at=max((field.messages for field in fields), default=0),
        differing={field.path: field.sources for field in inconsistent(fields)},
        versions=versions,
        form=form,
        modes=MODES,
        stages=STAGES,
        due=is_due(event, today),
        saved=saved,
        refusal=refusal,
    )


def _chart(counts: list[int]) -> list[Bar]:
    return bars(counts, 600.0, 96.0) if any(counts) else []


def _summed(broken: list[Violation]) -> list[Broken]:
    counted: dict[tuple[str, str, str], int] = defaultdict(int)
    sources: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in broken:
        counted[one.field, one.rule, one.mode] += one.messages
        sources[one.field, one.rule, one.mode].add(one.source)
    found = [Broken(*key, count, sorted(sources[key])) for key, count in counted.items()]
    return sorted(found, key=lambda one: (-one.messages, one.field, one.rule))


def _undefined(event: Event, fields: list[SeenField]) -> list[SeenField]:
    known = set(event.spec.fields)
    above = {path.rpartition(".")[0] for path in known}
    return [field for field in fields if field.path not in known and field.path not in above]


HEAD = ("description", "purpose", "steward", "mode", "undefined_fields", "review", "stage")


def _fields_of(store: Store, event: Event) -> dict[str, str]:
    """Return what the form holds before anybody changes it."""
    version = next(v for v in store.definitions.current("event") if v.name == event.name)
    definition = stored(version)
    spec = msgspec.to_builtins(event.spec)
    counting = event.spec.counting
    fields = definition.spec.get("fields") or {}
    return {
        **{name: str(spec.get(name, getattr(event.spec, name)) or "") for name in HEAD},
        "title_tr": event.title.get("tr", ""),
        "title_en": event.title.get("en", ""),
        "owner": event.owner,
        "counting": counting if isinstance(counting, str) else counting.per,
        "synonyms": ", ".join(event.spec.synonyms),
        "fields": dump_fields(fields),
        "note": "",
    }


def dump_fields(fields: dict[str, Any]) -> str:
    """Return an event's fields as the form shows them: YAML, a field a paragraph."""
    if not fields:
        return ""
    lines = dump([Definition("event", "x", {}, "", {"fields": fields})]).splitlines()
    start = lines.index("  fields:") + 1
    return "\n".join(line[4:] for line in lines[start:])


@post(
    "/dictionary/{name:str}",
    opt=WRITE,
    include_in_schema=False,
    sync_to_thread=True,
)
def save_event(
    name: FromPath[str],
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    reads: ReadsHere,
    store: StoreHere,
) -> Response[str] | Redirect:
    """Make what the form says the event's next version."""
    event = _find(store, decode(name))
    try:
        definition = read_form_of(event, form)
        _put(store, visit, definition, check_typed(form.one("note"), "The note"))
    except (InvalidDefinitions, BadRequest) as error:
        told = {name: form.one(name) for name in _fields_of(store, event)} | {"fields": form.secret("fields")}
        refusal = (
            " ".join(problem.text for problem in error.problems)
            if isinstance(error, InvalidDefinitions)
            else visit.words.known(f"error.{error.code}", error.message)
        )
        return _event_page(visit, pages, reads, store, event, told, refusal=refusal)
    return go(f"/dictionary/{segment(event.name)}?saved=yes")


def read_form_of(event: Event, form: Form) -> Definition:
    """Return the document that a form writes. Raises `InvalidDefinitions` where its fields are no YAML."""
    indented = "\n".join(f"    {line}" for line in form.secret("fields").replace("\r", "").splitlines())
    text = f"kind: event\nname: x\nspec:\n  fields:\n{indented}\n"
    fields = parse(text, event.name)[0].definition.spec.get("fields") or {}
    counting = form.one("counting") or "each"
    spec = {
        "type": event.spec.type,
        **{name: form.one(name) for name in HEAD if form.one(name)},
        "counting": counting if counting in ("each", "once") else {"per": counting},
        "synonyms": [text for part in form.one("synonyms").split(",") if (text := part.strip())],
        "fields": fields,
    }
    title = {language: text for language in ("tr", "en") if (text := form.one(f"title_{language}"))}
    return Definition("event", event.name, title, form.one("owner"), spec)


def _put(store: Store, visit: Visit, definition: Definition, note: str = "") -> None:
    if visit.user is None:
        raise BadRequest("Nobody is signed in.", code="sign_in_needed")
    apply(store, KINDS, [Written(definition)], author=visit.user.name, note=note)
    store.audit.append(visit.actor, Act.DEFINITION_CHANGED, definition.kind, definition.name)


ROUTES = [show_dictionary, set_unknown, adopt, show_event, save_event]
