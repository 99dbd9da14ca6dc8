"""What the pages about who is who work with: all of it is missing where an installation is only looked at."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tekil.groupings import Groupings
from tekil.identity import IdentityDesk
from tekil.links import LinkDesk, LinkSearch


@dataclass(frozen=True, slots=True)
class Linking:
    """The desk of pairs who are alike, and what searches for them."""

    desk: LinkDesk
    search: LinkSearch


@dataclass(frozen=True, slots=True)
class WhoIsWho:
    """The desks of identity and of links, and what reads groupings."""

    desk: IdentityDesk | None = None
    linking: Linking | None = None
    groupings: Groupings | None = None


WhoHere = NamedDependency[SkipValidation[WhoIsWho]]
