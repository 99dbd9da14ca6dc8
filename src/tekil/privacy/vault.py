"""The vault: the one place that holds personal values, each sealed, each known elsewhere by its token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

import msgspec

from tekil.privacy.find import TOKEN, Kind, normal
from tekil.privacy.keys import KeyRing, Texts, decrypt, encrypt
from tekil.privacy.masks import mask
from tekil.store import SealedValue, SealedValues

REMEMBERED = 200_000
"""Tokens that are remembered as kept, so that a value that comes again is not written again."""


class Vault:
    """Makes tokens of personal values, keeps the values sealed, and gives them back. For many threads.

    A token is `kind~` and 26 letters: HMAC-SHA256 of kind and normal form, cut to 130 bits, in base32. It is
    the same for the same value for ever, so tables still join and count by it.
    """

    def __init__(self, kept: SealedValues, ring: KeyRing) -> None:
        """Take where sealed values are kept, and the keys."""
        self._kept, self._ring = kept, ring
        self._bodies = Texts(ring, "quarantine")
        self._writing = Lock()
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._tokens_key: bytes | None = None

    def token(self, kind: Kind, value: str) -> str:
        """Return the token of a value, in whatever form it is written. Keeps nothing."""
        if self._tokens_key is None:
            self._tokens_key = self.key("tokens")
        message = f"{kind}\0{normal(kind, value)}".encode(errors="surrogatepass")
        digest = hmac.digest(self._tokens_key, message, hashlib.sha256)
        return f"{kind}~{base64.b32encode(digest).decode()[:26].lower()}"

    def keep(self, values: Iterable[tuple[str, Kind, str]]) -> None:
        """Keep values (token, kind, value) that are not kept yet. They are on disk when this returns.

        Raises `Unavailable` while the store is away.
        """
        new = {token: (kind, value) for token, kind, value in values if token not in self._remembered}
        if not new:
            return
        # While a key is in use here, it is not replaced: what it seals would be missed by `rekey`.
        with self._writing:
            key_id = self._ring.current("vault")
            self._kept.add([self._sealed(key_id, token, *value) for token, value in new.items()])
            self._remembered.update(dict.fromkeys(new))
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)

    def forget(self, tokens: Sequence[str]) -> int:
        """Delete values for ever; return how many there were. They may be kept anew when they come again."""
        with self._writing:
            gone = self._kept.remove(tokens)
            for token in tokens:
                self._remembered.pop(token, None)
        return gone

    def key(self, purpose: str) -> bytes:
        """Return the installation's key for another purpose than sealing, such as signing."""
        return self._ring.key(self._ring.current(purpose))

    def texts(self, purpose: str) -> Texts:
        """Return what seals whole texts for another purpose, such as the secrets of connections."""
        return Texts(self._ring, purpose)

    def _opened(self, value: SealedValue) -> bytes:
        return decrypt(self._ring.cipher(value.key_id), value.sealed, value.token.encode())

    def _sealed(self, key_id: int, token: str, kind: Kind, value: str) -> SealedValue:
        plain = normal(kind, value)
        sealed = encrypt(self._ring.cipher(key_id), plain.encode(errors="surrogatepass"), token.encode())
        return SealedValue(token, key_id, sealed, mask(kind, plain))

    def masked(self, tokens: Sequence[str]) -> dict[str, str]:
        """Return token → mask, of those that are kept."""
        return {value.token: value.mask for value in self._kept.get_many(tokens)}

    def reveal(self, tokens: Sequence[str]) -> dict[str, str]:
        """Return token → value, of those that are kept. Whoever calls this has seen to the right to."""
        kept = self._kept.get_many(tokens)
        return {value.token: self._opened(value).decode(errors="surrogatepass") for value in kept}

    def show(self, texts: Sequence[str], *, reveal: bool = False, is_json: bool = False) -> list[str]:
        """Return texts with masks in the place of their tokens, or, to `reveal` them, the values.

        Whoever reveals has seen to the right to. In JSON a token stands within a string, and what takes its
        place is written for that.
        """
        known = self.known(texts, reveal=reveal)
        return [with_known(text, known, is_json=is_json) for text in texts]

    def known(self, texts: Iterable[str], *, reveal: bool = False) -> dict[str, str]:
        """Return token → mask, or, to `reveal` it, value, of the tokens in texts. See `show`."""
        tokens = sorted({token for text in texts for token in TOKEN.findall(text)})
        if not tokens:
            return {}
        return self.reveal(tokens) if reveal else self.masked(tokens)

    def seal_body(self, body: str) -> str:
        """Return a whole message, sealed: it was put aside, and nobody knows what in it is personal."""
        return self._bodies.seal(body)

    def open_body(self, sealed: str) -> str:
        """Return a message that `seal_body` sealed."""
        return self._bodies.open(sealed)

    def rekey(self, chunk: int = 1_000) -> int:
        """Seal everything anew with a new key, a chunk a transaction; return how many values there are.

        Readers and writers go on meanwhile. When it has ended, the older keys are destroyed.
        """
        with self._writing:
            key_id = self._ring.rotate("vault")
        cipher = self._ring.cipher(key_id)
        count = 0
        while some := self._kept.sealed_by_others(key_id, chunk):
            self._kept.renew(
                [
                    SealedValue(
                        value.token,
                        key_id,
                        encrypt(cipher, self._opened(value), value.token.encode()),
                        value.mask,
                    )
                    for value in some
                ]
            )
            count += len(some)
        self._ring.destroy_older(key_id)
        return count


def with_known(text: str, known: Mapping[str, str], *, is_json: bool = False) -> str:
    """Return a text with what is known of its tokens in their place; in JSON, written for that."""

    def instead(match: re.Match[str]) -> str:
        told = known.get(match[0], match[0])
        return msgspec.json.encode(told).decode()[1:-1] if is_json else told

    return TOKEN.sub(instead, text) if known else text
