"""How tokens are asked for (RFC 6749, 7009, 7636): pure functions from a connection to a request and back."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx
import msgspec

from tekil.errors import Refused, Unavailable

LASTS_SECONDS = 300.0
"""How long a token is taken to last whose end was not told."""

MARGIN_SECONDS = 60.0
"""A token is renewed so long before it ends, or in the last tenth of its life where that is shorter."""

Grant = Literal["client_credentials", "authorization_code", "password"]


class ConnectionRefused(Refused):
    """The other side gives no token. `code` is `connection_refused`, or `connection_broken` for good."""

    code = "connection_refused"


class Connection(msgspec.Struct, frozen=True):
    """Another system that gives tokens, and what Tekil is to it. Secrets are kept sealed.

    `body` is how it wants to be asked; `in_header` sends the client's id and secret by Basic.
    """

    name: str
    token_url: str
    grant: Grant = "client_credentials"
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    password: str = ""
    scope: str = ""
    authorize_url: str = ""
    revoke_url: str = ""
    body: Literal["form", "json"] = "form"
    in_header: bool = True


class Tokens(msgspec.Struct, frozen=True):
    """What a connection was given. `expires_at` and `lasts` in seconds, the first since the epoch."""

    access: str
    expires_at: float
    lasts: float
    refresh: str = ""

    def is_fresh(self, now: float) -> bool:
        """Return whether the token can still be used, with time to spare."""
        return bool(self.access) and now < self.expires_at - min(MARGIN_SECONDS, self.lasts / 10)


class Started(msgspec.Struct, frozen=True):
    """An authorization that somebody went to give: what must come back with them."""

    state: str
    verifier: str
    redirect_uri: str


def first_fields(connection: Connection) -> dict[str, str]:
    """Return what asks for a token without a refresh token."""
    fields: dict[str, str] = {"grant_type": connection.grant}
    if connection.grant == "password":
        fields |= {"username": connection.username, "password": connection.password}
    return fields | ({"scope": connection.scope} if connection.scope else {})


def refresh_fields(refresh: str) -> dict[str, str]:
    """Return what asks for a token with a refresh token."""
    return {"grant_type": "refresh_token", "refresh_token": refresh}


def code_fields(started: Started, code: str) -> dict[str, str]:
    """Return what asks for a token with a code that somebody brought back."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": started.redirect_uri,
        "code_verifier": started.verifier,
    }


def start(connection: Connection, redirect_uri: str) -> tuple[str, Started]:
    """Return where to send somebody who shall give leave, and what to keep until they are back."""
    started = Started(secrets.token_urlsafe(24), secrets.token_urlsafe(48), redirect_uri)
    asked = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": redirect_uri,
        "state": started.state,
        "code_challenge": challenge(started.verifier),
        "code_challenge_method": "S256",
        **({"scope": connection.scope} if connection.scope else {}),
    }
    mark = "&" if "?" in connection.authorize_url else "?"
    return f"{connection.authorize_url}{mark}{urlencode(asked)}", started


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def request_of(connection: Connection, url: str, fields: dict[str, str]) -> dict[str, Any]:
    """Return the arguments of the POST that asks, with the client's credentials where it has some."""
    headers = {"Accept": "application/json"}
    if connection.client_id and connection.client_secret and connection.in_header:
        pair = f"{quote(connection.client_id, safe='')}:{quote(connection.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif connection.client_id:
        fields = fields | {"client_id": connection.client_id}
        if connection.client_secret:
            fields |= {"client_secret": connection.client_secret}
    content = {"json": fields} if connection.body == "json" else {"data": fields}
    return {"url": url, "headers": headers, **content}


def read_tokens(connection: Connection, answer: httpx.Response, now: float, refresh: str = "") -> Tokens:
    """Return the tokens of an answer; `refresh` is kept where none comes along.

    Raises `ConnectionRefused` in the other side's words, `Unavailable` where it is busy or speaks no JSON.
    """
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
        raise away(connection, f"it answered {answer.status_code}")
    try:
        told = answer.json()
    except ValueError as error:
        raise away(connection, f"it answered {answer.status_code} with no JSON") from error
    if not isinstance(told, dict) or answer.status_code != httpx.codes.OK:
        raise refused(connection, told if isinstance(told, dict) else {}, answer.status_code)
    access = told.get("access_token")
    if not isinstance(access, str) or not access.isascii() or not access.isprintable() or not access:
        raise refused(connection, {"error_description": "its answer holds no access token"}, 200)
    try:
        lasts = max(float(told.get("expires_in") or LASTS_SECONDS), 0.0)
    except (TypeError, ValueError):
        lasts = LASTS_SECONDS
    return Tokens(access, now + lasts, lasts, str(told.get("refresh_token") or refresh))


def away(connection: Connection, why: str) -> Unavailable:
    """Return the error of another side that cannot be asked now."""
    return Unavailable(
        f"{connection.name} gave no token ({why}). It is asked again; check that {connection.token_url} is "
        "its token endpoint.",
        code="connection_unavailable",
    )


ADVICE = {
    "invalid_client": "The client's id or secret is wrong; get a new secret there and give it here.",
    "invalid_grant": "What it once granted is over or was taken back; connect it anew.",
    "invalid_scope": "It does not grant all that is asked for; ask for less.",
    "unauthorized_client": "This client may not ask in this way; allow the grant there.",
    "unsupported_grant_type": "It does not know this way of asking; choose another grant.",
}


def refused(connection: Connection, told: dict[str, Any], status: int) -> ConnectionRefused:
    """Return the error of another side that says no: its words, and what to do."""
    code = str(told.get("error") or "")
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else told
    words = str(first.get("error_description") or first.get("message") or code or f"it answered {status}")
    advice = ADVICE.get(code, "Look at the connection's settings, here and there.")
    broken = "connection_broken" if code == "invalid_grant" else None
    return ConnectionRefused(f"{connection.name} gave no token: {words[:300]}. {advice}", code=broken)
