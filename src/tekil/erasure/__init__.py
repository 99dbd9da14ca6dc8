"""Erasure of a person, whole: plan, apply, proof. Read `eraser` first.

`person` works out who is meant, `traces` finds their rows, `removal` takes them out of the warehouse, `proof`
looks afterwards, `scan` reads every byte. What becomes of a table's rows is said beside the table.
"""

from tekil.erasure.desk import ErasureDesk
from tekil.erasure.eraser import Eraser
from tekil.erasure.model import Checked, Plan, Proof, Traces
from tekil.erasure.sweeping import Sweeping

__all__ = ["Checked", "Eraser", "ErasureDesk", "Plan", "Proof", "Sweeping", "Traces"]
