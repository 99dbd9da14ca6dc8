"""Links: people whom nobody named together, found to be alike; how much so, and what somebody said of it."""

from tekil.links.desk import LinkDesk, Review, Run, Trust
from tekil.links.model import FIELDS, People
from tekil.links.records import read_people
from tekil.links.search import LinkSearch, Progress

__all__ = ["FIELDS", "LinkDesk", "LinkSearch", "People", "Progress", "Review", "Run", "Trust", "read_people"]
