"""What changed definitions would do to people, before they are in force: one SELECT over what is committed.

Features that change are worked out anew, in one pass over the events; all others are taken as they stand.
Audiences that ask something else now, or ask it of other answers, are compared with who is in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tekil.definitions import Definition
from tekil.dictionary.sql import quoted
from tekil.expressions import ExpressionFlaw, Type, Typed
from tekil.identity import IDENTITY, OWNERSHIP, People
from tekil.load import EVENTS
from tekil.models.audiences import MAY_BE_PROFILED, read_audiences
from tekil.models.features import FEATURE_KIND, FEATURES, FeatureSpec, feature_model, read_feature
from tekil.models.memberships import MEMBERS, moments_of_all
from tekil.models.profile import ACTIVITY
from tekil.models.scores import SCORES
from tekil.warehouse import bind

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Counting:
    """A SELECT of one row, and what its columns count.

    `features` and `audiences` say of each by name which number its columns begin with: of a feature
    `people_n` have an answer, and `other_n` another one than now; of an audience `people_n` are in,
    `entering_n` come and `leaving_n` go.
    """

    sql: str
    features: Mapping[str, int]
    audiences: Mapping[str, int]


def counting(
    before: Sequence[Definition],
    after: Sequence[Definition],
    zone: str,
    features_renamed: Names,
    audiences_renamed: Names,
) -> Counting | None:
    """Return what counts whom the step from some definitions to others moves; nothing where it moves nobody.

    `features_renamed` and `audiences_renamed` are old names by new ones. Neither features nor audiences that
    cannot be read are counted.
    """
    old, new = _types(before, zone), _types(after, zone)
    was = {name: features_renamed.get(name, name) for name in new}
    anew = [name for name in new if new[name] != old.get(was[name])]
    gone = [name for name in old if name not in new and name not in features_renamed.values()]
    asked, asked_before = _conditions(after), _conditions(before)
    moved = [
        name
        for name, typed in asked.items()
        if (known := asked_before.get(audiences_renamed.get(name, name))) is None
        or known.sql != typed.sql
        or any(f'f."{feature}"' in typed.sql for feature in anew)
    ]
    # Points are taken as they stand, so whoever asks for them cannot be counted where they change, too.
    moved = [name for name in moved if not anew or _OF_SCORES not in asked[name].sql]
    ended = [name for name in asked_before if name not in asked and name not in audiences_renamed.values()]
    if not (anew or gone or moved or ended):
        return None
    numbers = {name: n for n, name in enumerate([*anew, *gone])}
    counts = [
        *(_feature(numbers[name], name, _of(old, was[name]), _of(new, name)) for name in anew),
        *(f'0 AS people_{numbers[name]}, count(f."was {name}") AS other_{numbers[name]}' for name in gone),
    ]
    audiences = {name: n for n, name in enumerate([*moved, *ended], len(numbers))}
    for name, number in audiences.items():
        holds = f"({asked[name].sql} AND {MAY_BE_PROFILED})" if name in asked else "FALSE"
        counts.append(_audience(number, holds, name))
    columns = [*(f'p."{n}"' for n in anew)]
    columns += [f'o."{was[n]}" AS "{n}"' for n in new if n not in anew]
    columns += [f'o."{was[n]}" AS "was {n}"' for n in anew if was[n] in old]
    columns += [f'o."{n}" AS "was {n}"' for n in gone]
    counted = ",\n  ".join(counts)
    joined = sorted(set(_SINCE.findall(counted)))
    features = _features(after, anew, columns, zone, has_old=bool(old))
    scores = _SCORES if _OF_SCORES in counted else ""
    sql = _COUNTS.format(counts=counted, features=features, members=_pivot(joined), scores=scores)
    bound = {MEMBERS.name: _members(audiences_renamed), "moments": moments_of_all(ACTIVITY.name)}
    return Counting(bind(sql, bound), numbers, audiences)


def _conditions(definitions: Sequence[Definition]) -> dict[str, Typed]:
    """Return what each audience asks; of stages and grades, which are no yes or no, nobody is counted."""
    return {name: one for name, one in read_audiences(definitions)[0].items() if one.type is Type.BOOLEAN}


_COUNTS = """
SELECT {counts}
FROM activity AS a
LEFT JOIN ({features}) AS f ON f.person_key = a.person_key
LEFT JOIN attributes AS t ON t.person_key = a.person_key
LEFT JOIN ({members}) AS m ON m.person_key = a.person_key
LEFT JOIN moments AS n ON n.person_key = a.person_key{scores}
"""

_SCORES = f"\nLEFT JOIN {SCORES} AS s ON s.person_key = a.person_key"
_OF_SCORES = 's."'
_SINCE = re.compile(r'\bm\."([A-Za-z0-9_.]+)"')
"""Where it is asked since when somebody is in something."""


VALUES_SHOWN = 6


def values_sql(feature: Definition, zone: str) -> str:
    """Return the SELECT of a feature's most common answers (`value`, `people`), and of how many have any."""
    made = feature_model([feature], zone)
    rows = People(IDENTITY.name, OWNERSHIP.name).rows(EVENTS.name)
    return f"""
    SELECT value, people, sum(people) OVER () AS total FROM (
      SELECT CAST("{feature.name}" AS VARCHAR) AS value, count(*) AS people
      FROM ({bind(made.sql, {"person_events": rows})}) AS answers
      WHERE "{feature.name}" IS NOT NULL GROUP BY "{feature.name}"
    ) AS counted ORDER BY people DESC, value LIMIT {VALUES_SHOWN}"""


