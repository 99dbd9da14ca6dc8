"""YAML as people mean it, with the line of every member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

LineOf = Callable[[tuple[str | int, ...]], int]
"""From a path in a document to its line, from 1; of a path that is not there, the nearest above it."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which `no` is Norway, a day is a text, and nothing stands for anything else."""


# Of the words that YAML 1.1 makes booleans and dates, only true and false are.
_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith((":timestamp", ":merge", ":value"))
        and not (tag.endswith(":bool") and letter not in "tTfF")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_documents(text: str) -> list[tuple[Any, LineOf]]:
    """Return each document's value with where its members stand.

    Raises `yaml.MarkedYAMLError` for what is no YAML, repeats a key, or uses an anchor.
    """
    for event in yaml.parse(text, Loader=_Loader):
        # An alias of an alias of an alias fills a machine's memory, and no definition needs one.
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not read", problem_mark=event.start_mark)
    loader = _Loader(text)
    found: list[tuple[Any, LineOf]] = []
    try:
        while loader.check_node():
            node = loader.get_node()
            lines: dict[tuple[str | int, ...], int] = {}
            value = _value(loader, node, (), lines)
            if value is not None:
                found.append((value, _line_of(lines)))
    finally:
        loader.dispose()
    return found


def _line_of(lines: dict[tuple[str | int, ...], int]) -> LineOf:
    def line_of(path: tuple[str | int, ...]) -> int:
        while path not in lines and path:
            path = path[:-1]
        return lines.get(path, 1)

    return line_of


def _value(
    loader: yaml.SafeLoader,
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, inner, (*path, i), lines) for i, inner in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        members: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key in members:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} stands here a second time" if isinstance(key, str) else "no such key",
                    problem_mark=key_node.start_mark,
                )
            lines[(*path, key)] = key_node.start_mark.line + 1
            members[key] = _value(loader, value_node, (*path, key), lines)
        return members
    try:
        return loader.construct_object(node)
    except ValueError as error:
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error
