"""The application: API and console in one, with one way to answer errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler, Message, Receive, Scope, Send
from litestar.types.asgi_types import LifeSpanReceive, LifeSpanScope, LifeSpanSend

from tekil import api
from tekil.access.policy import check_roles
from tekil.access.rates import Rates
from tekil.acquisition.reads import AcquisitionReads
from tekil.api.declared import declaration
from tekil.audience_reads import AudienceReads
from tekil.config import Config
from tekil.console import (
    account,
    acquisition,
    api_keys,
    audiences,
    audit,
    connections,
    consent_page,
    definitions,
    dictionary,
    erasure,
    groupings,
    identity,
    leads,
    links,
    live,
    passkeys,
    people,
    providers,
    quality,
    quarantine,
    readiness,
    sign_in,
    sources,
    users,
)
from tekil.console import consents as consents_page
from tekil.console import requests as requests_page
from tekil.console import retention as retention_page
from tekil.console.assets import Assets
from tekil.console.ceremonies import Ceremonies
from tekil.console.forms import check_form, read_form
from tekil.console.gate import pass_gate
from tekil.console.hues import Hues
from tekil.console.live import Watch
from tekil.console.pages import SECURITY_HEADERS, Pages, first_open, go
from tekil.console.visit import AnyRequest, LedElsewhere, SignInNeeded, Visit, visit_of
from tekil.console.who import WhoIsWho
from tekil.erasure import ErasureDesk
from tekil.errors import Forbidden, NotFound, TekilError
from tekil.leads import LeadDesk, open_desk
from tekil.load import QuarantineDesk
from tekil.outgoing import Connections, Outgoing
from tekil.planning import Planning
from tekil.privacy import open_keys, open_vault
from tekil.privacy.desk import Desk
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tekil.privacy.rectification import Rectification
from tekil.readiness import Measuring
from tekil.reads import Reads
from tekil.retention import Retention
from tekil.store import Store

PROGRAMS = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")
"""Paths that programs ask for; everything else is for people unless they ask for something else."""


ROUTES = [
    *sign_in.ROUTES,
    *live.ROUTES,
    *people.ROUTES,
    *audiences.ROUTES,
    *definitions.ROUTES,
    *acquisition.ROUTES,
    *identity.ROUTES,
    *leads.ROUTES,
    *links.ROUTES,
    *groupings.ROUTES,
    *readiness.ROUTES,
    *sources.ROUTES,
    *api_keys.ROUTES,
    *connections.ROUTES,
    *audit.ROUTES,
    *users.ROUTES,
    *account.ROUTES,
    *passkeys.ROUTES,
    *providers.ROUTES,
    *quarantine.ROUTES,
    *dictionary.ROUTES,
    *quality.ROUTES,
    *consents_page.ROUTES,
    *requests_page.ROUTES,
    *retention_page.ROUTES,
    *erasure.ROUTES,
    *consent_page.ROUTES,
]
"""All pages that forms are sent from."""


class Application(Litestar):
    """Litestar, told of the path before servers decoded its slashes, and of the visitor behind a proxy."""

    proxies = api.Proxies(())

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] != "lifespan":
            api.keep_slashes(scope)
            self.proxies.see_through(scope)
        await super().__call__(scope, receive, send)


def create_app(
    reads: Reads,
    store: Store,
    config: Config,
    more: Sequence[ControllerRouterHandler] = (),
    desk: QuarantineDesk | None = None,
    consents: ConsentLedger | None = None,
    retention: Retention | None = None,
    rectification: Rectification | None = None,
    erasures: ErasureDesk | None = None,
    outward: Connections | None = None,
    who: WhoIsWho | None = None,
) -> Litestar:
    """Return the ASGI application that serves the API, the console, and `more` routes.

    Without a `desk`, the quarantine can be looked at and not replayed; without `erasures`, nobody is erased.
    """
    for roles in (config.access.second_factor, config.access.passkey):
        if roles:
            check_roles(roles)
    assets = Assets(config.data / "cache")
    pages = Pages(config, assets, Hues(store), store.quality_alerts)
    metrics = api.Metrics(reads, store)
    vault = open_vault(store, open_keys(config, store))
    if outward is None:
        outward = Connections(store.connections, vault.texts("connections"), Outgoing(config.outgoing.allow))
    if consents is None:
        consents = open_ledger(store, vault, config.consent)
    sales = open_desk(store, vault, config.workspace.timezone)
    measuring = Measuring(reads, store, config, vault, lambda: metrics.read_at)
    app = Application(
        route_handlers=[
            *api.routes(reads, store, metrics),
            *api.consent_routes(consents, config),
            *api.export_routes(reads, consents),
            api.readiness_routes(measuring),
            api.definition_routes(store, Planning(store, reads, config.workspace.timezone)),
            api.lead_routes(sales),
            *more,
            *_console(
                reads,
                store,
                config,
                pages,
                assets,
                desk,
                consents,
                measuring,
                retention,
                rectification,
                erasures,
                outward,
                who or WhoIsWho(),
                sales,
            ),
        ],
        openapi_config=api.document(),
        middleware=[metrics, api.Limits(Rates(config.access.requests_per_second))],
        exception_handlers={Exception: _Answers(store, config, pages)},
        before_send=[_add_security_headers],
        request_max_body_size=1_000_000,
    )
    app.proxies = api.Proxies(config.console.trusted_proxies)
    app.state.key_ring = api.KeyRing(store)
    return api.check_declared(app)


def _console(
    reads: Reads,
    store: Store,
    config: Config,
    pages: Pages,
    assets: Assets,
    quarantined: QuarantineDesk | None,
    consents: ConsentLedger,
    measuring: Measuring,
    retention: Retention | None,
    rectification: Rectification | None,
    erasures: ErasureDesk | None,
    outward: Connections,
    who: WhoIsWho,
    sales: LeadDesk,
) -> list[Router]:
    """Return the pages."""
    audience_reads = AudienceReads(reads, store)
    planning = Planning(store, reads, config.workspace.timezone)
    traits = definitions.Traits(reads)
    acquired = AcquisitionReads(reads, store, config.workspace)
    watch, ceremonies = Watch(reads, store), Ceremonies(config, store)
    known = providers.Providers(config, Outgoing(config.outgoing.allow))
    requested = Desk(consents, config.workspace.timezone, rectification=rectification)

    async def look(request: AnyRequest) -> None:
        request.state.visit = await to_thread.run_sync(visit_of, request, store, config)

    async def let_in(request: AnyRequest) -> None:
        await look(request)
        if request.method == "POST":
            await check_form(request)
        # Checked before the application starts: every route declares whom it lets in.
        access = declaration(request.route_handler)
        pass_gate(request.state.visit, "signed in" if access is None else access, request.method, config)

    given = {
        "visit": Provide(_visit, sync_to_thread=False),
        "form": Provide(read_form),
        "pages": Provide(lambda: pages, sync_to_thread=False),
        "assets": Provide(lambda: assets, sync_to_thread=False),
        "reads": Provide(lambda: reads, sync_to_thread=False),
        "acquisition": Provide(lambda: acquired, sync_to_thread=False),
        "audiences": Provide(lambda: audience_reads, sync_to_thread=False),
        "planning": Provide(lambda: planning, sync_to_thread=False),
        "traits": Provide(lambda: traits, sync_to_thread=False),
        "store": Provide(lambda: store, sync_to_thread=False),
        "settings": Provide(lambda: config, sync_to_thread=False),
        "ceremonies": Provide(lambda: ceremonies, sync_to_thread=False),
        "providers": Provide(lambda: known, sync_to_thread=False),
        "watch": Provide(lambda: watch, sync_to_thread=False),
        "quarantined": Provide(lambda: quarantined, sync_to_thread=False),
        "consents": Provide(lambda: consents, sync_to_thread=False),
        "retention": Provide(lambda: retention, sync_to_thread=False),
        "measuring": Provide(lambda: measuring, sync_to_thread=False),
        "desk": Provide(lambda: requested, sync_to_thread=False),
        "erasures": Provide(lambda: erasures, sync_to_thread=False),
        "outward": Provide(lambda: outward, sync_to_thread=False),
        "who": Provide(lambda: who, sync_to_thread=False),
        "sales": Provide(lambda: sales, sync_to_thread=False),
    }
    return [
        Router("/", route_handlers=ROUTES, dependencies=given, before_request=let_in),
        # Mail programs send no token of ours: the link itself is what proves who asks.
        Router("/", route_handlers=consent_page.ONE_CLICK_ROUTES, dependencies=given, before_request=look),
        Router("/", route_handlers=[_files(assets)]),
    ]


def _visit(request: AnyRequest) -> Visit:
    visit: Visit = request.state.visit
    return visit


def _files(assets: Assets) -> Any:
    """Return the route of our own files. Their address holds their digest, so they never change."""

    @get("/static/{digest:str}/{name:str}", opt=api.FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
    def get_file(request: AnyRequest, digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        asset = assets.get(name)
        if assets.url(name) != f"/static/{digest}/{name}":
            raise NotFound(f"There is no file {name!r} of that version here.", code="path_unknown")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        if zipped:
            headers["Content-Encoding"] = "gzip"
        content = asset.zipped if zipped else asset.plain
        return Response(content, media_type=asset.media_type, headers=headers)

    return get_file


class _Answers:
    """Answers errors: people get a page in their language, programs a problem document."""

    def __init__(self, store: Store, config: Config, pages: Pages) -> None:
        self._store = store
        self._config = config
        self._pages = pages

    def __call__(self, request: AnyRequest, error: Exception) -> Response[Any]:
        path = request.url.path
        wants_page = "text/html" in request.headers.get("accept", "")
        if path.startswith(PROGRAMS) or not wants_page:
            return api.answer(request, error)
        if isinstance(error, SignInNeeded):
            query = f"?{request.url.query}" if request.url.query else ""
            goal = path + query if request.method == "GET" else "/"
            return go("/sign-in" if goal == "/" else f"/sign-in?next={quote(goal, safe='')}")
        if isinstance(error, LedElsewhere):
            return go(error.path)
        visit = self._visit(request)
        if isinstance(error, Forbidden) and path == "/" and (home := first_open(visit)) != "/":
            return go(home)
        known = api.explain(request, error)
        answer = self._pages.show(visit, "error.html", status=known.http_status, page="", error=known)
        if known.retryable:
            answer.headers["Retry-After"] = str(math.ceil(known.retry_seconds))
        return answer

    def _visit(self, request: AnyRequest) -> Visit:
        try:
            return visit_of(request, self._store, self._config)
        except TekilError:
            # The store is what failed, so who is looking cannot be known; the page says the rest.
            request.cookies.clear()
            return visit_of(request, self._store, self._config)


async def _add_security_headers(message: Message, _scope: Scope) -> None:
    if message["type"] == "http.response.start":
        present = {name.lower() for name, _ in message["headers"]}
        message["headers"] = [
            *message["headers"],
            *((k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items() if k.encode() not in present),
        ]
