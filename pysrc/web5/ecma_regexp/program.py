"""A pattern's tree as a program for the `machine`.

Compiling needs no recursion either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web5.ecma_regexp.tree import (
    INFINITY,
    Assertion,
    BackReference,
    CharacterSet,
    Choice,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
)

Instruction = tuple[Any, ...]
SET, RUN, SPLIT, JUMP, ENTER, LOOP, NEXT, SAVE, BACK, ASSERT, LOOK, MATCH = range(12)


class Compiler:
    """Makes a program; lookarounds become parts of it that end in a match of their own.

    Parameters:
        referenced: the groups whose captures matter; all others are mere parentheses.
    """

    def __init__(self, referenced: frozenset[int]) -> None:
        self._slot = {number: 2 * at for at, number in enumerate(sorted(referenced))}
        self.slots = 2 * len(referenced)
        self._program: list[Instruction] = []

    def compile(self, root: Node) -> list[Instruction]:
        work: list[Callable[[], None]] = []

        def later(*steps: Callable[[], None]) -> None:
            work.extend(reversed(steps))

        def put(*instruction: Any) -> Callable[[], None]:
            return lambda: self._program.append(instruction)

        def add(*instruction: Any) -> int:
            self._program.append(instruction)
            return len(self._program) - 1

        def patch(at: int, *instruction: Any) -> Callable[[], None]:
            def fill() -> None:
                end = len(self._program)
                self._program[at] = tuple(end if part is _HERE else part for part in instruction)

            return fill

        def visit(node: Node, back: bool) -> None:
            if isinstance(node, str):
                add(SET, CharacterSet(node.__eq__), back)
            elif isinstance(node, CharacterSet):
                add(SET, node, back)
            elif isinstance(node, Assertion):
                add(ASSERT, node.kind)
            elif isinstance(node, BackReference):
                add(BACK, self._slot[node.group], back)
            elif isinstance(node, Sequence):
                parts = reversed(node.parts) if back else node.parts
                later(*(lambda part=part: visit(part, back) for part in parts))
            elif isinstance(node, Choice):
                choice(node.alternatives, back)
            elif isinstance(node, Group):
                group(node, back)
            elif isinstance(node, Look):
                look(node)
            else:
                repeat(node, back)

        def choice(alternatives: list[Node], back: bool) -> None:
            jumps: list[int] = []

            def one(node: Node, last: bool) -> list[Callable[[], None]]:
                if last:
                    return [lambda: visit(node, back)]
                at: list[int] = []

                def end() -> None:
                    jumps.append(add())
                    patch(at[0], SPLIT, at[0] + 1, _HERE)()

                return [lambda: at.append(add()), lambda: visit(node, back), end]

            def finish() -> None:
                for at in jumps:
                    patch(at, JUMP, _HERE)()

            steps = [step for at, node in enumerate(alternatives) for step in one(node, at == len(alternatives) - 1)]
            later(*steps, finish)

        def group(node: Group, back: bool) -> None:
            slot = self._slot.get(node.number)
            if slot is None:
                return later(lambda: visit(node.inner, back))
            first, last = (slot + 1, slot) if back else (slot, slot + 1)
            later(put(SAVE, first), lambda: visit(node.inner, back), put(SAVE, last))

        def look(node: Look) -> None:
            at = add()
            later(
                lambda: visit(node.inner, node.behind),
                put(MATCH),
                patch(at, LOOK, at + 1, _HERE, node.negative),
            )

        def repeat(node: Repeat, back: bool) -> None:
            if node.most == 0:
                return
            slots = [self._slot[number] for number in node.groups if number in self._slot]
            inner: Node = node.inner
            if isinstance(inner, str):
                inner = CharacterSet(inner.__eq__)
            if isinstance(inner, CharacterSet) and (node.most != INFINITY or node.least > 1):
                most = node.most if node.most != INFINITY else node.least
                add(RUN, inner, back, node.least, most, node.greedy)
                if node.most == INFINITY:
                    repeat(Repeat(inner, 0, INFINITY, node.greedy, node.groups), back)
            elif slots or node.most not in (1, INFINITY) or node.least > 1:
                add(ENTER)
                loop = add()
                later(
                    lambda: visit(inner, back),
                    put(NEXT, loop, node.least, bool(slots)),
                    patch(loop, LOOP, node.least, node.most, node.greedy, _HERE, tuple(slots), bool(slots)),
                )
            elif node.most == 1:
                if node.least == 1:
                    return visit(inner, back)
                at = add()
                later(lambda: visit(inner, back), patch(at, SPLIT, at + 1, _HERE))
            elif node.least == 1:
                start = len(self._program)
                later(
                    lambda: visit(inner, back),
                    lambda: self._program.append((SPLIT, start, len(self._program) + 1)),
                )
            else:
                at = add()
                later(lambda: visit(inner, back), put(JUMP, at), patch(at, SPLIT, at + 1, _HERE))

        later(lambda: visit(root, False), put(MATCH))
        while work:
            work.pop()()
        return self._program


_HERE = object()
"""In an instruction that is patched: the place after what was compiled last."""
