"""The forms in force, as the door knows them: read anew when they change, kept while the store is away."""

from __future__ import annotations

import logging
import time
from asyncio import AbstractEventLoop
from collections.abc import Mapping

from tekil.errors import TekilError
from tekil.forms import Form, forms_in_force
from tekil.store import Definitions

REFRESH_SECONDS = 1.0
"""How long a form that was changed may still be asked as it was."""

logger = logging.getLogger("tekil.collect")


class FormsInForce:
    """Forms by name. It belongs to the door's loop; the store is read in a thread."""

    def __init__(self, definitions: Definitions, loop: AbstractEventLoop) -> None:
        """Take where definitions are kept."""
        self._definitions, self._loop = definitions, loop
        self._forms: Mapping[str, Form] = {}
        self._revision = -1
        self._looked_at = float("-inf")

    async def all(self) -> Mapping[str, Form]:
        """Return the forms by name."""
        if time.monotonic() > self._looked_at + REFRESH_SECONDS:
            self._looked_at = time.monotonic()
            await self._loop.run_in_executor(None, self._refresh)
        return self._forms

    def _refresh(self) -> None:
        try:
            revision = self._definitions.revision()
            if revision != self._revision:
                self._forms = forms_in_force(self._definitions)
                self._revision = revision
        except TekilError as error:
            logger.warning("Forms are as they were last seen, until the store is back. %s", error)
