"""What an ID token must say, and what Tekil makes of it (OpenID Connect Core 1.0, 3.1.3.7): pure rules."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tekil.access.policy import check_roles
from tekil.config import ProviderSettings
from tekil.errors import Forbidden, Misconfigured, Refused

LEEWAY_SECONDS = 60
"""How far the provider's clock and ours may be apart."""

SUBJECT_MAX = 255


class ProviderRefused(Refused):
    """A provider, or somebody in its place, said what is not believed."""

    code = "provider_answer_refused"
    http_status = 403


class Identity(msgspec.Struct, frozen=True):
    """Who somebody is at a provider: `subject` never changes, the claims may."""

    subject: str
    claims: dict[str, Any]


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0). Names are the specification's."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


def read_metadata(content: bytes, issuer: str) -> Metadata:
    """Read a provider's metadata. Raises `ProviderRefused` where it is another's, or none."""
    try:
        found = msgspec.json.decode(content, type=Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProviderRefused(
            f"{issuer} does not tell how to sign in there ({error}). Check the issuer in tekil.toml.",
            code="provider_unreadable",
        ) from error
    if found.issuer != issuer:
        raise ProviderRefused(
            f"The provider calls itself {found.issuer!r}, and tekil.toml says {issuer!r}. "
            "They must be the same to the letter.",
            code="provider_issuer_differs",
        )
    for url in (found.authorization_endpoint, found.end_session_endpoint):
        # The browser is led there, so it must be a page and nothing else.
        if url and (urlsplit(url).scheme not in ("https", "http") or not url.isprintable() or " " in url):
            raise ProviderRefused(f"{issuer} names {url!r}, which is no page.", code="provider_unreadable")
    return found


def check_claims(claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: float) -> Identity:
    """Return who an ID token, whose signature is good, speaks of. Raises `ProviderRefused`."""
    if claims.get("iss") != issuer:
        raise _lie("it is of another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise _lie("it is for somebody else")
    party = claims.get("azp")
    if (party is None and len(audiences) > 1) or (party is not None and party != client_id):
        raise _lie("it was given to somebody else")
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    if expires <= now - LEEWAY_SECONDS:
        raise _lie("its time is over")
    if max(issued, _instant(claims, "nbf", issued)) > now + LEEWAY_SECONDS:
        raise _lie("its time has not come")
    if not hmac.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode()):
        raise _lie("it answers another question")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise _lie("it speaks of nobody")
    return Identity(subject, dict(claims))


def _instant(claims: Mapping[str, Any], name: str, otherwise: float | None = None) -> float:
    value = claims.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _lie(f"it has no {name}")
    return value


def _lie(why: str) -> ProviderRefused:
    return ProviderRefused(f"The provider's ID token is not accepted: {why}.", code="id_token_refused")


def name_of(identity: Identity, settings: ProviderSettings) -> str:
    """Return what somebody is called here, when they come for the first time; empty where nothing is said."""
    value = identity.claims.get(settings.name_claim)
    return value if isinstance(value, str) else ""


def roles_of(identity: Identity, settings: ProviderSettings) -> tuple[str, ...]:
    """Return the roles that the written mapping gives somebody.

    Raises `Forbidden` where it gives none.
    """
    said = identity.claims.get(settings.roles_claim)
    groups = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    roles = {role for group in groups if isinstance(group, str) for role in settings.roles.get(group, ())}
    if not roles:
        raise Forbidden(
            f"Nothing in {settings.title or settings.name} gives you a role here. Ask an administrator: the "
            f"claim {settings.roles_claim!r} must hold one of the groups that tekil.toml maps to roles.",
            code="provider_role_missing",
        )
    return check_roles(roles)


def check_settings(providers: Sequence[ProviderSettings]) -> None:
    """Return if what tekil.toml says of providers makes sense. Raises `Misconfigured`, `BadRequest`."""
    names = [provider.name for provider in providers]
    for provider in providers:
        place = f"tekil.toml: the provider {provider.name!r}"
        if not provider.name.isidentifier() or not provider.name.isascii() or names.count(provider.name) > 1:
            raise Misconfigured(
                f"{place} needs a name of its own of letters, digits and _, which stands in addresses.",
                code="config_invalid",
            )
        issuer = urlsplit(provider.issuer)
        if issuer.scheme not in ("https", "http") or not issuer.hostname or issuer.query or issuer.fragment:
            raise Misconfigured(
                f"{place} needs an issuer like https://login.example.com.", code="config_invalid"
            )
        if not provider.client_id or not provider.roles:
            raise Misconfigured(
                f"{place} needs a client_id, and roles: which group there is which role here.",
                code="config_invalid",
            )
        for roles in provider.roles.values():
            check_roles(roles)
