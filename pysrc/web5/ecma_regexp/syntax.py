"""The syntax of a pattern with the flag `u` (ECMA-262, section 22.2.1), read into a tree.

Reading needs no recursion, so that nesting costs no stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from web5.ecma_regexp.properties import boundaries, holds
from web5.ecma_regexp.tree import (
    INFINITY,
    Assertion,
    BackReference,
    CharacterSet,
    Choice,
    Group,
    Look,
    Node,
    Pattern,
    Repeat,
    Sequence,
)

MAX_GROUPS = 2**16 - 1
"""As in V8."""

LINE_ENDS = frozenset("\n\r\u2028\u2029")
SPACES = (
    LINE_ENDS | frozenset("\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff") | {chr(at) for at in range(0x2000, 0x200B)}
)
DIGITS = frozenset("0123456789")
WORD = DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")

_SYNTAX_CHARACTERS = frozenset("^$\\.*+?()[]{}|")
_CONTROLS = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HEX = frozenset("0123456789abcdefABCDEF")
_CLASSES: dict[str, frozenset[str]] = {"d": DIGITS, "s": SPACES, "w": WORD}


class RegExpSyntaxError(ValueError):
    """A pattern that ECMA-262 does not allow; the message says what is wrong, and where."""


def parse(source: str) -> Pattern:
    """Read a pattern.

    Raises:
        RegExpSyntaxError: it is none.
    """
    return _Parser(source).parse()


@dataclass(slots=True)
class _Open:
    """A disjunction that is being read.

    Parameters:
        close: makes the node of it once its parenthesis is closed; None for the whole pattern.
        quantifiable: False for lookarounds.
        first_group: the number that the next group had when it was opened.
    """

    close: Callable[[Node], Node] | None
    quantifiable: bool
    first_group: int
    alternatives: list[Sequence] = field(default_factory=lambda: [Sequence()])

    def node(self) -> Node:
        found = [_only(one) for one in self.alternatives]
        return found[0] if len(found) == 1 else Choice(found)


def _only(sequence: Sequence) -> Node:
    return sequence.parts[0] if len(sequence.parts) == 1 else sequence


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = join_surrogates(source)
        self._at = 0
        self._groups = 0
        self._names: dict[str, int] = {}
        self._numbers_used: list[int] = []
        self._names_used: list[tuple[str, BackReference]] = []

    def parse(self) -> Pattern:
        stack = [_Open(None, False, 1)]
        while True:
            character = self._peek()
            if character == "|":
                self._at += 1
                stack[-1].alternatives.append(Sequence())
            elif character == "(":
                stack.append(self._open())
            elif character == ")" or character == "":
                node = stack[-1].node()
                closed = stack.pop()
                if closed.close is None:
                    if character:
                        self._fail("unmatched ')'")
                    return self._pattern(node)
                if not character:
                    self._fail("unterminated group")
                self._at += 1
                node = closed.close(node)
                first = closed.first_group
                stack[-1].alternatives[-1].parts.append(self._quantified(node, first) if closed.quantifiable else node)
            else:
                node, quantifiable = self._term(character)
                stack[-1].alternatives[-1].parts.append(
                    self._quantified(node, self._groups + 1) if quantifiable else node
                )

    def _pattern(self, root: Node) -> Pattern:
        for number in self._numbers_used:
            if number > self._groups:
                self._fail("a back reference to a group that is not there")
        referenced = set(self._numbers_used)
        for name, reference in self._names_used:
            if name not in self._names:
                self._fail("a back reference to a name that is not there")
            reference.group = self._names[name]
            referenced.add(reference.group)
        return Pattern(root, frozenset(referenced))

    # -- terms

    def _open(self) -> _Open:
        first = self._groups + 1
        self._at += 1
        for mark, behind, negative in (
            ("?=", False, False),
            ("?!", False, True),
            ("?<=", True, False),
            ("?<!", True, True),
        ):
            if self._take(mark):
                return _Open(lambda inner, b=behind, n=negative: Look(inner, b, n), False, first)  # type: ignore[misc]
        if self._take("?:"):
            return _Open(lambda inner: inner, True, first)
        name = None
        if self._take("?<"):
            name = self._group_name()
        elif self._peek() == "?":
            self._fail("an unknown kind of group")
        self._groups = number = self._groups + 1
        if number > MAX_GROUPS:
            self._fail("too many groups")
        if name is not None:
            if name in self._names:
                self._fail("a group name that is there already")
            self._names[name] = number
        return _Open(lambda inner: Group(number, inner), True, first)

    def _term(self, character: str) -> tuple[Node, bool]:
        """Read one term that is no group, and return whether a quantifier may follow it."""
        self._at += 1
        if character in "^$":
            return Assertion(character), False
        if character == ".":
            return CharacterSet(lambda one: one not in LINE_ENDS), True
        if character == "[":
            return self._class(), True
        if character == "\\":
            return self._escape()
        if character in "*+?":
            self._fail("nothing to repeat")
        if character in "{}]":
            self._fail(f"a lone {character!r}")
        return character, True

    def _escape(self) -> tuple[Node, bool]:
        character = self._peek()
        if character in ("b", "B"):
            self._at += 1
            return Assertion(character), False
        if character == "k":
            self._at += 1
            if not self._take("<"):
                self._fail("\\k without a name")
            reference = BackReference(0)
            self._names_used.append((self._group_name(), reference))
            return reference, True
        if character in DIGITS and character != "0":
            number = self._decimal()
            self._numbers_used.append(number)
            return BackReference(number), True
        found = self._class_escape()
        return (found if isinstance(found, str) else CharacterSet(found)), True

    def _quantified(self, node: Node, first_group: int) -> Node:
        character = self._peek()
        if character == "*":
            least, most = 0, INFINITY
        elif character == "+":
            least, most = 1, INFINITY
        elif character == "?":
            least, most = 0, 1
        elif character == "{":
            self._at += 1
            least = most = self._bound()
            if self._take(","):
                most = INFINITY if self._peek() == "}" else self._bound()
            if self._peek() != "}":
                self._fail("an incomplete quantifier")
            if most < least:
                self._fail("numbers out of order in a quantifier")
        else:
            return node
        self._at += 1
        greedy = not self._take("?")
        return Repeat(node, least, most, greedy, range(first_group, self._groups + 1))

    def _bound(self) -> int:
        if self._peek() not in DIGITS:
            self._fail("an incomplete quantifier")
        return self._decimal()

    def _decimal(self) -> int:
        start = self._at
        while self._peek() in DIGITS:
            self._at += 1
        digits = self._source[start : self._at].lstrip("0")
        return min(int(digits[:12] or "0"), INFINITY)

    # -- classes and characters

    def _class(self) -> CharacterSet:
        negated = self._take("^")
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        tests: list[Callable[[str], bool]] = []
        while True:
            character = self._peek()
            if character == "":
                self._fail("an unterminated class")
            if character == "]":
                self._at += 1
                break
            first = self._class_atom()
            if self._peek() == "-" and self._source[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                last = self._class_atom()
                if not isinstance(first, str) or not isinstance(last, str):
                    self._fail("a range of classes")
                if last < first:
                    self._fail("a range out of order")
                ranges.append((first, last))
            elif isinstance(first, str):
                singles.add(first)
            else:
                tests.append(first)
        return CharacterSet(_class_test(frozenset(singles), _merged(ranges), tests, negated))

    def _class_atom(self) -> str | Callable[[str], bool]:
        character = self._source[self._at]
        self._at += 1
        if character != "\\":
            return character
        if self._take("b"):
            return "\b"
        if self._take("-"):
            return "-"
        return self._class_escape()

    def _class_escape(self) -> str | Callable[[str], bool]:
        """Read what an escape means inside and outside of a class alike."""
        character = self._peek()
        self._at += 1
        if character == "":
            self._fail("a backslash at the end")
        if character.lower() in _CLASSES:
            members = _CLASSES[character.lower()]
            if character.islower():
                return members.__contains__
            return lambda one: one not in members
        if character in "pP":
            return self._property(negated=character == "P")
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "c":
            letter = self._peek()
            if not (letter.isascii() and letter.isalpha()):
                self._fail("an invalid control character")
            self._at += 1
            return chr(ord(letter) % 32)
        if character == "0" and self._peek() not in DIGITS:
            return "\0"
        if character == "x":
            return chr(self._hex(2))
        if character == "u":
            return self._unicode_escape()
        if character in _SYNTAX_CHARACTERS or character == "/":
            return character
        self._fail("an invalid escape")

    def _property(self, *, negated: bool) -> Callable[[str], bool]:
        end = self._source.find("}", self._at)
        if self._peek() != "{" or end < 0:
            self._fail("an invalid property name")
        name, equals, value = self._source[self._at + 1 : end].partition("=")
        bounds = boundaries(name, value if equals else None)
        if bounds is None:
            self._fail("an invalid property name")
        self._at = end + 1
        if negated:
            return lambda one: not holds(bounds, ord(one))
        return lambda one: holds(bounds, ord(one))

    def _unicode_escape(self) -> str:
        if self._peek() == "{":
            end = self._source.find("}", self._at)
            digits = self._source[self._at + 1 : end] if end >= 0 else ""
            code = int(digits.lstrip("0")[:8] or "0", 16) if digits and set(digits) <= _HEX else 0x110000
            if code > 0x10FFFF:
                self._fail("an invalid Unicode escape")
            self._at = end + 1
            return chr(code)
        code = self._hex(4)
        if 0xD800 <= code < 0xDC00 and self._source[self._at : self._at + 2] == "\\u":
            following = self._source[self._at + 2 : self._at + 6]
            if len(following) == 4 and set(following) <= _HEX and 0xDC00 <= int(following, 16) < 0xE000:
                self._at += 6
                return join_surrogates(chr(code) + chr(int(following, 16)))
        return chr(code)

    def _hex(self, length: int) -> int:
        digits = self._source[self._at : self._at + length]
        if len(digits) != length or not set(digits) <= _HEX:
            self._fail("an invalid escape")
        self._at += length
        return int(digits, 16)

    def _group_name(self) -> str:
        start, name = self._at, ""
        while (character := self._peek()) != ">":
            self._at += 1
            if character == "\\":
                if not self._take("u"):
                    self._fail("an invalid group name")
                character = self._unicode_escape()
            elif character == "":
                self._fail("an invalid group name")
            bounds = boundaries("ID_Continue" if name else "ID_Start", None)
            joiners = "$_\u200c\u200d" if name else "$_"
            if bounds is None or not (character in joiners or holds(bounds, ord(character))):
                self._fail("an invalid group name")
            name += character
        if not name:
            self._at = start
            self._fail("an invalid group name")
        self._at += 1
        return name

    # -- the source

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if not self._source.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _fail(self, why: str) -> NoReturn:
        raise RegExpSyntaxError(f"{why}, at position {min(self._at, len(self._source))} of the pattern")


def join_surrogates(text: str) -> str:
    """Join surrogate pairs, which JavaScript reads as one code point."""
    if not any("\ud800" <= one < "\ue000" for one in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _merged(ranges: Iterable[tuple[str, str]]) -> tuple[int, ...]:
    """Return ranges as boundaries, as `properties.boundaries` gives them."""
    found: list[list[int]] = []
    for first, last in sorted((ord(first), ord(last) + 1) for first, last in ranges):
        if found and first <= found[-1][1]:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return tuple(bound for pair in found for bound in pair)


def _class_test(
    singles: frozenset[str], bounds: tuple[int, ...], tests: list[Callable[[str], bool]], negated: bool
) -> Callable[[str], bool]:
    def test(one: str) -> bool:
        return (one in singles or holds(bounds, ord(one)) or any(check(one) for check in tests)) is not negated

    return test
