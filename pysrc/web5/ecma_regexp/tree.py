"""A pattern as a tree, which `syntax` reads and `program` compiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

INFINITY = 2**31 - 1
"""As the bound of a quantifier: without end."""


class CharacterSet(dict[str, bool]):
    """Code points, remembered once they were asked for."""

    def __init__(self, test: Callable[[str], bool]) -> None:
        super().__init__()
        self._test = test

    def __missing__(self, character: str) -> bool:
        if len(self) >= 4096:
            self.clear()
        found = self[character] = self._test(character)
        return found


@dataclass(slots=True)
class Sequence:
    parts: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Choice:
    alternatives: list[Node]


@dataclass(slots=True)
class Group:
    """A capturing group; its number counts opening parentheses from 1."""

    number: int
    inner: Node


@dataclass(slots=True)
class Repeat:
    """A node with a quantifier.

    Parameters:
        most: `INFINITY`: without end.
        groups: the numbers of the groups within it, from the first to before the last.
    """

    inner: Node
    least: int
    most: int
    greedy: bool
    groups: range


@dataclass(slots=True)
class Look:
    """A lookahead, or with `behind` a lookbehind."""

    inner: Node
    behind: bool
    negative: bool


@dataclass(slots=True)
class Assertion:
    """One of `^`, `$`, `b` and `B`."""

    kind: str


@dataclass(slots=True)
class BackReference:
    group: int


Node = Sequence | Choice | Group | Repeat | Look | Assertion | BackReference | CharacterSet | str
"""A tree; a `str` is one literal character."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read.

    Parameters:
        referenced: the numbers of the groups that a back reference names.
    """

    root: Node
    referenced: frozenset[int]
