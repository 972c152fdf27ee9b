"""Matching: a pattern's tree as a program, and the machine that runs it.

Invariants:
1. The machine tries what ECMA-262's backtracking would try, in its order, but no state twice: what failed once at a
   place fails there again. So a pattern without back references takes time in proportion to its length times the
   text's (and to what its counted quantifiers count).
2. Every step is counted. Whoever asks says how many it is worth; what needs more is undecided, on every machine alike.
3. Nothing recurses, so that nesting costs no stack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from web5.ecma_regexp.syntax import (
    INFINITY,
    WORD,
    Assertion,
    BackReference,
    CharacterSet,
    Choice,
    Group,
    Look,
    Node,
    RegExpSyntaxError,
    Repeat,
    Sequence,
    parse,
)
from web5.lru import remember_short

DEFAULT_STEPS = 100_000
"""A tenth of a second on a small machine; a pattern that people write needs some hundred."""

MAX_LENGTH = 10_000
"""The limit for the characters of a pattern, to read which takes as long as twenty steps each."""

Instruction = tuple[Any, ...]
_SET, _RUN, _SPLIT, _JUMP, _ENTER, _LOOP, _NEXT, _SAVE, _BACK, _ASSERT, _LOOK, _MATCH = range(12)


class EffortExceeded(Exception):
    """The steps that were allowed are spent, and it is not known whether the text matches."""


class Effort:
    """The steps that are left for some matches together.

    Parameters:
        steps: as many as they may take.
    """

    __slots__ = ("left",)

    def __init__(self, steps: int = DEFAULT_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take off steps.

        Raises:
            EffortExceeded: there are no more.
        """
        self.left -= steps
        if self.left < 0:
            raise EffortExceeded


class EcmaRegExp:
    """A pattern that is ready to match; made by `compile`."""

    def __init__(self, source: str) -> None:
        self.source = source
        pattern = parse(source)
        compiler = _Compiler(pattern.referenced)
        self._program = compiler.compile(pattern.root)
        self._tracked = compiler.slots

    def __sizeof__(self) -> int:
        """Return about the bytes of memory that its program takes."""
        return 600 * len(self.source)

    def test(self, text: str, effort: Effort | None = None) -> bool:
        """Return True if the pattern matches anywhere in the text.

        Parameters:
            effort: shared by several matches; None: `DEFAULT_STEPS` for this one.

        Raises:
            EffortExceeded: it cannot be told within so many steps.
        """
        text = _joined(text)
        run = _Run(self._program, text, effort or Effort(), self._tracked)
        anchored = self._program[0] == (_ASSERT, "^")
        return any(run.matches_at(start) for start in range(1 if anchored else len(text) + 1))


@remember_short(128, longest=256)  # a pattern can take 1 KiB of memory a character
def compile(source: str) -> EcmaRegExp:
    """Read a pattern as `new RegExp(source, "u")` does.

    Raises:
        RegExpSyntaxError: it is none, or has more than `MAX_LENGTH` characters.
    """
    if len(source) > MAX_LENGTH:
        raise RegExpSyntaxError(f"the pattern has more than {MAX_LENGTH} characters")
    return EcmaRegExp(source)


