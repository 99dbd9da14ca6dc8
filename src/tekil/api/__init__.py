"""The API: people, their events, the ledger, sources and SQL, over HTTP and JSON."""

from tekil.api.access import KeyRing, address_of
from tekil.api.consents import consent_routes
from tekil.api.declared import FOR_ANYBODY, FOR_SIGNED_IN, check_declared, needs
from tekil.api.definitions import definition_routes
from tekil.api.document import document
from tekil.api.leads import lead_routes
from tekil.api.limits import Limits
from tekil.api.metrics import Metrics
from tekil.api.paths import keep_slashes, reference, segment
from tekil.api.person_export import export_routes
from tekil.api.problems import answer, explain
from tekil.api.proxies import Proxies
from tekil.api.readiness import readiness_routes
from tekil.api.routes import routes

__all__ = [
    "FOR_ANYBODY",
    "FOR_SIGNED_IN",
    "KeyRing",
    "Limits",
    "Metrics",
    "Proxies",
    "address_of",
    "answer",
    "check_declared",
    "consent_routes",
    "definition_routes",
    "document",
    "explain",
    "export_routes",
    "keep_slashes",
    "lead_routes",
    "needs",
    "readiness_routes",
    "reference",
    "routes",
    "segment",
]
