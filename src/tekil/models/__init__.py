"""Models: named SELECTs over what happened. Each is bound three ways: all, the touched, before an instant."""

from tekil.models.audiences import AUDIENCE_KIND, audience_model
from tekil.models.cards import CARD_TABLES, CardRows, build_cards
from tekil.models.derive import (
    Bindings,
    arriving,
    backfill,
    derive,
    derive_models,
    fill,
    models_digest,
    needed,
)
from tekil.models.features import FEATURE_KIND, feature_model
from tekil.models.in_force import Defined, InForce
from tekil.models.model import Model
from tekil.models.profile import ACTIVITY, ATTRIBUTES, attributes
from tekil.models.publication import Publication
from tekil.models.views import VIEWS

__all__ = [
    "ACTIVITY",
    "ATTRIBUTES",
    "AUDIENCE_KIND",
    "CARD_TABLES",
    "FEATURE_KIND",
    "VIEWS",
    "Bindings",
    "CardRows",
    "Defined",
    "InForce",
    "Model",
    "Publication",
    "arriving",
    "attributes",
    "audience_model",
    "backfill",
    "build_cards",
    "derive",
    "derive_models",
    "feature_model",
    "fill",
    "models_digest",
    "needed",
]
