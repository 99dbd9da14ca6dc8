"""Models: named SELECTs over what happened. Each is bound three ways: all, the touched, before an instant."""

from tekil.models.cards import CARD_TABLES, CardRows, build_cards
from tekil.models.derive import Bindings, derive, models_digest
from tekil.models.features import FEATURE_KIND, feature_model
from tekil.models.model import Model
from tekil.models.profile import ACTIVITY, ATTRIBUTES, attributes
from tekil.models.views import VIEWS

__all__ = [
    "ACTIVITY",
    "ATTRIBUTES",
    "CARD_TABLES",
    "FEATURE_KIND",
    "VIEWS",
    "Bindings",
    "CardRows",
    "Model",
    "attributes",
    "build_cards",
    "derive",
    "feature_model",
    "models_digest",
]
