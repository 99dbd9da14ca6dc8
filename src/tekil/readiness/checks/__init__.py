"""Every check there is, in the order of the checklist: one file for each kind of thing that is looked at."""

from tekil.readiness.checks.channels import CHANNELS
from tekil.readiness.checks.journey import JOURNEY
from tekil.readiness.checks.keeping import KEEPING
from tekil.readiness.checks.kpis import KPIS
from tekil.readiness.checks.performance import PERFORMANCE
from tekil.readiness.checks.personal import PERSONAL
from tekil.readiness.checks.records import RECORDS
from tekil.readiness.checks.reviews import REVIEWS
from tekil.readiness.checks.signing_in import SIGNING_IN
from tekil.readiness.checks.traces import TRACES
from tekil.readiness.checks.triggers import TRIGGERS
from tekil.readiness.model import Check

CHECKS: tuple[Check, ...] = (
    JOURNEY,
    CHANNELS,
    RECORDS,
    PERSONAL,
    KEEPING,
    SIGNING_IN,
    TRACES,
    PERFORMANCE,
    REVIEWS,
    KPIS,
    TRIGGERS,
)
"""A later slice adds its own here."""
