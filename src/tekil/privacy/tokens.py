"""What stands for an identifier in the consent ledger: the vault's token."""

from __future__ import annotations

from typing import cast

from tekil.privacy.find import TOKEN, Kind
from tekil.privacy.vault import Vault


class Tokens:
    """Turns identifiers into tokens that join and count, and back.

    Of an e-mail address or a phone number it is the token that all tables hold; a customer's number or a
    device has one of the same make, for the ledger alone.
    """

    def __init__(self, vault: Vault) -> None:
        """Take the vault."""
        self._vault = vault

    def token(self, kind: str, value: str) -> str:
        """Return the token of a normalised value: always the same one. A token stands for itself."""
        return value if TOKEN.fullmatch(value) else self._vault.token(cast(Kind, kind), value)

    def keep(self, kind: str, value: str) -> str:
        """Return the same token, and see to it that `reveal` knows the value."""
        token = self.token(kind, value)
        if token != value:
            self._vault.keep([(token, cast(Kind, kind), value)])
        return token

    def reveal(self, token: str) -> str | None:
        """Return the value of a token, or nothing where it was never kept."""
        return self._vault.reveal([token]).get(token)

    def in_tables(self, kind: str, value: str) -> str:
        """Return an identifier's value as cards hold it."""
        return self.token(kind, value) if kind in ("email", "phone") else value
