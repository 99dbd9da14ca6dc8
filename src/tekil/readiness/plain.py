"""Figures for programs and terminals, in English."""

from __future__ import annotations

from tekil.privacy.purposes import Words
from tekil.readiness.model import Moment, OutOf, Share, Span, Value


class Plain:
    """Spells values without regard to a zone or a country."""

    language = "en"

    def spell(self, value: Value) -> str:
        """See `Speller.spell`."""
        match value:
            case Words():
                return value.in_language(self.language)
            case Share(part, whole):
                return f"{100 * part / whole:.1f}%" if whole else "–"
            case OutOf(part, whole):
                return f"{part} of {whole}"
            case Span(seconds):
                return f"{seconds:.2f} s"
            case Moment(at):
                return at.isoformat(timespec="seconds") + "Z"
        return str(value)


PLAIN = Plain()
