"""What stands for an identifier in the consent ledger: the vault's token."""

from __future__ import annotations

from typing import Any, cast

from tekil.privacy.find import TOKEN, Kind, find, kind_of_key, normal
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

    def sealed(self, text: str) -> str:
        """Return a text that somebody typed with tokens in the place of the personal values in it.

        The vault keeps the values.
        """
        parts, at, values = [], 0, []
        for personal in find(text):
            token = self._vault.token(personal.kind, personal.value)
            values.append((token, personal.kind, personal.value))
            parts += [text[at : personal.start], token]
            at = personal.end
        self._vault.keep(values)
        return "".join([*parts, text[at:]])

    def sealed_within(self, value: Any) -> Any:
        """Return a JSON value with all texts in it as `sealed` gives them.

        A member whose name says that its value is personal (a column `full_name` of a list) is sealed whole,
        names of members like all texts.
        """
        if isinstance(value, str):
            return self.sealed(value)
        if isinstance(value, dict):
            return {self.sealed(str(name)): self._member(str(name), inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.sealed_within(inner) for inner in value]
        return value

    def _member(self, name: str, value: Any) -> Any:
        kind = kind_of_key(name, is_trait=False)
        if kind is None or not isinstance(value, str | int) or isinstance(value, bool):
            return self.sealed_within(value)
        text = str(value)
        return self.keep(kind, normal(kind, text)) if text.strip() else value

    def shown(self, text: str) -> str:
        """Return a text with masks in the place of its tokens."""
        return self._vault.show([text])[0]
