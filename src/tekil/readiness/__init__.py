"""Readiness: the acquisition checklist, answered by what the system measures about itself."""

from tekil.readiness.checks import CHECKS
from tekil.readiness.measuring import Measured, Measuring
from tekil.readiness.model import GROUPS, STATES, Answer, AnswerTold, Check, Point, told
from tekil.readiness.plain import PLAIN
from tekil.readiness.trail import TrailWatch

__all__ = [
    "CHECKS",
    "GROUPS",
    "PLAIN",
    "STATES",
    "Answer",
    "AnswerTold",
    "Check",
    "Measured",
    "Measuring",
    "Point",
    "TrailWatch",
    "told",
]
