"""Leads: who gets them, how soon somebody must have spoken with them, and what becomes of them.

A lead comes in as a message like any other (`tekil.forms`); `hearing` notes it in the store, `runner` looks
after it, `desk` is what people see. Who gets it and what follows pure functions decide: `routing`, `life`.
"""

from tekil.leads.desk import Board, LeadDesk, LeadTold, Reader, Shown
from tekil.leads.hearing import LeadHearing, leads_said
from tekil.leads.notices import LeadNotices
from tekil.leads.open import open_desk, open_leads
from tekil.leads.runner import LeadRunner

__all__ = [
    "Board",
    "LeadDesk",
    "LeadHearing",
    "LeadNotices",
    "LeadRunner",
    "LeadTold",
    "Reader",
    "Shown",
    "leads_said",
    "open_desk",
    "open_leads",
]
