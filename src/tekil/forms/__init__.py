"""Forms: what somebody is asked who wants to hear from a company, and what they answered.

A lead comes in as two messages that belong together: an `identify` with who it is, and a `track` of
`Lead Submitted` with what they want. So it is loaded, sealed and resolved like everything else.
"""

from tekil.forms.intake import (
    HONEYPOT,
    FieldFlaw,
    FieldsInvalid,
    Submission,
    flaws_in,
    read_answers,
    read_submission,
)
from tekil.forms.messages import lead_id, messages_of
from tekil.forms.model import FORM_KIND, Form, FormField, FormSpec, forms_in_force
from tekil.forms.page import Shown, render

__all__ = [
    "FORM_KIND",
    "HONEYPOT",
    "FieldFlaw",
    "FieldsInvalid",
    "Form",
    "FormField",
    "FormSpec",
    "Shown",
    "Submission",
    "flaws_in",
    "forms_in_force",
    "lead_id",
    "messages_of",
    "read_answers",
    "read_submission",
    "render",
]
