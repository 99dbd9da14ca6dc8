"""The event dictionary: what each event means, what it must hold, and how well what is said keeps to it."""

from tekil.dictionary.counting import COUNTED, counted_events
from tekil.dictionary.judging import VIOLATIONS, Judged, Rules, judge
from tekil.dictionary.kinds import DICTIONARY_KIND, EVENT_KIND
from tekil.dictionary.model import MODES, STAGES, Dictionary, Event, EventSpec, Field, Mode

__all__ = [
    "COUNTED",
    "DICTIONARY_KIND",
    "EVENT_KIND",
    "MODES",
    "STAGES",
    "VIOLATIONS",
    "Dictionary",
    "Event",
    "EventSpec",
    "Field",
    "Judged",
    "Mode",
    "Rules",
    "counted_events",
    "judge",
]
