"""The API's routes for consents: what a person allows, recording a choice, whether one may send, links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, JSONBody, PathParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from tekil.api import problems
from tekil.api.access import BEARER, requires
from tekil.api.model import from_us
from tekil.api.paths import reference as decode
from tekil.config import Config
from tekil.errors import BadRequest
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.purposes import ADDRESS_KINDS
from tekil.store.consent_entries import Entry

LedgerHere = NamedDependency[SkipValidation[ConsentLedger]]
ConfigHere = NamedDependency[SkipValidation[Config]]


ConsentReference = Annotated[
    str, PathParameter(description="`kind:value` with kind user_id, anonymous_id, email or phone.")
]
Short = Annotated[str, msgspec.Meta(max_length=64, extra_json_schema={"pattern": "^[^\\u0000]*$"})]


class ConsentEntry(msgspec.Struct, frozen=True):
    """One choice as the ledger holds it. `proof` is whatever was given to prove it."""

    id: str
    kind: str
    purpose: str
    channel: str
    given: bool
    at: datetime
    recorded_at: datetime
    source: str
    text_version: str
    proof: dict[str, Any]
    recorded_by: str


class ConsentsView(msgspec.Struct, frozen=True):
    """What holds now, one entry for each purpose and channel, and all that was ever chosen, oldest first."""

    states: list[ConsentEntry]
    history: list[ConsentEntry]


class NewConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice to record. `at` is when it was made, now where it is left out."""

    purpose: Short
    channel: Short
    given: bool
    at: datetime | None = None
    source: Short = "api"
    text_version: Short = ""
    proof: dict[str, Any] = {}


class PermissionView(msgspec.Struct, frozen=True):
    """Whether the person may be reached, and the entries that say so; none where nothing was ever said."""

    allowed: bool
    because: list[ConsentEntry]


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose preference page to link to. With purpose and channel, one click ends that consent."""

    identifier: str
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    purpose: Short = ""
    channel: Short = ""


class LinkView(msgspec.Struct, frozen=True):
    """A signed link, and what a message's headers must hold for one-click unsubscribing (RFC 8058)."""

    url: str
    headers: dict[str, str]


def entry_view(entry: Entry) -> ConsentEntry:
    """Return an entry as the API shows it, without the token that stands for the person."""
    return ConsentEntry(
        entry.id,
        entry.kind,
        entry.purpose,
        entry.channel,
        entry.given,
        from_us(entry.at),
        from_us(entry.recorded_at),
        entry.source,
        entry.text_version,
        msgspec.json.decode(entry.proof),
        entry.recorded_by,
    )


def split(reference: str) -> tuple[str, str]:
    """Return the kind and the value of `kind:value`, the kind empty where there is none."""
    kind, colon, value = reference.partition(":")
    return (kind, value) if colon else ("", reference)


def microseconds(instant: datetime) -> int:
    """Return an instant as the store keeps it; one without a zone is UTC."""
    zoned = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    since = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def link_url(config: Config, text: str) -> str:
    """Return the address of the page behind a signed link, as the world reaches it."""
    base = config.consent.public_url or f"http://{config.console.host}:{config.console.port}"
    return f"{base.rstrip('/')}/consent/{text}"


def link_view(config: Config, text: str, *, one_click: bool) -> LinkView:
    """Return a link with the headers that a message needs which has it."""
    url = link_url(config, text)
    headers = {
        "List-Unsubscribe": f"<{url}/unsubscribe>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return LinkView(url, headers if one_click else {})


@get(
    "/{reference:str}",
    summary="What an identifier's owner chose",
    tags=["Consents"],
    guards=[requires("consents:read")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 503),
    sync_to_thread=True,
)
def get_consents(reference: ConsentReference, consents: LedgerHere) -> ConsentsView:
    """Return the consents of one identifier: the state of each, and the history with its proof."""
    entries = consents.entries([split(decode(reference))])
    return ConsentsView([entry_view(e) for e in state(entries).values()], [entry_view(e) for e in entries])


@post(
    "/{reference:str}",
    summary="Record a choice",
    tags=["Consents"],
    guards=[requires("consents:write")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 413, 503),
    sync_to_thread=True,
)
def record_consent(
    reference: ConsentReference, data: JSONBody[NewConsent], consents: LedgerHere
) -> ConsentEntry:
    """Record that somebody gave or withdrew a consent. The same choice again changes nothing."""
    if any("\0" in text for text in (data.source, data.text_version)):
        raise BadRequest("A source and a text's version hold no NUL character.", code="nul_character")
    kind, value = split(decode(reference))
    entry = consents.record(
        kind,
        value,
        data.purpose,
        data.channel,
        data.given,
        at=None if data.at is None else microseconds(data.at),
        source=data.source,
        text_version=data.text_version,
        proof=data.proof,
        recorded_by="api",
    )
    return entry_view(entry)


@get(
    "/{reference:str}/permission",
    summary="Whether one may send",
    tags=["Consents"],
    guards=[requires("consents:read")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 503),
    sync_to_thread=True,
)
def get_permission(
    reference: ConsentReference,
    purpose: FromQuery[str],
    channel: FromQuery[str],
    consents: LedgerHere,
) -> PermissionView:
    """Return whether a person may be reached now for a purpose through a channel. Ask when you send."""
    named = consents.named(*split(decode(reference)))
    permission = consents.may_send(consents.known_as(named.kind, named.value), purpose, channel)
    # Asked of an address, the answer is about that address, whatever the person's others allow.
    is_address = ADDRESS_KINDS.get(channel) == named.kind
    allowed = named.value in permission.addresses if is_address else permission.allowed
    return PermissionView(allowed, [entry_view(entry) for entry in permission.because])


@post(
    "/links",
    summary="Make a link to somebody's preference page",
    tags=["Consents"],
    guards=[requires("consents:write")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 413, 503),
    sync_to_thread=True,
)
def create_link(data: JSONBody[NewLink], consents: LedgerHere, settings: ConfigHere) -> LinkView:
    """Make a signed link that opens without signing in, for a message to the person."""
    days = data.days or settings.consent.link_days
    text = consents.link(*split(data.identifier), days, data.purpose, data.channel)
    return link_view(settings, text, one_click=bool(data.purpose and data.channel))


def consent_routes(consents: ConsentLedger, config: Config) -> Sequence[ControllerRouterHandler]:
    """Return the routes, to be mounted beside the others of the API."""
    return [
        Router(
            "/v1/consents",
            route_handlers=[get_consents, record_consent, get_permission, create_link],
            dependencies={
                "consents": Provide(lambda: consents, sync_to_thread=False),
                "settings": Provide(lambda: config, sync_to_thread=False),
            },
        )
    ]
