"""The API's routes: people, their events, the ledger, sources, SQL, and what probes ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from litestar import MediaType, Request, Response, Router, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIMediaType, Operation, Schema
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter, SkipValidation
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST

from tekil.access.audit import Act, Actor
from tekil.access.policy import Condition
from tekil.access.statements import without_values
from tekil.api import model, problems, tables
from tekil.api.access import BEARER, ActorHere, actor_of, condition_of, may_reveal, requires
from tekil.api.access import StoreHere as StoreHere
from tekil.api.audit import get_audit
from tekil.api.declared import FOR_ANYBODY
from tekil.api.metrics import Metrics
from tekil.api.oauth import issue_token
from tekil.api.paths import reference as decode
from tekil.errors import NotFound
from tekil.load import seal_text
from tekil.privacy import mask_of
from tekil.privacy.typed import check_typed
from tekil.reads import Ledger, Reads, SourceLedger, profile_within
from tekil.store import Card, Source, Store

Within = NamedDependency[SkipValidation[Condition | None]]
ReadsHere = NamedDependency[SkipValidation[Reads]]
MetricsHere = NamedDependency[SkipValidation[Metrics]]

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Reference = Annotated[
    str,
    PathParameter(
        description="A person id, or `kind:value` with kind user_id, anonymous_id, email or phone."
    ),
]

Purpose = Annotated[
    str | None,
    QueryParameter(
        min_length=3,
        max_length=200,
        description="Why personal values are to be shown unmasked; needs the scope `profiles:reveal`.",
    ),
]


@get(
    "/v1/profiles/{reference:str}",
    summary="One person",
    tags=["People"],
    guards=[requires("profiles:read", keeps_to_condition=True), may_reveal],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 404, 503),
    sync_to_thread=True,
)
def get_profile(
    reference: Reference,
    reads: ReadsHere,
    store: StoreHere,
    within: Within,
    by: ActorHere,
    reveal: Purpose = None,
) -> model.Profile:
    """Return a person by any identifier or id. A merged-away id answers 308 with the new place."""
    card = _card(reads, reference, within, reveal=reveal is not None)
    _note_reveal(store, by, card, reveal)
    return model.profile(card)


@get(
    "/v1/profiles/{reference:str}/events",
    summary="A person's events, newest first",
    tags=["People"],
    guards=[requires("events:read", keeps_to_condition=True), may_reveal],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 404, 503),
    sync_to_thread=True,
)
def get_events(
    reference: Reference,
    reads: ReadsHere,
    store: StoreHere,
    within: Within,
    by: ActorHere,
    limit: Limit = 50,
    cursor: FromQuery[str | None] = None,
    reveal: Purpose = None,
) -> model.Events:
    """Return a page of a person's events; pass `next` back as `cursor` for older ones."""
    card = _card(reads, reference, within)
    _note_reveal(store, by, card, reveal)
    page = reads.timeline(card.person_id, cursor=cursor, limit=limit, reveal=reveal is not None)
    return model.Events([model.event(row) for row in page.events], page.next)


@get(
    "/v1/ledger",
    summary="What was accepted, and what became of it",
    tags=["Sources"],
    guards=[requires("ledger:read")],
    security=BEARER,
    responses=problems.responses(401, 403, 503),
    sync_to_thread=True,
)
def get_ledger(reads: ReadsHere) -> Ledger:
    """Return the ledger in messages: accepted = loaded + quarantined + duplicate + waiting."""
    return model.ledger(reads.ledger())


@get(
    "/v1/quarantine",
    summary="Messages that could not be loaded",
    tags=["Sources"],
    guards=[requires("events:read")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 503),
    sync_to_thread=True,
)
def get_quarantine(
    reads: ReadsHere, source: FromQuery[str | None] = None, limit: Limit = 50
) -> model.Quarantine:
    """Return the newest quarantined messages, of one source or of all."""
    return model.Quarantine([model.quarantined(row) for row in reads.quarantine(source, limit)])


@get(
    "/v1/sources",
    summary="Sources",
    tags=["Sources"],
    guards=[requires("ledger:read")],
    security=BEARER,
    responses=problems.responses(401, 403, 503),
    sync_to_thread=True,
)
def get_sources(reads: ReadsHere, store: StoreHere) -> model.Sources:
    """Return all sources with their part of the ledger."""
    counted = {of.source: of for of in reads.ledger().sources}
    return model.Sources(
        [_source(known, counted.get(known.name, model.NOTHING)) for known in store.keys.sources()]
    )


@post(
    "/v1/sources",
    summary="Make a write key",
    tags=["Sources"],
    guards=[requires("sources:write")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 413, 503),
    sync_to_thread=True,
)
def create_source(data: JSONBody[model.NewSource], store: StoreHere, by: ActorHere) -> model.NewKey:
    """Make a new write key for a source, and the source too where it is new."""
    key = store.keys.create_write_key(check_typed(data.name, "The source's name"), by)
    return model.NewKey(key.source, key.key)


