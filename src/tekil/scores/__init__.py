"""Scores: points for what people are and do, which may fade, and the grades that points make."""

from tekil.scores.formula import Formula, Held, HeldGroup, Shown, ShownRule
from tekil.scores.spec import (
    GRADE,
    SCORE,
    Group,
    Rule,
    ScoreSpec,
    check_score,
    columns_of,
    grades_of,
    half_life_us,
    read_spec,
    rules_of,
)
from tekil.scores.sql import ReadRule, ReadScore, columns_held, scores_sql, value_sql

__all__ = [
    "GRADE",
    "SCORE",
    "Formula",
    "Group",
    "Held",
    "HeldGroup",
    "ReadRule",
    "ReadScore",
    "Rule",
    "ScoreSpec",
    "Shown",
    "ShownRule",
    "check_score",
    "columns_held",
    "columns_of",
    "grades_of",
    "half_life_us",
    "read_spec",
    "rules_of",
    "scores_sql",
    "value_sql",
]
