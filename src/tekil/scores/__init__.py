"""Scores: points for what people are and do, which may fade, and the grades that points make."""

from tekil.scores.formula import Formula, Shown, ShownRule, scores_on
from tekil.scores.spec import (
    GRADE,
    SCORE,
    TOTAL,
    Group,
    Rule,
    ScoreSpec,
    axis,
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
    "TOTAL",
    "Formula",
    "Group",
    "ReadRule",
    "ReadScore",
    "Rule",
    "ScoreSpec",
    "Shown",
    "ShownRule",
    "axis",
    "check_score",
    "columns_held",
    "columns_of",
    "grades_of",
    "half_life_us",
    "read_spec",
    "rules_of",
    "scores_on",
    "scores_sql",
    "value_sql",
]
