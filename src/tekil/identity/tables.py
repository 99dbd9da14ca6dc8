"""What identity keeps: all of it follows from events and records, and can be derived anew."""

from __future__ import annotations

from tekil.warehouse import BY_IDENTIFIER, Column, Erasure, Table

EVIDENCE = Table(
    "evidence",
    (
        # right_key - left_key: the same for all evidence of a pair, and hardly ever for another pair's.
        Column("pair_key", "bigint"),
        # Two identifiers that messages of a source named together; left_key < right_key. What is said of one
        # identifier alone (that it is shared) has it on both sides.
        Column("left_key", "bigint"),
        Column("right_key", "bigint"),
        Column("left_kind", "text"),
        Column("right_kind", "text"),
        Column("source", "text"),
        # `seen`: named in one message; `alias`: one was said to be the other's former name; `asserted`: a
        # person, or a system, said outright what `act` says (merge, split, withdraw, share); `linked`: they
        # were found to be alike (`act` is link, or unlink since they no longer are).
        Column("how", "text"),
        Column("first_seen", "timestamp"),
        Column("last_seen", "timestamp"),
        Column("messages", "bigint"),
        # The key of one of the messages, and, of what was asserted, of the last; whose act counts.
        Column("sample_key", "bigint"),
        Column("last_key", "bigint"),
        Column("act", "text"),
        # Of what is linked: hundredths of bits for the two being one person.
        Column("weight", "bigint"),
    ),
    key="pair_key",
    erasure=Erasure("own", "summed anew from what is left"),
)

IDENTITY = Table(
    "identity",
    (
        # identifier_key is key64 of `kind:value`; person_key is that of the oldest identifier of the person
        # whose it is now, cluster_key of the oldest that evidence connects it with.
        Column("identifier_key", "bigint"),
        Column("kind", "text"),
        Column("value", "text"),
        Column("first_seen", "timestamp"),
        Column("last_seen", "timestamp"),
        Column("cluster_key", "bigint"),
        Column("person_key", "bigint"),
    ),
    key="identifier_key",
    erasure=BY_IDENTIFIER,
)

OWNERSHIP = Table(
    "ownership",
    (
        # Of devices that several people use: whose it is from one instant until (and without) the next.
        # owner_key is the identifier that logged in on it, or its own where nobody had.
        Column("identifier_key", "bigint"),
        Column("valid_from", "timestamp"),
        Column("valid_until", "timestamp"),
        Column("owner_key", "bigint"),
        Column("person_key", "bigint"),
    ),
    key="identifier_key",
    erasure=BY_IDENTIFIER,
)

CONFLICTS = Table(
    "conflicts",
    (
        # A link that was refused: `kind` is what one person would have too many of, or `split` where people
        # said that the two differ.
        Column("left_key", "bigint"),
        Column("right_key", "bigint"),
        Column("kind", "text"),
        Column("messages", "bigint"),
        Column("last_seen", "timestamp"),
    ),
    key="left_key",
    erasure=BY_IDENTIFIER,
)

SHARED = Table(
    "shared",
    (
        # An identifier that joins nobody, and why: it is `blocked` by the policy, `declared` by somebody, or
        # named with so many others that it is over a limit of the policy.
        Column("identifier_key", "bigint"),
        Column("reason", "text"),
    ),
    key="identifier_key",
    erasure=BY_IDENTIFIER,
)

TABLES = (EVIDENCE, IDENTITY, OWNERSHIP, CONFLICTS, SHARED)
"""All tables of identity."""

PLACES = f"SELECT identifier_key, person_key AS place FROM {IDENTITY.name}"
"""History lies side by side by person: a refresh reads all of a person's rows, and of few persons."""
