"""Models: named SELECTs over what happened. Each is bound three ways: all, the touched, before an instant."""

from tekil.models.affiliations import AFFILIATIONS
from tekil.models.audiences import (
    AUDIENCE_KIND,
    AUDIENCES,
    SCORE_KIND,
    STAGE_KIND,
    audience_model,
    moves_sql,
    person_models,
    read_audiences,
)
from tekil.models.cards import CARD_TABLES, CardRows, build_cards, card_tables
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
from tekil.models.features import FEATURE_KIND, FEATURES, feature_model
from tekil.models.in_force import Defined, InForce
from tekil.models.memberships import (
    AUDIENCE_CHANGES,
    AUDIENCE_SIZES,
    MEMBERS,
    MEMBERS_KEPT,
    MEMBERSHIP_TABLES,
    Turned,
    memberships_of,
)
from tekil.models.model import Model
from tekil.models.planned import Counting, counting, values_sql
from tekil.models.profile import ACTIVITY, ATTRIBUTES, attributes
from tekil.models.scores import SCORES
from tekil.models.stages import ChainSpec, ChainStage, label
from tekil.models.views import VIEWS

__all__ = [
    "ACTIVITY",
    "AFFILIATIONS",
    "ATTRIBUTES",
    "AUDIENCES",
    "AUDIENCE_CHANGES",
    "AUDIENCE_KIND",
    "AUDIENCE_SIZES",
    "CARD_TABLES",
    "FEATURES",
    "FEATURE_KIND",
    "MEMBERS",
    "MEMBERSHIP_TABLES",
    "MEMBERS_KEPT",
    "SCORES",
    "SCORE_KIND",
    "STAGE_KIND",
    "VIEWS",
    "Bindings",
    "CardRows",
    "ChainSpec",
    "ChainStage",
    "Counting",
    "Defined",
    "InForce",
    "Model",
    "Turned",
    "arriving",
    "attributes",
    "audience_model",
    "backfill",
    "build_cards",
    "card_tables",
    "counting",
    "derive",
    "derive_models",
    "feature_model",
    "fill",
    "label",
    "memberships_of",
    "models_digest",
    "moves_sql",
    "needed",
    "person_models",
    "read_audiences",
    "values_sql",
]
