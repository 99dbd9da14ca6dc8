"""An OpenID Connect provider of the tests' own, which can lie in every way that one can."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from tekil.outgoing.grants import challenge
from tests.outgoing.loopback import Answer, Asked, Loopback

CLIENT, SECRET = "tekil", "provider's secret"
REGISTRY = jws.JWSRegistry(algorithms=["RS256", "ES256"])


@dataclass
class StandIn:
    """What it says of itself and of people. A test changes what shall be a lie."""

    keys: list[RSAKey | ECKey] = field(
        default_factory=lambda: [RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig"})]
    )
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] | None = None
    subject: str = "248289761001"
    algorithm: str = "RS256"
    signer: Any = None
    asked: list[str] = field(default_factory=list)
    broken: dict[str, Answer] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    issuer: str = ""

    def __call__(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        self.asked.append(path)
        if path in self.broken:
            return self.broken[path]
        if path == "/.well-known/openid-configuration":
            return self._json(self._metadata())
        if path == "/keys":
            return self._json({"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            return self._token(asked)
        if path == "/me" and self.user_info is not None:
            return self._json({"sub": self.subject} | self.user_info)
        return Answer(b"{}", 404)

    def sign_in(self, address: str) -> dict[str, str]:
        """Be the page where somebody signs in: return what the browser brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == (
            "code",
            CLIENT,
            "S256",
        )
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def _metadata(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
        }
        if self.user_info is not None:
            told["userinfo_endpoint"] = f"{self.issuer}/me"
        return told | self.metadata

    def _token(self, asked: Asked) -> Answer:
        fields = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        question = self.codes.pop(fields.get("code", ""), None)
        expected = base64.b64encode(b"tekil:provider%27s%20secret").decode()
        if asked.headers.get("authorization") != f"Basic {expected}":
            return self._json({"error": "invalid_client"}, 401)
        if question is None or challenge(fields["code_verifier"]) != question["code_challenge"]:
            return self._json({"error": "invalid_grant"}, 400)
        if fields["redirect_uri"] != question["redirect_uri"]:
            return self._json({"error": "invalid_grant"}, 400)
        told = {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(question["nonce"])}
        return self._json(told)

    def id_token(self, nonce: str) -> str:
        """Return the token of whoever signed in, with whatever is to be a lie."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "preferred_username": "ayse",
            "groups": ["cdp-admins"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm in ("none", "HS256"):
            return self._by_hand({"alg": self.algorithm, "kid": self.keys[0].kid}, claims)
        key = self.signer or self.keys[-1]
        header = {"alg": self.algorithm, **({"kid": key.kid} if key.kid else {})}
        return jwt.encode(header, claims, key, registry=REGISTRY)

    def _by_hand(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Return a token that no good library makes: unsigned, or signed by what everybody knows."""
        parts = [json.dumps(part).encode() for part in (header, claims)]
        signed = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        if self.algorithm == "none":
            return f"{signed}."
        # The provider's public key, taken for a secret that it shares with its clients.
        digest = hmac.digest(self.keys[0].as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    @staticmethod
    def _json(told: Any, status: int = 200) -> Answer:
        return Answer(json.dumps(told).encode(), status, {"Content-Type": "application/json"})


def serve(stand_in: StandIn) -> Loopback:
    """Put a provider behind a port of loopback."""
    server = Loopback(stand_in)
    stand_in.issuer = server.url
    return server
