"""Connections to other systems: seen with their state, added, tested, disabled and removed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api import reference as decode
from tekil.console.forms import Form, FormHere
from tekil.console.gate import is_fresh
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, TekilError
from tekil.outgoing import Connection, Connections

READ = needs(Permission.CONNECTIONS_READ)
WRITE = needs(Permission.CONNECTIONS_WRITE)

OutwardHere = NamedDependency[SkipValidation[Connections]]

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TEXT_MAX = 2_000
GRANTS = ("client_credentials", "password")
"""What can be given here; leave by a browser (`authorization_code`) is given by whoever needs it."""

BODIES = ("form", "json")


@get("/connections", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_connections(visit: VisitHere, pages: PagesHere, outward: OutwardHere) -> Response[str]:
    """Show all connections with their states, and the form that adds one."""
    return _list(visit, pages, outward, Form({}))


def _list(
    visit: Visit,
    pages: Pages,
    outward: Connections,
    form: Form,
    *,
    refusal: str = "",
    tested: str = "",
    failure: str = "",
) -> Response[str]:
    return pages.show(
        visit,
        "connections.html",
        status=400 if refusal else 200,
        page="connections",
        connections=[(row, urlsplit(row.place).netloc or row.place) for row in outward.all()],
        grants=GRANTS,
        bodies=BODIES,
        form=form,
        refusal=refusal,
        tested=tested,
        failure=failure,
        may_write=visit.may(Permission.CONNECTIONS_WRITE),
        fresh=is_fresh(visit),
    )


@post("/connections", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def add_connection(
    visit: VisitHere, form: FormHere, pages: PagesHere, outward: OutwardHere
) -> Response[str] | Redirect:
    """Keep a new connection. Its secrets are sealed, and shown to nobody again."""
    try:
        connection = read_connection(form)
        if any(row.name == connection.name for row in outward.all()):
            raise BadRequest(f"There is a connection {connection.name} already.", code="connection_exists")
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _list(visit, pages, outward, form, refusal=refusal)
    outward.put(connection, visit.actor)
    return go("/connections")


def read_connection(form: Form) -> Connection:
    """Return the connection that a form tells of. Raises `BadRequest` for one that can be none."""
    name, url, grant = form.one("name"), form.one("token_url"), form.one("grant")
    texts = [form.secret(field) for field in ("client_id", "client_secret", "username", "password", "scope")]
    client_id, client_secret, username, password, scope = texts
    if not NAME.fullmatch(name):
        raise BadRequest("A name has small letters, digits and -, 64 at most.", code="connection_name")
    if not _is_url(url):
        raise BadRequest("Give the token endpoint's whole https address.", code="connection_url")
    needed = (username, password) if grant == "password" else (client_id, client_secret)
    long = any(len(text) > TEXT_MAX or "\0" in text for text in (*texts, url))
    if grant not in GRANTS or form.one("body") not in ("", *BODIES) or long or not all(needed):
        raise BadRequest("Fill in what this kind of connection needs.", code="connection_incomplete")
    return Connection(
        name,
        url,
        "password" if grant == "password" else "client_credentials",
        client_id.strip(),
        client_secret,
        username.strip(),
        password,
        scope.strip(),
        body="json" if form.one("body") == "json" else "form",
        in_header=form.one("in_body") != "yes",
    )


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            url.isprintable()
            and parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and parts.username is None
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False


@post(
    "/connections/{name:str}/test", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True
)
def probe_connection(
    name: FromPath[str], visit: VisitHere, pages: PagesHere, outward: OutwardHere
) -> Response[str]:
    """Ask the other side for a token now, and say what it answered."""
    asked = decode(name)
    try:
        outward.probe(asked, visit.actor)
    except TekilError as error:
        if error.code == "connection_unknown":
            raise
        failure = visit.words.known(f"error.{error.code}", "")
        told = f"{failure} {error.message}".strip()
        return _list(visit, pages, outward, Form({}), tested=asked, failure=told)
    return _list(visit, pages, outward, Form({}), tested=asked)


@post("/connections/{name:str}/{enabled:str}", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def switch_connection(
    name: FromPath[str], enabled: FromPath[str], visit: VisitHere, outward: OutwardHere
) -> Redirect:
    """Disable a connection, enable it, or forget it and tell the other side."""
    asked = decode(name)
    if enabled == "remove":
        outward.remove(asked, visit.actor)
    elif enabled in ("enable", "disable"):
        outward.set_enabled(asked, enabled == "enable", visit.actor)
    else:
        raise BadRequest("A connection is enabled, disabled or removed.", code="path_unknown")
    return go("/connections")


ROUTES = [show_connections, add_connection, probe_connection, switch_connection]
