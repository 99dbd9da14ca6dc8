"""Numbers that the Turkish state gives: whether their check digits are right."""

from __future__ import annotations

import re


def is_tckn(digits: str) -> bool:
    """Return whether eleven digits are a Turkish identity number, by its two check digits.

    Source: Nüfus ve Vatandaşlık İşleri; the tenth digit is 7 × odd places − even places, the last the sum.
    """
    if not re.fullmatch(r"[1-9][0-9]{10}", digits, re.ASCII):
        return False
    numbers = [int(digit) for digit in digits]
    tenth = (7 * sum(numbers[0:9:2]) - sum(numbers[1:8:2])) % 10
    return numbers[9] == tenth and numbers[10] == sum(numbers[:10]) % 10


def is_vkn(digits: str) -> bool:
    """Return whether ten digits are a Turkish tax number, by its check digit.

    Source: Gelir İdaresi Başkanlığı; each of nine digits, moved by its place, times a power of two, modulo 9.

    >>> is_vkn("4540536920"), is_vkn("4540536921")
    (True, False)
    """
    if not re.fullmatch(r"[0-9]{10}", digits, re.ASCII) or digits == "0" * 10:
        return False
    total = 0
    for place, digit in enumerate(digits[:9]):
        moved = (int(digit) + 9 - place) % 10
        part = moved * 2 ** (9 - place) % 9
        total += 9 if moved != 0 and part == 0 else part
    return (10 - total % 10) % 10 == int(digits[9])