@patch(
    "/v1/sources/{name:str}",
    summary="Let a source send, or no longer",
    tags=["Sources"],
    guards=[requires("sources:write")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 404, 413, 503),
    sync_to_thread=True,
)
def change_source(
    name: FromPath[str], data: JSONBody[model.SourceChange], store: StoreHere, by: ActorHere
) -> model.SourceChange:
    """Enable or disable a source. What a disabled source sends is refused at the door."""
    _refuse_nul(decode(name))
    store.keys.set_source_enabled(decode(name), data.enabled, by)
    return data


@dataclass
class SqlOperation(Operation):
    """The SQL operation's documentation, which has two kinds of answer."""

    description: str | None = field(
        default="Run one SELECT over the warehouse. JSON by default; an Arrow IPC stream where `Accept` "
        f"names `{tables.ARROW_STREAM}`."
    )

    def __post_init__(self) -> None:
        """Add the Arrow answer, for which the framework has no place."""
        success = (self.responses or {}).get("200")
        content = getattr(success, "content", None)
        if content is not None:
            binary = Schema(content_media_type=tables.ARROW_STREAM)
            content[tables.ARROW_STREAM] = OpenAPIMediaType(schema=binary)


@post(
    "/v1/sql",
    summary="Ask the warehouse",
    tags=["SQL"],
    status_code=200,
    guards=[requires("sql:read")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 413, 503),
    operation_class=SqlOperation,
    sync_to_thread=True,
)
def run_sql(
    data: JSONBody[model.Query],
    request: Request[Any, Any, Any],
    reads: ReadsHere,
    store: StoreHere,
    by: ActorHere,
) -> Response[model.Rows]:
    """Run one SELECT; answer JSON rows, or an Arrow stream to those who ask for it."""
    table = reads.sql(data.statement)
    statement = without_values(data.statement)
    store.audit.append(by, Act.SQL_RUN, "warehouse", statement=statement, rows=table.num_rows)
    if tables.ARROW_STREAM in request.headers.get("accept", ""):
        return Stream(tables.arrow_stream(table), media_type=tables.ARROW_STREAM)  # type: ignore[return-value]
    answer: Response[Any] = Response(tables.encode(tables.rows(table)), media_type=MediaType.JSON)
    return answer


@get("/healthz", summary="Alive", tags=["Probes"], opt=FOR_ANYBODY, sync_to_thread=False)
def get_health() -> model.Health:
    """Answer 200 as long as the process lives."""
    return model.Health("alive")


@get(
    "/readyz",
    summary="Ready",
    tags=["Probes"],
    opt=FOR_ANYBODY,
    responses=problems.responses(503),
    sync_to_thread=True,
)
def get_readiness(reads: ReadsHere) -> model.Health:
    """Answer 200 when log, warehouse and store answer and the engine runs, 503 when not."""
    reads.ready()
    return model.Health("ready")


@get(
    "/metrics",
    summary="Figures for Prometheus",
    tags=["Probes"],
    opt=FOR_ANYBODY,
    media_type=CONTENT_TYPE_LATEST,
    sync_to_thread=True,
)
def get_metrics(metrics: MetricsHere) -> str:
    """Return the figures in Prometheus' text format. It asks for no key: keep the port to yourself."""
    return metrics.text().decode()


def routes(reads: Reads, store: Store, metrics: Metrics) -> Sequence[ControllerRouterHandler]:
    """Return the API as Litestar routes, to be mounted by whoever owns the application.

    The application must keep a `KeyRing` in `app.state.key_ring`, answer errors with
    `problems.answer`, and call `paths.keep_slashes` on what comes in.
    """
    return [
        Router(
            "/",
            route_handlers=[
                get_profile,
                get_events,
                get_ledger,
                get_quarantine,
                get_sources,
                create_source,
                change_source,
                run_sql,
                get_audit,
                issue_token,
                get_health,
                get_readiness,
                get_metrics,
            ],
            dependencies={
                "within": Provide(condition_of, sync_to_thread=False),
                "by": Provide(actor_of, sync_to_thread=False),
                "reads": Provide(lambda: reads, sync_to_thread=False),
                "store": Provide(lambda: store, sync_to_thread=False),
                "metrics": Provide(lambda: metrics, sync_to_thread=False),
            },
        )
    ]


def _card(reads: Reads, reference: str, within: Condition | None, *, reveal: bool = False) -> Card:
    decoded = decode(reference)
    _refuse_nul(decoded)
    return profile_within(reads, decoded, within, reveal=reveal)


def _note_reveal(store: Store, by: Actor, card: Card, purpose: str | None) -> None:
    """Put on record that somebody sees a person's values, and what they say it is for."""
    if purpose is not None:
        store.audit.append(by, Act.REVEALED, "person", card.person_id, purpose=seal_text(purpose, mask_of))


def _refuse_nul(text: str) -> None:
    # PostgreSQL cannot hold the character, so nobody can be called by it.
    if "\0" in text:
        raise NotFound("There is nothing by a name with a NUL character in it.", code="not_found")


def _source(known: Source, counted: SourceLedger) -> model.SourceView:
    return model.SourceView(
        name=known.name,
        enabled=known.enabled,
        created_at=model.from_us(known.created_at),
        accepted=counted.accepted,
        loaded=counted.loaded,
        quarantined=counted.quarantined,
        duplicate=counted.duplicate,
        waiting=counted.waiting,
        last_received=None if counted.last_received is None else model.utc(counted.last_received),
    )
