"""The machine that runs a pattern's program.

Invariants:
1. The machine tries what ECMA-262's backtracking would try, in its order, but no state twice: what failed once at a
   place fails there again. So a pattern without back references takes time in proportion to its length times the
   text's (and to what its counted quantifiers count).
2. Every step is counted. Whoever asks says how many it is worth; what needs more is undecided, on every machine alike.
3. Nothing recurses, so that nesting costs no stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from web5.ecma_regexp.program import (
    ASSERT,
    BACK,
    ENTER,
    JUMP,
    LOOP,
    MATCH,
    NEXT,
    RUN,
    SAVE,
    SET,
    SPLIT,
    Compiler,
    Instruction,
)
from web5.ecma_regexp.syntax import WORD, RegExpSyntaxError, join_surrogates, parse
from web5.ecma_regexp.tree import INFINITY
from web5.lru import remember_short

DEFAULT_STEPS = 100_000
"""A tenth of a second on a small machine; a pattern that people write needs some hundred."""

MAX_LENGTH = 10_000
"""The limit for the characters of a pattern, to read which takes as long as twenty steps each."""


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
        compiler = Compiler(pattern.referenced)
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
        text = join_surrogates(text)
        run = _Run(self._program, text, effort or Effort(), self._tracked)
        anchored = self._program[0] == (ASSERT, "^")
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
            if kind == SET:
                if instruction[2]:
                    if at == 0 or not instruction[1][text[at - 1]]:
                        return None
                    state = (place + 1, at - 1, loop, captures)
                elif at == len(text) or not instruction[1][text[at]]:
                    return None
                else:
                    state = (place + 1, at + 1, loop, captures)
            elif kind == RUN:
                states = self._run(instruction, place, at, loop, captures)
                if not states:
                    return None
                state = states.pop()
                stack.extend(states)
            elif kind == SPLIT:
                stack.append((instruction[2], at, loop, captures))
                state = (instruction[1], at, loop, captures)
            elif kind == JUMP:
                state = (instruction[1], at, loop, captures)
            elif kind == ASSERT:
                if not self._asserts(instruction[1], at):
                    return None
                state = (place + 1, at, loop, captures)
            elif kind == MATCH:
                return state
            elif kind == ENTER:
                state = (place + 1, at, self._number(0, -1, loop), captures)
            elif kind == LOOP:
                states = self._loop(instruction, place, at, loop, captures)
                state = states.pop()
                stack.extend(states)
            elif kind == NEXT:
                count, begun, _ = self.loops[loop]
                if instruction[3] and begun == at and count > min(instruction[2], len(text) + 1):
                    return None  # an iteration that is not needed and takes nothing in
                state = (instruction[1], at, loop, captures)
            elif kind == SAVE:
                slot = instruction[1]
                state = (place + 1, at, loop, (*captures[:slot], at, *captures[slot + 1 :]))
            elif kind == BACK:
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
