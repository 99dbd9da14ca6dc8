"""Models: named SELECTs over what happened. Each is bound three ways: all, the touched, before an instant."""

from tekil.models.cards import CARD_QUERY, CARD_TABLES, IDENTIFIERS_QUERY, build_cards
from tekil.models.derive import Bindings, derive, models_digest
from tekil.models.model import Model
from tekil.models.profile import ACTIVITY, ATTRIBUTES, attributes
from tekil.models.views import VIEWS

__all__ = [
    "ACTIVITY",
    "ATTRIBUTES",
    "CARD_QUERY",
    "CARD_TABLES",
    "IDENTIFIERS_QUERY",
    "VIEWS",
    "Bindings",
    "Model",
    "attributes",
    "build_cards",
    "derive",
    "models_digest",
]
