"""A definition and its YAML: read with the line of everything, so that a mistake is told where it stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tekil.definitions.lines import LineOf, load_documents
from tekil.errors import Refused
from tekil.store import Version

NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 1_000_000
LANGUAGES = ("tr", "en")

_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")

_UNKNOWN = re.compile("unknown field `([^`]+)`")


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision. `title` holds `tr` and `en`; `spec` is what the kind wants it to be.

    `renamed_from` is what it was called before: whatever is known by the old name goes on under the new one.
    """

    kind: str
    name: str
    title: dict[str, str] = msgspec.field(default_factory=dict)
    owner: str = ""
    spec: dict[str, Any] = msgspec.field(default_factory=dict)
    renamed_from: str = ""

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


Place = tuple[str | int, ...]
"""Where in a document something stands: `("spec", "fields", "properties.total", "min")`."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in a definition: where in the document, and what to write instead."""

    path: Place
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A flaw with the file and the line (from 1) where it stands."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return it as compilers do."""
        return f"{self.file}:{self.line}: {self.text}"


class InvalidDefinitions(Refused):
    """Documents that cannot be applied; `problems` names every place."""

    code = "definitions_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take the problems, at least one."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Written:
    """A definition with where it is written, so that later checks can name the line."""

    definition: Definition
    file: str = "-"
    line_of: LineOf = field(default=lambda _path: 1)

    def problem(self, flaw: Flaw) -> Problem:
        """Return a flaw of this document with its place."""
        return Problem(self.file, self.line_of(flaw.path), f"{self.definition.name}: {flaw.text}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of definition: `check` looks at one, `check_together` at all of the kind that would be in force.

    The latter returns, by name, what they do to each other. It sees those of the kinds that it `reads`, too.
    """

    name: str
    check: Callable[[Definition], list[Flaw]]
    check_together: Callable[[Sequence[Definition]], list[tuple[str, Flaw]]]
    reads: tuple[str, ...] = ()


def parse(text: str, file: str = "-") -> list[Written]:
    """Return the definitions of a YAML text, several apart by `---`.

    Raises `InvalidDefinitions` with every document's first flaw.
    """
    problems: list[Problem] = []
    found: list[Written] = []
    if len(text) > TEXT_LENGTH_MAX:
        raise InvalidDefinitions([Problem(file, 1, "The text is too long; split it into several files.")])
    try:
        documents = load_documents(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        told = f"This is no YAML we can read: {error.problem or error.context}."
        raise InvalidDefinitions([Problem(file, line, told)]) from error
    except yaml.YAMLError as error:
        raise InvalidDefinitions([Problem(file, 1, f"This is no YAML we can read: {error}")]) from error
    for value, line_of in documents:
        try:
            written = Written(msgspec.convert(value, Definition), file, line_of)
        except msgspec.ValidationError as error:
            flaw = flaw_of(error)
            problems.append(Problem(file, line_of(flaw.path), flaw.text))
            continue
        flaws = _flaws(written.definition)
        problems += [written.problem(flaw) for flaw in flaws]
        found.append(written)
    if problems:
        raise InvalidDefinitions(problems)
    return found


def read(paths: Sequence[Path]) -> list[Written]:
    """Return the definitions of files, and of all `.yaml` and `.yml` files in and below folders.

    Raises `InvalidDefinitions` with the flaws of all of them.
    """
    files: list[Path] = []
    for path in paths:
        inside = [p for p in path.rglob("*") if p.suffix in {".yaml", ".yml"}] if path.is_dir() else [path]
        files += sorted(inside)
    found: list[Written] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found += parse(file.read_text(encoding="utf-8"), str(file))
        except InvalidDefinitions as error:
            problems += error.problems
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(file), 1, f"The file cannot be read: {error}"))
    if problems:
        raise InvalidDefinitions(problems)
    return found


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """YAML in which a text of several lines stands as it is read, line under line."""


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(definitions: Sequence[Definition]) -> str:
    """Return definitions as YAML; `parse` reads them back as they are."""
    text: str = yaml.dump_all(
        [{k: v for k, v in msgspec.to_builtins(d).items() if v != {} and v != ""} for d in definitions],
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        explicit_start=len(definitions) > 1,
    )
    return text


def difference(before: Definition | None, after: Definition | None) -> list[str]:
    """Return how two versions of a definition differ as YAML, as `diff -u` tells it; nothing for alike ones.

    Nothing in the place of either stands for a definition that is not there.
    """
    old, new = (dump([d]).splitlines() if d else [] for d in (before, after))
    was, becomes = (f"{d.kind}/{d.name}" if d else "nothing" for d in (before, after))
    return list(difflib.unified_diff(old, new, was, becomes, lineterm=""))


def stored(version: Version) -> Definition:
    """Return the definition that a version in the store holds; a removed one has none."""
    return msgspec.json.decode(version.body or b"{}", type=Definition)


def flaw_of(error: msgspec.ValidationError, below: Place = ()) -> Flaw:
    """Return what a value of the wrong shape has wrong, `below` the place where that value stands."""
    text, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`")
    steps = [int(n) if n else name for n, name in _STEP.findall(place)] + _UNKNOWN.findall(text)
    return Flaw((*below, *steps), f"{text}{' at ' + place.strip('.') if place else ''}.")


def _flaws(definition: Definition) -> list[Flaw]:
    name = definition.name
    flaws = []
    if not 0 < len(name) <= NAME_LENGTH_MAX or name != name.strip() or not name.isprintable():
        flaws.append(
            Flaw(("name",), f"A name has 1 to {NAME_LENGTH_MAX} printable characters, no space around them.")
        )
    for language in definition.title:
        if language not in LANGUAGES:
            flaws.append(Flaw(("title", language), f"There is no title in {language!r}; write tr and en."))
    if definition.renamed_from == name:
        flaws.append(Flaw(("renamed_from",), "This is its name already; leave renamed_from out."))
    return flaws
