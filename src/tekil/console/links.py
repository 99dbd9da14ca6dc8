"""Pairs of people who are alike: looked at one by one with what each field says, decided, searched for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.console.forms import FormHere
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.people import PURPOSE_MAX, PURPOSE_MIN
from tekil.console.visit import Visit, VisitHere
from tekil.console.who import Linking, WhoHere
from tekil.errors import BadRequest, Busy, NotFound
from tekil.identifiers import Policy
from tekil.links import Review, Trust
from tekil.links.desk import DECISIONS
from tekil.load import seal_text
from tekil.privacy import mask_of
from tekil.store import Store
from tekil.store.links import WAITING

READ = needs(Permission.PROFILES_READ)
WRITE = needs(Permission.IDENTITY_WRITE)
REVEAL = needs(Permission.PROFILES_REVEAL)

LISTS = (WAITING, "undecided", "accepted", "rejected")
PAIRS = 12
"""Pairs in the list beside the one that is looked at."""

TRUST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """How a field moves the weight: from `x`, `width` wide, both in parts of a hundred of the drawing."""

    field: str
    code: str
    bits: float
    left: str
    right: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """A pair's weight as a flight of steps: `bars` from the prior to the sum, `zero` where odds are even."""

    bars: list[Bar]
    zero: float


LEVELS = (("exact", "Exact"), ("one_off", "Damerau"), ("similar", "Jaro"), ("different", "All other"))
"""How two compare → what begins the label that Splink gives it."""


def level_code(label: str) -> str:
    """Return how two compare, by the label of a level.

    >>> level_code("Exact match on city"), level_code("Jaro-Winkler distance of city >= 0.92")
    ('exact', 'similar')
    """
    return next((code for code, begins in LEVELS if label.startswith(begins)), "unknown")


def weigh(pair: Review) -> Weighing:
    """Return the steps from what any two people begin with to a pair's weight, the largest first.

    What is not known of one of them moves nothing, and is left out.
    """
    fields = sorted((f for f in pair.fields if level_code(f.level) != "unknown"), key=lambda f: -f.weight)
    prior = pair.weight - sum(field.weight for field in fields)
    moves = [("prior", "", prior, "", "")]
    moves += [(f.field, level_code(f.level), f.weight, f.left, f.right) for f in fields]
    ends = [0.0]
    for move in moves:
        ends.append(ends[-1] + move[2])
    low, high = min(ends), max(ends)
    scale = 100 / (high - low or 1.0)
    spans = zip(moves, ends, ends[1:], strict=False)
    bars = [
        Bar(name, code, bits, left, right, round((min(a, b) - low) * scale, 2), round(abs(b - a) * scale, 2))
        for (name, code, bits, left, right), a, b in spans
    ]
    total = Bar("total", "", pair.weight, "", "", *_from_zero(pair.weight, low, scale))
    return Weighing([*bars, total], round(-low * scale, 2))


def _from_zero(bits: float, low: float, scale: float) -> tuple[float, float]:
    return round((min(bits, 0.0) - low) * scale, 2), round(abs(bits) * scale, 2)


@get("/identity/links", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_links(
    visit: VisitHere,
    pages: PagesHere,
    who: WhoHere,
    store: StoreHere,
    decision: FromQuery[str] = WAITING,
    pair: FromQuery[str] = "",
) -> Response[str]:
    """Show the pairs of a decision, one of them in full, how right links are, and the last search."""
    linking = _opened(who.linking)
    return _page(visit, pages, linking, store, decision, _chosen(linking, decision, pair))


def _opened(linking: Linking | None) -> Linking:
    if linking is None:
        raise BadRequest("Links cannot be looked at here.", code="identity_unavailable")
    return linking


def _list_of(decision: str) -> str:
    return decision if decision in LISTS else WAITING


def _chosen(linking: Linking, decision: str, pair: str) -> Review | None:
    """Return the pair that is asked for, as long as it is in the list; else the list's first."""
    try:
        found = linking.desk.pair(pair) if pair else None
    except NotFound:
        found = None
    if found is not None and found.decision == _list_of(decision):
        return found
    return next(iter(linking.desk.queue(_list_of(decision), 1)), None)


def _page(
    visit: Visit,
    pages: Pages,
    linking: Linking,
    store: Store,
    decision: str,
    pair: Review | None,
    *,
    refusal: str = "",
    revealed: bool = False,
) -> Response[str]:
    chosen, progress = _list_of(decision), linking.search.progress()
    spec = Policy.read(store.definitions).spec.links
    return pages.show(
        visit,
        "links.html",
        status=400 if refusal else 200,
        page="identity",
        lists=LISTS,
        chosen=chosen,
        counts=linking.desk.counts(),
        pair=pair,
        weighing=None if pair is None else weigh(pair),
        pairs=linking.desk.queue(chosen, PAIRS),
        decisions=DECISIONS,
        trust=thinned(linking.desk.trust()),
        progress=progress,
        spec=spec,
        refusal=refusal,
        revealed=revealed,
        may_decide=visit.may(Permission.IDENTITY_WRITE),
        may_reveal=visit.may(Permission.PROFILES_REVEAL) and not revealed,
    )


def thinned(trust: Sequence[Trust]) -> list[Trust]:
    """Return a few of the weights, evenly among all, the last of them for sure."""
    step = -(-len(trust) // TRUST_STEPS) or 1
    return list(trust[::-1][::step])[::-1]


@post("/identity/links/search", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def search_links(visit: VisitHere, who: WhoHere) -> Redirect:
    """Begin a search; where one runs already, that one is shown."""
    with contextlib.suppress(Busy):
        _opened(who.linking).search.start(visit.actor)
    return go("/identity/links#search")


@post("/identity/links/{pair:str}/decide", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def decide_link(
    pair: FromPath[str], visit: VisitHere, form: FormHere, who: WhoHere, store: StoreHere
) -> Redirect:
    """Keep a decision, say it, and go on with the next pair of the list."""
    linking, decision = _opened(who.linking), form.one("decision")
    decided = linking.desk.decide(_id(pair), decision, by=visit.actor.name)
    store.audit.append(visit.actor, Act.IDENTITY_SAID, "links", decided.id, said=decision)
    return go(f"/identity/links?decision={_list_of(form.one('list'))}#pair")


@post("/identity/links/{pair:str}", opt=REVEAL, status_code=200, include_in_schema=False, sync_to_thread=True)
def reveal_link(
    pair: FromPath[str],
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    who: WhoHere,
    store: StoreHere,
) -> Response[str]:
    """Show a pair's values unmasked, this once, to somebody who says what for; that is put on record."""
    linking, purpose = _opened(who.linking), form.one("purpose").replace("\0", "")
    has_purpose = len(purpose) >= PURPOSE_MIN
    found = linking.desk.pair(_id(pair), reveal=has_purpose)
    if not has_purpose:
        refusal = visit.words("person.purpose_missing")
        return _page(visit, pages, linking, store, found.decision, found, refusal=refusal)
    _note_reveal(visit, store, found, purpose)
    return _page(visit, pages, linking, store, found.decision, found, revealed=True)


def _note_reveal(visit: Visit, store: Store, pair: Review, purpose: str) -> None:
    told = seal_text(purpose[:PURPOSE_MAX], mask_of)
    people = tuple(one for one in (pair.left_person, pair.right_person) if one)
    store.audit.append(visit.actor, Act.REVEALED, "links", pair.id, purpose=told, people=people)


def _id(pair: str) -> str:
    return decode(pair).replace("\0", "")


ROUTES = [show_links, search_links, decide_link, reveal_link]
