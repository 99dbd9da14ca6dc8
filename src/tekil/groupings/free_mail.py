"""Domains at which anybody may have an e-mail address, so that they say nothing of where somebody works."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tekil.identifiers import OrganisationsSpec

FILE = Path(__file__).with_name("free_mail.txt")


@cache
def free_mail() -> frozenset[str]:
    """Return the list that ships; `free_mail.txt` names its source."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def free_among(domains: Iterable[str], spec: OrganisationsSpec) -> list[str]:
    """Return those of some domains that are no organisation's, by the list and by the policy.

    >>> free_among(["gmail.com", "acme.example", "mail.com"], OrganisationsSpec(company_mail=["mail.com"]))
    ['gmail.com']
    """
    companies, free = set(spec.company_mail), {*free_mail(), *spec.free_mail}
    return sorted(domain for domain in domains if domain in free and domain not in companies)
