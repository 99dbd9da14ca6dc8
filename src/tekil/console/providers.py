"""Signing in by a provider: sent there with a question, and back with its answer."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from collections.abc import Sequence

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Redirect

from tekil.access.tickets import LASTS_SECONDS, Tickets
from tekil.api import FOR_ANYBODY
from tekil.api.routes import StoreHere
from tekil.config import Config
from tekil.console.ceremonies import Ceremonies, CeremoniesHere
from tekil.console.entering import enter, explain
from tekil.console.forms import inner_path
from tekil.console.pages import Pages, PagesHere, cookie, go
from tekil.console.visit import VISITOR, AnyRequest, Visit, VisitHere
from tekil.errors import BadRequest, NotFound, Refused, TekilError
from tekil.oidc import Provider, Question
from tekil.oidc.claims import ProviderRefused, check_settings, name_of, roles_of
from tekil.outgoing import Outgoing
from tekil.store import Store
from tekil.store.identities import Arrival

QUESTION = "tekil_sign_on"
"""The cookie that holds the question somebody was sent away with, sealed."""

PURPOSE = "sign on"
ANSWER_MAX = 4_096


class Providers:
    """The providers of an installation, and the questions that people went there with."""

    def __init__(self, config: Config, outgoing: Outgoing) -> None:
        """Take what tekil.toml says. Raises `Misconfigured` for what makes no sense."""
        check_settings(config.access.providers)
        self.origin = config.console.origin
        self._tickets = Tickets()
        self._by_name = {
            settings.name: Provider(settings, _secret(settings.name), self.origin, outgoing)
            for settings in config.access.providers
        }

    @property
    def offered(self) -> Sequence[Provider]:
        """The providers in the order of tekil.toml."""
        return list(self._by_name.values())

    def get(self, name: str) -> Provider:
        """Return a provider. Raises `NotFound`."""
        if name not in self._by_name:
            raise NotFound(f"There is no provider {name!r} here.", code="provider_unknown")
        return self._by_name[name]

    def of(self, issuers: Sequence[str]) -> Provider | None:
        """Return the provider with one of these issuers, where there still is one."""
        return next((one for one in self.offered if one.settings.issuer in issuers), None)

    def ask(self, provider: Provider, visit: Visit, goal: str) -> tuple[str, str]:
        """Return where to send a visitor, and the sealed question they take along in a cookie."""
        token = secrets.token_urlsafe
        question = Question(provider.settings.name, token(24), token(24), token(48), goal)
        ticket = self._tickets.give(PURPOSE, visit.visitor, msgspec.json.encode(question))
        return provider.address(question), base64.urlsafe_b64encode(ticket).decode()

    def question(self, provider: Provider, visit: Visit, sealed: str, state: str) -> Question:
        """Return what this visitor was sent to this provider with; it is answered once.

        Raises `BadRequest` where they were not, or not by us.
        """
        try:
            ticket = base64.urlsafe_b64decode(sealed)
        except ValueError:
            ticket = b""
        taken = self._tickets.take(PURPOSE, visit.visitor, ticket)
        question = msgspec.json.decode(taken, type=Question)
        same = hmac.compare_digest(question.state.encode(), state.encode(errors="replace"))
        if not same or question.provider != provider.settings.name:
            raise BadRequest("This answer is to another question. Begin again.", code="ticket_over")
        return question


ProvidersHere = NamedDependency[SkipValidation[Providers]]


def _secret(name: str) -> str:
    return os.environ.get(f"TEKIL_OIDC_{name.upper()}_SECRET", "")


@get("/sign-in/with/{provider:str}", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def leave(
    provider: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    providers: ProvidersHere,
    ceremonies: CeremoniesHere,
    next: FromQuery[str] = "/",
) -> Response[str] | Redirect:
    """Send somebody to a provider. What they are asked stays with them, sealed, in a cookie."""
    chosen = providers.get(provider)
    try:
        place, sealed = providers.ask(chosen, visit, inner_path(next))
    except TekilError as error:
        return _refused(visit, pages, providers, ceremonies, error)
    taken = cookie(visit, QUESTION, sealed)
    taken.max_age = LASTS_SECONDS
    return go(place, [cookie(visit, VISITOR, visit.visitor), taken])


@get("/sign-in/with/{provider:str}/back", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def come_back(
    request: AnyRequest,
    provider: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
    providers: ProvidersHere,
    ceremonies: CeremoniesHere,
) -> Response[str] | Redirect:
    """Take the provider's answer, and let in whoever it speaks of."""
    chosen = providers.get(provider)
    try:
        question = providers.question(
            chosen, visit, request.cookies.get(QUESTION, ""), _answer(request, "state") or ""
        )
        name, token = store.identities.sign_in(_arrival(chosen, request, question), visit.address)
    except TekilError as error:
        answer: Response[str] | Redirect = _refused(visit, pages, providers, ceremonies, error)
    else:
        answer = enter(request, visit, store, name, token, question.goal)
    over = cookie(visit, QUESTION, "")
    over.max_age = 0
    answer.set_cookie(over)
    return answer


def _answer(request: AnyRequest, name: str) -> str | None:
    """Return what came back under a name: nothing, where it is not there once."""
    values = request.query_params.getall(name, [])
    return values[0] if len(values) == 1 and len(values[0]) <= ANSWER_MAX else None


def _arrival(provider: Provider, request: AnyRequest, question: Question) -> Arrival:
    provider.check_issuer(_answer(request, "iss"))
    code = _answer(request, "code")
    if not code:
        raise ProviderRefused("The provider did not let you in.", code="provider_denied")
    identity, settings = provider.identify(code, question), provider.settings
    name, roles = name_of(identity, settings), roles_of(identity, settings)
    return Arrival(settings.name, settings.issuer, identity.subject, name, roles, settings.provision)


def _refused(
    visit: Visit, pages: Pages, providers: Providers, ceremonies: Ceremonies, error: TekilError
) -> Response[str]:
    shown = {"next": "/", "name": "", "passkey": ceremonies.request(visit), "providers": providers}
    status = error.http_status if isinstance(error, Refused) else 503
    return pages.show(visit, "sign_in.html", status=status, refusal=explain(visit, error), **shown)


@get("/signed-out/{provider:str}", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def show_signed_out(
    provider: FromPath[str], visit: VisitHere, pages: PagesHere, providers: ProvidersHere
) -> Response[str]:
    """Say that the session here is over, and lead to the end of the one at the provider."""
    chosen = providers.get(provider)
    return pages.show(visit, "signed_out.html", provider=chosen.settings, way_out=chosen.way_out())


def after_signing_out(store: Store, providers: Providers, user_name: str) -> str:
    """Return the page that somebody sees when they have signed out."""
    found = providers.of(store.identities.issuers_of(user_name)) if user_name else None
    return f"/signed-out/{found.settings.name}" if found else "/sign-in"


ROUTES = [leave, come_back, show_signed_out]
