"""OAuth 2.0 client credentials (RFC 6749, 4.4): a service trades its API key for a token that ends soon.

The key's id is the client's id, its secret the client's secret. What asks with the token asks as the key.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from anyio import to_thread
from litestar import Request, Response, post

from tekil.api.access import StoreHere, address_of
from tekil.api.declared import FOR_ANYBODY
from tekil.errors import BadRequest
from tekil.store import ApiKey, Store
from tekil.store.tokens import LASTS_SECONDS

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FIELDS_MAX = 16


@post("/v1/oauth/token", opt=FOR_ANYBODY, status_code=200, include_in_schema=False)
async def issue_token(request: Request[Any, Any, Any], store: StoreHere) -> Response[dict[str, Any]]:
    """Answer a token for a key's id and secret; refuse as the RFC's section 5.2 says."""
    try:
        form = parse_qs((await request.body()).decode(), max_num_fields=FIELDS_MAX)
    except ValueError:
        return refuse("invalid_request", "The body is no form.")
    if any(len(values) > 1 for values in form.values()):
        return refuse("invalid_request", "A field is there twice.")
    fields = {name: values[0] for name, values in form.items()}
    credentials = client_of(request.headers.get("authorization", ""), fields)
    if credentials is None:
        return refuse("invalid_client", "Give the key's id and secret, by Basic or in the form.")
    key = await to_thread.run_sync(find_client, store, *credentials)
    if key is None:
        return refuse("invalid_client", "No key has this id and this secret.")
    if fields.get("grant_type") != "client_credentials":
        return refuse("unsupported_grant_type", "There is client_credentials, and no other.")
    scopes = fields.get("scope", "").split()
    try:
        token, granted = await to_thread.run_sync(store.tokens.issue, key, scopes, address_of(request))
    except BadRequest as error:
        return refuse("invalid_scope", error.message)
    answer = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LASTS_SECONDS,
        "scope": " ".join(granted),
    }
    return Response(answer, headers=NO_STORE)


def client_of(authorization: str, fields: dict[str, str]) -> tuple[str, str] | None:
    """Return the id and the secret that a client gave, nothing where it gave none or gave them twice."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        pair = fields.get("client_id", ""), fields.get("client_secret", "")
        return pair if all(pair) else None
    if "client_secret" in fields:
        return None
    try:
        name, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def find_client(store: Store, key_id: str, secret: str) -> ApiKey | None:
    """Return the key that works and has this id and this secret."""
    key = store.keys.find_api_key(secret)
    good = key is not None and key.id == key_id and not key.revoked and not key.expired
    return key if good else None


def refuse(error: str, description: str) -> Response[dict[str, Any]]:
    """Return an error of the RFC."""
    is_client = error == "invalid_client"
    headers = {**NO_STORE, **({"WWW-Authenticate": 'Basic realm="tekil"'} if is_client else {})}
    told = {"error": error, "error_description": description}
    return Response(told, status_code=401 if is_client else 400, headers=headers)
