"""What browsers are asked about passkeys, and what becomes of their answers."""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tekil.access.passkeys import (
    RelyingParty,
    challenge_of,
    handle_of,
    id_of,
    registration_options,
    request_options,
    unreadable,
    verify_assertion,
    verify_registration,
)
from tekil.access.tickets import Tickets
from tekil.config import Config
from tekil.console.visit import Visit
from tekil.errors import BadRequest
from tekil.store import Store
from tekil.store.failures import PASSKEY, Guess
from tekil.store.passkeys import Passkey

PURPOSE = "passkey"
NEW = "new passkey"


class Ceremonies:
    """Asks browsers for passkeys, and takes their answers. Each question can be answered once."""

    def __init__(self, config: Config, store: Store) -> None:
        """Take where the console is reached, and where passkeys are kept."""
        origin = config.console.origin
        self.party = RelyingParty(urlsplit(origin).hostname or "", origin, config.workspace.name)
        self._store = store
        self._tickets = Tickets()

    def request(self, visit: Visit) -> str:
        """Return what to ask of a browser, as JSON: a passkey of the reader's, any where nobody is in."""
        mine = self._store.passkeys.of(visit.user.name) if visit.user else []
        known = [passkey.id for passkey in mine if passkey.suspect_at is None]
        return request_options(self.party, self._tickets.give(PURPOSE, visit.form_token), known)

    def request_new(self, visit: Visit) -> str:
        """Return what to ask of a browser that shall make a passkey, as JSON."""
        name = visit.actor.name
        handle = self._store.passkeys.handle(name)
        challenge = self._tickets.give(NEW, visit.form_token, handle.encode())
        known = [passkey.id for passkey in self._store.passkeys.of(name)]
        return registration_options(self.party, challenge, name, handle, known)

    def add(self, visit: Visit, answer: str, title: str) -> None:
        """Keep the passkey that the reader's browser has made. Raises `BadRequest`."""
        challenge = challenge_of(answer)
        handle = self._tickets.take(NEW, visit.form_token, challenge).decode()
        made = verify_registration(self.party, challenge, answer)
        self._store.passkeys.add(visit.actor.name, handle, title, made, visit.actor)

    def show(self, visit: Visit, answer: str) -> None:
        """Return if the answer shows one of the reader's own passkeys. Raises `BadRequest`, `Locked`."""
        guess = self._claim(visit)
        try:
            passkey = self._found(visit, answer)
            if passkey.user_name != visit.actor.name:
                raise unreadable()
            shown = verify_assertion(self.party, challenge_of(answer), answer, passkey.public_key)
        except BadRequest:
            self._store.passkeys.refuse(visit.actor.name, visit.address)
            raise
        self._store.passkeys.show(passkey, shown, visit.actor)
        self._store.failures.forgive(guess)

    def sign_in(self, visit: Visit, answer: str) -> tuple[str, str]:
        """Return who shows a passkey, by name, and their new session. Raises `BadRequest`, `Locked`."""
        guess = self._claim(visit)
        try:
            passkey = self._found(visit, answer)
            # The authenticator says for whom it answers, and that must be whose passkey it is.
            if handle_of(answer).rstrip("=") != passkey.handle:
                raise unreadable()
            shown = verify_assertion(self.party, challenge_of(answer), answer, passkey.public_key)
        except BadRequest:
            self._store.passkeys.refuse("", visit.address)
            raise
        token = self._store.passkeys.sign_in(passkey, shown, visit.address)
        if token is None:
            raise unreadable()
        self._store.failures.forgive(guess)
        return passkey.user_name, token

    def _claim(self, visit: Visit) -> Guess:
        # A passkey cannot be guessed; asking for a check of one costs, so it is counted by address.
        guess = Guess(PASSKEY, "", visit.address)
        self._store.failures.claim(guess)
        return guess

    def _found(self, visit: Visit, answer: str) -> Passkey:
        self._tickets.take(PURPOSE, visit.form_token, challenge_of(answer))
        passkey = self._store.passkeys.find(id_of(answer))
        if passkey is None:
            raise unreadable()
        return passkey


CeremoniesHere = NamedDependency[SkipValidation[Ceremonies]]
