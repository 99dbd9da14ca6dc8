"""What an identifier is: its kinds, its normal forms, and the policy that says what each is worth."""

from tekil.identifiers.kinds import IDENTITY_KIND
from tekil.identifiers.model import (
    KINDS,
    NAMED_BY_COLUMNS,
    SEALED,
    HouseholdsSpec,
    KindSpec,
    LinksSpec,
    OrganisationsSpec,
    Policy,
    PolicySpec,
    Strength,
    kind_of,
)
from tekil.identifiers.normalisers import NORMALISERS

__all__ = [
    "IDENTITY_KIND",
    "KINDS",
    "NAMED_BY_COLUMNS",
    "NORMALISERS",
    "SEALED",
    "HouseholdsSpec",
    "KindSpec",
    "LinksSpec",
    "OrganisationsSpec",
    "Policy",
    "PolicySpec",
    "Strength",
    "kind_of",
]
