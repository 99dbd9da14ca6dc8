"""Retention: how long each class of data is kept, as definitions; and the destruction of what is over."""

from tekil.retention.model import CLASSES, RETENTION_KIND, SUGGESTED, RetentionSpec, Rule, rules_in_force
from tekil.retention.run import Planned, Retention

__all__ = [
    "CLASSES",
    "RETENTION_KIND",
    "SUGGESTED",
    "Planned",
    "Retention",
    "RetentionSpec",
    "Rule",
    "rules_in_force",
]