def _joined(text: str) -> str:
    """Join surrogate pairs, which JavaScript reads as one code point."""
    if not any("\ud800" <= one < "\ue000" for one in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


class _Compiler:
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
                add(_SET, CharacterSet(node.__eq__), back)
            elif isinstance(node, CharacterSet):
                add(_SET, node, back)
            elif isinstance(node, Assertion):
                add(_ASSERT, node.kind)
            elif isinstance(node, BackReference):
                add(_BACK, self._slot[node.group], back)
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
                    patch(at[0], _SPLIT, at[0] + 1, _HERE)()

                return [lambda: at.append(add()), lambda: visit(node, back), end]

            def finish() -> None:
                for at in jumps:
                    patch(at, _JUMP, _HERE)()

            steps = [step for at, node in enumerate(alternatives) for step in one(node, at == len(alternatives) - 1)]
            later(*steps, finish)

        def group(node: Group, back: bool) -> None:
            slot = self._slot.get(node.number)
            if slot is None:
                return later(lambda: visit(node.inner, back))
            first, last = (slot + 1, slot) if back else (slot, slot + 1)
            later(put(_SAVE, first), lambda: visit(node.inner, back), put(_SAVE, last))

        def look(node: Look) -> None:
            at = add()
            later(
                lambda: visit(node.inner, node.behind),
                put(_MATCH),
                patch(at, _LOOK, at + 1, _HERE, node.negative),
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
                add(_RUN, inner, back, node.least, most, node.greedy)
                if node.most == INFINITY:
                    repeat(Repeat(inner, 0, INFINITY, node.greedy, node.groups), back)
            elif slots or node.most not in (1, INFINITY) or node.least > 1:
                add(_ENTER)
                loop = add()
                later(
                    lambda: visit(inner, back),
                    put(_NEXT, loop, node.least, bool(slots)),
                    patch(loop, _LOOP, node.least, node.most, node.greedy, _HERE, tuple(slots), bool(slots)),
                )
            elif node.most == 1:
                if node.least == 1:
                    return visit(inner, back)
                at = add()
                later(lambda: visit(inner, back), patch(at, _SPLIT, at + 1, _HERE))
            elif node.least == 1:
                start = len(self._program)
                later(
                    lambda: visit(inner, back),
                    lambda: self._program.append((_SPLIT, start, len(self._program) + 1)),
                )
            else:
                at = add()
                later(lambda: visit(inner, back), put(_JUMP, at), patch(at, _SPLIT, at + 1, _HERE))

        later(lambda: visit(root, False), put(_MATCH))
        while work:
            work.pop()()
        return self._program


_HERE = object()
"""In an instruction that is patched: the place after what was compiled last."""

_State = tuple[int, int, int, tuple[int, ...]]
"""The places in the program and in the text, the open loops by number (0: none), and the captures."""


@dataclass(slots=True)
class _Search:
    """One search from one place; a lookaround is a search within one.

    Parameters:
        resume: the state after the lookaround, and `negative`, if it goes on where this search fails.
        key: by which the answer of a lookaround is remembered.
        failed: what earlier searches of the same lookaround have failed with, in a program without captures.
    """

    stack: list[_State]
    seen: set[_State]
    resume: _State | None = None
    negative: bool = False
    key: tuple[int, int] | None = None
    failed: set[_State] = field(default_factory=set)


@dataclass(slots=True)
class _Run:
    program: list[Instruction]
    text: str
    effort: Effort
    tracked: int
    seen: set[_State] = field(default_factory=set)
    loops: list[tuple[int, int, int]] = field(default_factory=lambda: [(0, 0, 0)])
    """Open loops by number: how often the innermost has begun, where it last did, and the loop around it."""
    numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)
    answers: dict[tuple[int, int], bool] = field(default_factory=dict)
    """Of lookarounds, in a program without captures."""
    failed: dict[int, set[_State]] = field(default_factory=dict)

    def matches_at(self, start: int) -> bool:
        """Return True if the pattern matches from this place on."""
        seen = set() if self.tracked else self.seen
        searches = [_Search([(0, start, 0, (-1,) * self.tracked)], seen)]
        while True:
            search = searches[-1]
            found = self._step(search, searches) if search.stack else None
            if found is None and (search.stack or searches[-1] is not search):
                continue
            if search.resume is None:
                return found is not None
            # A lookaround has its answer.
            searches.pop()
            if search.key is not None:
                self.answers[search.key] = found is not None
                if found is None:
                    search.failed |= search.seen
            if (found is not None) is not search.negative:
                place, at, loop, captures = search.resume
                kept = captures if found is None or search.negative else found[3]
                searches[-1].stack.append((place, at, loop, kept))

    def _step(self, search: _Search, searches: list[_Search]) -> _State | None:
        """Follow the next state until it fails, splits or matches; return it if it matches."""
        state = search.stack.pop()
        program, text, stack = self.program, self.text, search.stack
        while True:
            if state in search.seen or state in search.failed:
                return None
            search.seen.add(state)
            self.effort.spend(1)
            place, at, loop, captures = state
            instruction = program[place]
            kind = instruction[0]
            if kind == _SET:
                if instruction[2]:
                    if at == 0 or not instruction[1][text[at - 1]]:
                        return None
                    state = (place + 1, at - 1, loop, captures)
                elif at == len(text) or not instruction[1][text[at]]:
                    return None
                else:
                    state = (place + 1, at + 1, loop, captures)
            elif kind == _RUN:
                states = self._run(instruction, place, at, loop, captures)
                if not states:
                    return None
                state = states.pop()
                stack.extend(states)
            elif kind == _SPLIT:
                stack.append((instruction[2], at, loop, captures))
                state = (instruction[1], at, loop, captures)
            elif kind == _JUMP:
                state = (instruction[1], at, loop, captures)
            elif kind == _ASSERT:
                if not self._asserts(instruction[1], at):
                    return None
                state = (place + 1, at, loop, captures)
            elif kind == _MATCH:
                return state
            elif kind == _ENTER:
                state = (place + 1, at, self._number(0, -1, loop), captures)
            elif kind == _LOOP:
                states = self._loop(instruction, place, at, loop, captures)
                state = states.pop()
                stack.extend(states)
            elif kind == _NEXT:
                count, begun, _ = self.loops[loop]
                if instruction[3] and begun == at and count > min(instruction[2], len(text) + 1):
                    return None  # an iteration that is not needed and takes nothing in
                state = (instruction[1], at, loop, captures)
            elif kind == _SAVE:
                slot = instruction[1]
                state = (place + 1, at, loop, (*captures[:slot], at, *captures[slot + 1 :]))
            elif kind == _BACK:
                end = self._after_reference(captures, instruction[1], at, back=instruction[2])
                if end < 0:
                    return None
                state = (place + 1, end, loop, captures)
            else:
                self._look(instruction, state, search, searches)
                return None

    def _run(self, instruction: Instruction, place: int, at: int, loop: int, captures: tuple[int, ...]) -> list[_State]:
        """Return the states after each number of characters that a repeated set may take, the preferred one last."""
        _, members, back, least, most, greedy = instruction
        text = self.text
        room = at if back else len(text) - at
        limit, taken = min(most, room), 0
        if back:
            while taken < limit and members[text[at - taken - 1]]:
                taken += 1
        else:
            while taken < limit and members[text[at + taken]]:
                taken += 1
        self.effort.spend(taken)
        sign = -1 if back else 1
        states = [(place + 1, at + sign * number, loop, captures) for number in range(least, taken + 1)]
        return states if greedy else states[::-1]

    def _loop(
        self, instruction: Instruction, place: int, at: int, loop: int, captures: tuple[int, ...]
    ) -> list[_State]:
        """Return the states of a counted loop that may begin once more, or end; the preferred one last."""
        _, least, most, greedy, end, slots, exact = instruction
        count, _, outer = self.loops[loop]
        # An iteration beyond one a character takes nothing in; what holds with that many holds with any number.
        longest = len(self.text) + 1
        least = min(least, longest)
        most = most if most <= longest else INFINITY
        leave = (end, at, outer, captures)
        if count >= most:
            return [leave]
        if slots:
            kept = list(captures)
            for slot in slots:
                kept[slot] = kept[slot + 1] = -1
            captures = tuple(kept)
        if most == INFINITY:
            count = min(count, least)
        again = (place + 1, at, self._number(count + 1, at if exact else -1, outer), captures)
        if count < least:
            return [again]
        return [leave, again] if greedy else [again, leave]

    def _look(self, instruction: Instruction, state: _State, search: _Search, searches: list[_Search]) -> None:
        _, inner, after, negative = instruction
        _, at, loop, captures = state
        resume = (after, at, loop, captures)
        key = None if self.tracked else (inner, at)
        if key is not None and key in self.answers:
            if self.answers[key] is not negative:
                search.stack.append(resume)
        else:
            # Loops outside of it do not matter inside.
            failed = self.failed.setdefault(inner, set()) if key is not None else set()
            searches.append(_Search([(inner, at, 0, captures)], set(), resume, negative, key, failed))

    def _number(self, count: int, begun: int, outer: int) -> int:
        key = (count, begun, outer)
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.loops)
            self.loops.append(key)
        return number

    def _asserts(self, kind: str, at: int) -> bool:
        text = self.text
        if kind == "^":
            return at == 0
        if kind == "$":
            return at == len(text)
        before = at > 0 and text[at - 1] in WORD
        after = at < len(text) and text[at] in WORD
        return (before is not after) is (kind == "b")

    def _after_reference(self, captures: tuple[int, ...], slot: int, at: int, *, back: bool) -> int:
        """Return where a back reference ends; -1 if the text is another there."""
        start, end = captures[slot], captures[slot + 1]
        if start < 0 or end < 0:
            return at
        length = end - start
        self.effort.spend(length // 64)
        first = at - length if back else at
        if first < 0 or not self.text.startswith(self.text[start:end], first) or first + length > len(self.text):
            return -1
        return first if back else first + length
