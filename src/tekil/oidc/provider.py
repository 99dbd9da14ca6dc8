"""One OpenID Connect provider: what it says of itself, its keys, and the codes that people bring from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from tekil.config import ProviderSettings
from tekil.errors import Unavailable
from tekil.oidc.claims import Identity, Metadata, ProviderRefused, check_claims, read_metadata
from tekil.outgoing import Connection, Outgoing
from tekil.outgoing.grants import challenge, request_of

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures by a key that only the provider has: not `none`, and not a secret that we share (HS256)."""

KEY_TYPES = ("RSA", "EC", "OKP")
RSA_BITS_MIN = 2048
KNOWN_SECONDS = 3600.0
"""How long what a provider says of itself, and its keys, are taken to hold."""

AGAIN_SECONDS = 30.0
"""How often its keys are asked for at most, when a token names one that is not known."""

Key = jwk.Key


class Question(msgspec.Struct, frozen=True):
    """What a browser is sent away with, and must come back with. `goal` is where it wanted to go here."""

    provider: str
    state: str
    nonce: str
    verifier: str
    goal: str


class Provider:
    """Asks one provider. Safe for many threads."""

    def __init__(
        self,
        settings: ProviderSettings,
        secret: str,
        origin: str,
        outgoing: Outgoing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what tekil.toml says, the client's secret (empty for none), our address, and the way out."""
        self.settings = settings
        self.redirect_uri = f"{origin}/sign-in/with/{settings.name}/back"
        self._after = f"{origin}/sign-in"
        self._secret = secret
        self._clock = clock
        self._http = outgoing.client()
        self._lock = Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, list[Key]] = (float("-inf"), [])

    def address(self, question: Question) -> str:
        """Return where to send a browser (with PKCE, RFC 7636). Raises `Unavailable`, `ProviderRefused`."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.settings.scope,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": challenge(question.verifier),
            "code_challenge_method": "S256",
        }
        return _with_query(self.metadata().authorization_endpoint, asked)

    def identify(self, code: str, question: Question) -> Identity:
        """Trade a code for who brought it. Raises `Unavailable`, `ProviderRefused`."""
        told = self._trade(code, question.verifier)
        claims = self._read_token(told.get("id_token"))
        settings = self.settings
        identity = check_claims(claims, settings.issuer, settings.client_id, question.nonce, self._clock())
        wanted = {settings.roles_claim, settings.name_claim}
        if wanted <= identity.claims.keys() or not self.metadata().userinfo_endpoint:
            return identity
        more = self._user_info(str(told.get("access_token") or ""))
        if more.get("sub") != identity.subject:
            raise ProviderRefused(
                "The provider tells of somebody else than its token.", code="id_token_refused"
            )
        return Identity(identity.subject, more | identity.claims)

    def check_issuer(self, said: str | None) -> None:
        """Return if the answer came from this provider (RFC 9207). Raises `ProviderRefused`."""
        required = self.metadata().authorization_response_iss_parameter_supported
        if said != self.settings.issuer and (said is not None or required):
            raise ProviderRefused("The answer came from another provider.", code="provider_answer_refused")

    def way_out(self) -> str:
        """Return where somebody signs out at the provider too; empty where that cannot be known."""
        try:
            place = self.metadata().end_session_endpoint
        except (Unavailable, ProviderRefused):
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": self._after}
        return _with_query(place, asked) if place else ""

    def metadata(self) -> Metadata:
        """Return what the provider says of itself, asked for once in a while."""
        with self._lock:
            if self._metadata is None or self._metadata[0] + KNOWN_SECONDS < self._clock():
                issuer = self.settings.issuer
                answer = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                self._metadata = (self._clock(), read_metadata(answer.content, issuer))
            return self._metadata[1]

    def _trade(self, code: str, verifier: str) -> dict[str, Any]:
        metadata = self.metadata()
        methods = metadata.token_endpoint_auth_methods_supported
        in_header = "client_secret_basic" in methods or "client_secret_post" not in methods
        client = Connection(
            self.settings.name,
            metadata.token_endpoint,
            client_id=self.settings.client_id,
            client_secret=self._secret,
            in_header=in_header,
        )
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        told = _read(self._answered("POST", **request_of(client, metadata.token_endpoint, fields)))
        if "id_token" not in told:
            raise ProviderRefused(
                f"The provider gave no ID token: {_word(told.get('error'))}. Check the client's id and "
                f"secret, and that {self.redirect_uri} is its redirect address there.",
                code="provider_answer_refused",
            )
        return told

    def _read_token(self, token: Any) -> dict[str, Any]:
        """Return the claims of an ID token whose signature is one of the provider's keys."""
        if not isinstance(token, str):
            raise _unsigned()
        try:
            header = jws.extract_compact(token.encode()).headers()
            wanted = header.get("kid")
        except (JoseError, ValueError, AttributeError) as error:
            raise _unsigned() from error
        for renewed in (False, True):
            for key in self._provider_keys(wanted, renew=renewed):
                try:
                    return dict(jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims)
                except (JoseError, ValueError, TypeError):
                    continue
        raise _unsigned()

    def _provider_keys(self, wanted: str | None, *, renew: bool) -> list[Key]:
        """Return the keys a token may be signed by; asked for anew where it may be one that has just come."""
        place = self.metadata().jwks_uri
        with self._lock:
            asked_at, keys = self._keys
            age = self._clock() - asked_at
            if age > KNOWN_SECONDS or (renew and age > AGAIN_SECONDS):
                self._keys = (self._clock(), read_keys(_read(self._get(place))))
            keys = self._keys[1]
        return [key for key in keys if wanted is None or key.kid in (wanted, None)]

    def _user_info(self, token: str) -> dict[str, Any]:
        if not token.isascii() or not token.isprintable():
            raise _unsigned()
        place = self.metadata().userinfo_endpoint
        return _read(self._answered("GET", url=place, headers={"Authorization": f"Bearer {token}"}))

    def _get(self, url: str) -> httpx.Response:
        answer = self._answered("GET", url=url)
        if answer.status_code != httpx.codes.OK:
            raise self._away(f"it answered {answer.status_code}")
        return answer

    def _answered(self, method: str, **asked: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, **asked)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(str(error) or type(error).__name__) from error
        if answer.status_code >= 500:
            raise self._away(f"it answered {answer.status_code}")
        return answer

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"{self.settings.issuer} cannot be asked now ({why}). Try again, or sign in in another way.",
            code="provider_unavailable",
        )


def read_keys(told: dict[str, Any]) -> list[Key]:
    """Return those of a provider's keys that may sign: public ones, of a size, not meant for encryption."""
    found = []
    for one in told.get("keys") or []:
        if not isinstance(one, dict) or one.get("kty") not in KEY_TYPES or one.get("use", "sig") != "sig":
            continue
        try:
            key = jwk.import_key(one)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if one["kty"] != "RSA" or key.public_key.key_size >= RSA_BITS_MIN:  # type: ignore[union-attr]
            found.append(key)
    return found


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ProviderRefused("The provider answered with no JSON object.", code="provider_unreadable")
    return told


def _word(value: Any) -> str:
    """Return an error's name as a specification would have it; anything else may be somebody's text."""
    return (
        value
        if isinstance(value, str) and value.replace("_", "").isalpha() and len(value) < 64
        else "unknown"
    )


def _with_query(url: str, asked: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def _unsigned() -> ProviderRefused:
    return ProviderRefused(
        "The provider's ID token is not accepted: no key of the provider signed it.", code="id_token_refused"
    )
