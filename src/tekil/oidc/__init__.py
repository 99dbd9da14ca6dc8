"""Signing in elsewhere: OpenID Connect providers, and what is believed of what they say."""

from tekil.oidc.claims import Identity
from tekil.oidc.provider import Provider, Question

__all__ = ["Identity", "Provider", "Question"]