def _features(
    after: Sequence[Definition], anew: Sequence[str], columns: Sequence[str], zone: str, *, has_old: bool
) -> str:
    """Return the SELECT of everybody's features: those that change from events, the others as they are."""
    joins = ""
    if anew:
        made = feature_model([d for d in after if d.kind == FEATURE_KIND.name and d.name in anew], zone)
        rows = People(IDENTITY.name, OWNERSHIP.name).rows(EVENTS.name)
        joins += (
            f"\nLEFT JOIN ({bind(made.sql, {'person_events': rows})}) AS p ON p.person_key = k.person_key"
        )
    if has_old:
        joins += f"\nLEFT JOIN {FEATURES} AS o ON o.person_key = k.person_key"
    selected = "".join(f", {column}" for column in columns)
    return f"SELECT k.person_key{selected} FROM activity AS k{joins}"


def _feature(number: int, name: str, old: Type | None, new: Type | None) -> str:
    before = f'f."was {name}"' if old is not None else None
    if before is None:
        other = f'f."{name}" IS NOT NULL'
    elif old is new:
        other = f'f."{name}" IS DISTINCT FROM {before}'
    else:
        # Answers of two types are never the same, and engines would try to make one of the other.
        other = f'f."{name}" IS NOT NULL OR {before} IS NOT NULL'
    return f'count(f."{name}") AS people_{number}, count(*) FILTER (WHERE {other}) AS other_{number}'


def _audience(number: int, holds: str, name: str) -> str:
    was = f'm."{name}" IS NOT NULL'
    counted = {"people": holds, "entering": f"{holds} AND NOT {was}", "leaving": f"{was} AND NOT {holds}"}
    return ", ".join(f"count(*) FILTER (WHERE {what}) AS {of}_{number}" for of, what in counted.items())


def _members(renamed: Names) -> str:
    """Return who is in which audience, by the names that these are going to have."""
    cases = "".join(f" WHEN {quoted(old)} THEN {quoted(new)}" for new, old in renamed.items())
    audience = f"CASE audience{cases} ELSE audience END" if cases else "audience"
    return f"SELECT person_key, {audience} AS audience, since FROM {MEMBERS.name}"


def _pivot(names: Sequence[str]) -> str:
    """Return since when each person is in which audiences, one row a person."""
    columns = "".join(f', max(since) FILTER (WHERE audience = {quoted(n)}) AS "{n}"' for n in names)
    return f"SELECT person_key{columns} FROM {MEMBERS.name} GROUP BY person_key"


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a feature asks, as SQL, and the type of its answer."""

    sql: str
    type: Type


def _types(definitions: Sequence[Definition], zone: str) -> dict[str, _Meaning]:
    """Return what each feature means that can be read, by name."""
    found = {}
    for definition in definitions:
        if definition.kind != FEATURE_KIND.name:
            continue
        try:
            typed = read_feature(msgspec.convert(definition.spec, FeatureSpec).sql, zone)
        except (ExpressionFlaw, msgspec.ValidationError):
            continue
        found[definition.name] = _Meaning(typed.sql, typed.type)
    return found


def _of(meanings: Mapping[str, _Meaning], name: str) -> Type | None:
    return meanings[name].type if name in meanings else None
