"""The page where a person sees and changes what they allow: opened by a signed link, without signing in."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.api.consents import LedgerHere
from tekil.api.declared import FOR_ANYBODY
from tekil.console.consents_view import PurposeOffer, offers, shown_address
from tekil.console.forms import FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import Forbidden, NotFound
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Link
from tekil.privacy.purposes import ADDRESS_KINDS, shown_text, text_version
from tekil.store.clock import now_us

SOURCE = "preferences"
ONE_CLICK = "one-click"
"""The source of a consent that was ended from a mail program, as RFC 8058 has it."""


@get("/consent/{link:str}", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def show_choices(
    link: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    consents: LedgerHere,
    saved: FromQuery[bool] = False,
) -> Response[str]:
    """Show a person what they allow."""
    try:
        opened = consents.links.read(link, now_us())
    except (Forbidden, NotFound) as error:
        return _closed(visit, pages, error)
    return pages.show(
        visit,
        "consent_page.html",
        link=link,
        address=shown_address(consents, opened.kind, opened.token),
        kind=opened.kind,
        purposes=_offers(consents, opened, visit.words.language),
        saved=saved,
        problem="",
    )


@post("/consent/{link:str}", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def save_choices(
    link: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, consents: LedgerHere
) -> Response[str] | Redirect:
    """Record what the person changed, with the text they had before their eyes as the proof."""
    try:
        opened = consents.links.read(link, now_us())
    except (Forbidden, NotFound) as error:
        return _closed(visit, pages, error)
    language = visit.words.language
    text = shown_text(consents.purposes, language)
    version = text_version(text)
    consents.store.consents.keep_text(version, text)
    wanted = set() if form.one("all") == "no" else set(form.all("allow"))
    for purpose in _offers(consents, opened, language):
        for offer in purpose.offers:
            if (offer.name in wanted) != offer.given:
                name, _, channel = offer.name.partition(":")
                consents.record_token(
                    opened.kind,
                    opened.token,
                    name,
                    channel,
                    not offer.given,
                    source=SOURCE,
                    recorded_by=SOURCE,
                    text_version=version,
                    proof={"language": language, "page": SOURCE},
                )
    return go(f"/consent/{link}?saved=true")


@get("/consent/{link:str}/unsubscribe", opt=FOR_ANYBODY, include_in_schema=False, sync_to_thread=True)
def ask_to_unsubscribe(
    link: FromPath[str], visit: VisitHere, pages: PagesHere, consents: LedgerHere
) -> Response[str]:
    """Ask before ending: what opens links by itself, such as a scanner of mail, must end nothing."""
    try:
        opened = consents.links.read(link, now_us())
    except (Forbidden, NotFound) as error:
        return _closed(visit, pages, error)
    return _unsubscribed(visit, pages, consents, link, opened, done=False)


@post(
    "/consent/{link:str}/unsubscribe",
    status_code=200,
    opt=FOR_ANYBODY,
    include_in_schema=False,
    sync_to_thread=True,
)
def unsubscribe(
    link: FromPath[str], visit: VisitHere, pages: PagesHere, consents: LedgerHere
) -> Response[str]:
    """End the consent that a message rested on, by one POST of a mail program or of a person."""
    try:
        opened = consents.links.read(link, now_us())
    except (Forbidden, NotFound) as error:
        return _closed(visit, pages, error)
    for purpose, channel in _ended_by(consents, opened):
        consents.record_token(
            opened.kind,
            opened.token,
            purpose,
            channel,
            False,
            source=ONE_CLICK,
            recorded_by=ONE_CLICK,
            proof={"page": "unsubscribe"},
        )
    return _unsubscribed(visit, pages, consents, link, opened, done=True)


def _ended_by(consents: ConsentLedger, link: Link) -> list[tuple[str, str]]:
    """Return what a link's one click ends: what it names, else marketing to that address altogether."""
    if link.purpose and link.channel:
        return [(link.purpose, link.channel)]
    return [
        (purpose.name, channel)
        for purpose in consents.purposes
        if purpose.name == "marketing"
        for channel in purpose.channels
        if ADDRESS_KINDS.get(channel) == link.kind
    ]


def _offers(consents: ConsentLedger, link: Link, language: str) -> list[PurposeOffer]:
    value = consents.tokens.reveal(link.token)
    owned = consents.known_as(link.kind, value) if value is not None else []
    tokens = {link.token, *(consents.named(kind, owned_value).token for kind, owned_value in owned)}
    return offers(consents.purposes, link, consents.store.consents.of(tokens), now_us(), language)


def _unsubscribed(
    visit: Visit, pages: Pages, consents: ConsentLedger, text: str, link: Link, *, done: bool
) -> Response[str]:
    titles = {purpose.name: purpose.title.in_language(visit.words.language) for purpose in consents.purposes}
    return pages.show(
        visit,
        "unsubscribe.html",
        link=text,
        address=shown_address(consents, link.kind, link.token),
        ended=[(titles.get(purpose, purpose), channel) for purpose, channel in _ended_by(consents, link)],
        done=done,
    )


def _closed(visit: Visit, pages: Pages, error: Forbidden | NotFound) -> Response[str]:
    return pages.show(
        visit,
        "consent_page.html",
        status=error.http_status,
        link="",
        address="",
        kind="",
        purposes=[],
        saved=False,
        problem=error.code,
    )


ROUTES = [show_choices, save_choices]
"""For anybody who holds a link; what is sent must come from the page itself."""

ONE_CLICK_ROUTES = [ask_to_unsubscribe, unsubscribe]
"""For mail programs, which send no cookie and no token: the signed link is all the proof there is."""
