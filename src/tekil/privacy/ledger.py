"""The consent ledger as the rest of the house asks it: by identifiers in the clear, kept as tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tekil.config import ConsentSettings
from tekil.errors import BadRequest
from tekil.messages import IDENTIFIER_KINDS, normalise
from tekil.privacy.consents import Named, Permission, may_send
from tekil.privacy.find import TOKEN
from tekil.privacy.links import DAY_US, Link, Links
from tekil.privacy.purposes import Purpose, check_choice, purposes_of
from tekil.privacy.tokens import Tokens
from tekil.privacy.typed import check_typed
from tekil.privacy.vault import Vault
from tekil.store import Card, Store
from tekil.store.clock import now_us
from tekil.store.consent_entries import Entry, entry_id

CLOCKS_APART_US = 60 * 1_000_000
"""By how much another machine's clock may be ahead of ours."""


class ConsentLedger:
    """Records choices and answers whether something may be sent. Safe for many threads."""

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        links: Links,
        purposes: Sequence[Purpose],
        clock: Callable[[], int] = now_us,
    ) -> None:
        """Take where entries are kept, what stands for identifiers, and what is asked about."""
        self.store, self.tokens, self.links, self.purposes = store, tokens, links, tuple(purposes)
        self._clock = clock

    def now(self) -> int:
        """Return the instant (microseconds) that an entry recorded now would bear."""
        return self._clock()

    def named(self, kind: str, value: str) -> Named:
        """Return an identifier in its normal form. Raises `BadRequest` where it can be none of its kind."""
        if TOKEN.fullmatch(value):
            return Named(kind, value, value)
        normal = normalise(kind, value) if kind in IDENTIFIER_KINDS and "\0" not in value else None
        if normal is None:
            raise BadRequest(
                f"{kind}:{value} is no identifier. Write one like email:ayse@example.com, with one of "
                f"{', '.join(IDENTIFIER_KINDS)}.",
                code="identifier_invalid",
            )
        return Named(kind, normal, self.tokens.token(kind, normal))

    def record(
        self,
        kind: str,
        value: str,
        purpose: str,
        channel: str,
        given: bool,
        *,
        source: str,
        recorded_by: str,
        at: int | None = None,
        text_version: str = "",
        proof: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Record a person's choice, made at an instant (microseconds; now where none is given).

        Raises `BadRequest` for an identifier, a purpose or a channel that there is not, or a future instant;
        and for a source or a text's version that gives away somebody. A proof may: it is sealed.
        """
        named = self.named(kind, value)
        check_typed(source, "The source")
        check_typed(text_version, "The version of the text")
        check_choice(self.purposes, purpose, channel)
        self.tokens.keep(kind, named.value)
        return self.record_token(
            kind,
            named.token,
            purpose,
            channel,
            given,
            source=source,
            recorded_by=recorded_by,
            at=at,
            text_version=text_version,
            proof=proof,
        )

    def record_token(
        self,
        kind: str,
        token: str,
        purpose: str,
        channel: str,
        given: bool,
        *,
        source: str,
        recorded_by: str,
        at: int | None = None,
        text_version: str = "",
        proof: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Record the choice of somebody known by a token alone."""
        now = self._clock()
        when = now if at is None else at
        if when > now + CLOCKS_APART_US:
            raise BadRequest("A consent cannot lie in the future.", code="consent_in_future")
        entry = Entry(
            entry_id(token, purpose, channel, given, when, source),
            kind,
            token,
            purpose,
            channel,
            given,
            when,
            now,
            source[:64],
            text_version[:64],
            json.dumps(self.tokens.sealed_within(dict(proof or {})), ensure_ascii=False, sort_keys=True),
            recorded_by[:128],
        )
        self.store.consents.append([entry])
        return entry

    def entries(self, identifiers: Iterable[tuple[str, str]]) -> list[Entry]:
        """Return the entries of some identifiers (kind, value), oldest choice first."""
        return self.store.consents.of([self.named(kind, value).token for kind, value in identifiers])

    def known_as(self, kind: str, value: str) -> list[tuple[str, str]]:
        """Return all identifiers of whoever owns one, itself first; itself alone where nobody owns it."""
        card = self.owner(kind, value)
        owned = [(i.kind, i.value) for i in card.identifiers] if card else []
        return list(dict.fromkeys([(kind, value), *owned]))

    def owner(self, kind: str, value: str) -> Card | None:
        """Return the card of whoever owns an identifier, with tokens on it."""
        return self.store.cards.find(kind, self.tokens.in_tables(kind, value))

    def entries_of(self, person_id: str) -> list[Entry]:
        """Return the entries of all identifiers of a person, oldest choice first."""
        card = self.store.cards.get(person_id)
        return [] if card is None else self.store.consents.of(self.tokens_of(card))

    def tokens_of(self, card: Card) -> list[str]:
        """Return the tokens of the identifiers of a card as the store holds it."""
        return [self.tokens.token(i.kind, i.value) for i in card.identifiers]

    def may_send(
        self, identifiers: Iterable[tuple[str, str]], purpose: str, channel: str, at: int | None = None
    ) -> Permission:
        """Return whether a person may be reached now (or at an instant). Ask when sending, not when planning.

        `identifiers` are all that the person is known by, as (kind, value).
        """
        check_choice(self.purposes, purpose, channel)
        named = [self.named(kind, value) for kind, value in identifiers]
        entries = self.store.consents.of([one.token for one in named])
        return may_send(named, entries, purpose, channel, self._clock() if at is None else at)

    def link(self, kind: str, value: str, days: int, purpose: str = "", channel: str = "") -> str:
        """Return the text of a signed link to the consents of an identifier, valid for some days."""
        named = self.named(kind, value)
        if purpose or channel:
            check_choice(self.purposes, purpose, channel)
        self.tokens.keep(kind, named.value)
        return self.links.write(Link(kind, named.token, self._clock() + days * DAY_US, purpose, channel))


def open_ledger(store: Store, vault: Vault, settings: ConsentSettings) -> ConsentLedger:
    """Return the ledger of an installation."""
    return ConsentLedger(store, Tokens(vault), Links(lambda: vault.key("links")), purposes_of(settings))
