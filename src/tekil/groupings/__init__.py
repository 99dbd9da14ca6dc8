"""Groupings: organisations and households. People are put side by side here, and never merged."""

from tekil.groupings.model import Affinity, Household, Member, Organisation, OrganisationCard, Page
from tekil.groupings.reads import Groupings

__all__ = ["Affinity", "Groupings", "Household", "Member", "Organisation", "OrganisationCard", "Page"]
