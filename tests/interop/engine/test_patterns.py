"""Patterns mean what they mean in JavaScript: random ones, spoilt ones, and Unicode properties, beside Node's."""

from __future__ import annotations

import random

import pytest

from tests.interop.reference import ReferenceScript, reference_fixture
from web5 import ecma_regexp

ATOMS = (
    *("a", "b", "c", ".", r"\d", r"\w", r"\s", r"\S", r"\W", r"\D", "[ab]", "[^a]", "[a-c]", r"\p{L}", r"\P{Lu}"),
    *(r"\u0061", r"\x62", r"[\d-]", r"[\w.]", "ä", r"\b", r"\B", "^", "$", r"\n", r"\/", "[^]", "[]", r"\cA"),
    *(r"\u{1f600}", "[😀-😂]", r"\0", r"[\b]", "-", r"\p{Script=Greek}", r"\p{Emoji}", r"\ud83d\ude00", r"\p{Alpha}"),
)
QUANTIFIERS = (
    *("*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}", "*?", "+?", "??", "{1,2}?", "{0}", "{3,1}"),
    *("{99999999999}", "{0,4294967296}", "{,2}", "{1"),
)
SPOILERS = ("\\", "(", ")", "[", "]", "{", "}", "*", "?", "|", "-", "^", "$", "k", "<", ">", "p", "u", "1", ",", "")
LETTERS = "aabbcA1 _-\näΩ\u2028\ufeff\0"
"""Without pairs of surrogates, between which V8 looks for `\\B` and empty matches, against the specification."""


node = reference_fixture("patterns.mjs")


def _pattern(chance: random.Random, depth: int = 0) -> str:
    kind = chance.random()
    if depth > 4 or kind < 0.35:
        return chance.choice(ATOMS)

    def inner() -> str:
        return _pattern(chance, depth + 1)

    if kind < 0.55:
        return inner() + inner()
    if kind < 0.65:
        return f"(?:{inner()}|{inner()})"
    if kind < 0.75:
        return f"({inner()})"
    if kind < 0.80:
        return f"{chance.choice(['(?=', '(?!', '(?<=', '(?<!'])}{inner()})"
    if kind < 0.84:
        return rf"\{chance.randint(1, 3)}"
    if kind < 0.86:
        return f"(?<n>{inner()})" + chance.choice(["", r"\k<n>"])
    return chance.choice(["(?:%s)", "(%s)", "%s"]) % inner() + chance.choice(QUANTIFIERS)


def _spoilt(chance: random.Random, source: str) -> str:
    if chance.random() > 0.15:
        return source
    at = chance.randrange(len(source))
    return source[:at] + chance.choice(SPOILERS) + source[at + chance.choice([0, 1]) :]


def _ours(source: str, texts: list[str]) -> list[bool | None] | None:
    try:
        pattern = ecma_regexp.EcmaRegExp(source)
    except ecma_regexp.RegExpSyntaxError:
        return None
    found: list[bool | None] = []
    for text in texts:
        try:
            found.append(pattern.test(text))
        except ecma_regexp.EffortExceeded:
            found.append(None)
    return found


def _differ(ours: list[bool | None] | None, theirs: list[bool | None] | None) -> bool:
    if ours is None or theirs is None:
        return ours is not theirs
    return any(None not in pair and pair[0] != pair[1] for pair in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("seed", range(4))
async def test_random_patterns_match_what_node_matches(node: ReferenceScript, seed: int) -> None:
    chance = random.Random(seed)
    cases = []
    for _ in range(1500):
        source = _spoilt(chance, _pattern(chance))
        source = f"^(?:{source})$" if chance.random() < 0.3 else source
        texts = ["".join(chance.choice(LETTERS) for _ in range(chance.randint(0, 8))) for _ in range(6)]
        cases.append((source, texts))
    answers = await node.call("test", cases=cases)
    found = [(source, texts, _ours(source, texts)) for source, texts in cases]
    different = [
        (source, texts, ours, theirs)
        for (source, texts, ours), theirs in zip(found, answers, strict=True)
        if _differ(ours, theirs)
    ]
    assert different == []
    assert sum(ours is None for _, _, ours in found) > 100
    assert sum(None in ours for _, _, ours in found if ours) == 0


async def test_properties_are_nodes(node: ReferenceScript) -> None:
    # Characters that no version of Unicode will change.
    texts = [chr(code) for code in (*range(0x250), *range(0x391, 0x3CA), *range(0x5D0, 0x5EB), *range(0x4E00, 0x4E20))]
    names = ["L", "Lu", "Letter", "gc=Nd", "General_Category=Punctuation", "Script=Greek", "sc=Latn", "scx=Hebr"]
    names += ["Alphabetic", "Upper", "White_Space", "ASCII", "Any", "ID_Start", "Emoji", "Script=Han", "Hex_Digit"]
    names += ["Greek", "lu", "Script", "Script=", "gc=Latn", "Block=Basic_Latin", "Line_Break", "", "L=Lu", "=Lu"]
    cases = [(rf"^\{kind}{{{name}}}$", texts) for name in names for kind in "pP"]
    answers = await node.call("test", cases=cases)
    assert [_ours(source, texts) for source, texts in cases] == answers


async def test_what_strangers_try_is_what_node_reads(node: ReferenceScript) -> None:
    cases = [
        ("^[a-z]+$", ["abc", "abc\n"]),
        (r"^\p{L}+$", ["Übung", "漢字", "a1"]),
        (r"^\s$", [" ", "\u00a0", "\ufeff", "\u180e", "\x1c"]),
        ("^.$", ["\u2028", "\r", "\x85", "x"]),
        ("(?i)a", ["A"]),
        ("a{0,4294967296}", ["aaa"]),
        ("(" * 3000 + "a" + ")" * 3000, ["a", "b"]),
        (r"\-", ["-"]),
        (r"^\d$", ["1", "\u0661"]),
        ("^[^]$", ["\n", "😀"]),
        ("]", ["]"]),
        (r"(?<year>\d{4})-\k<year>", ["2026-2026", "2026-2027"]),
    ]
    answers = await node.call("test", cases=cases)
    assert [_ours(source, texts) for source, texts in cases] == answers
