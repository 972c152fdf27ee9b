"""URLs and timestamps: what passes, and what a URL becomes."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest

from tests.interop.reference import ReferenceScript
from web5.dwn.values.timestamps import is_moment
from web5.dwn.values.urls import normalize_url
from web5.errors import BadRequest

URLS = (Path(__file__).parent / "urls.txt").read_text(encoding="utf-8").split("\n")

PIECES = [
    "http:",
    "https:",
    "foo:",
    "/",
    "//",
    "\\",
    "a",
    "B.c",
    "..",
    ".",
    "%2e",
    "%41",
    "%",
    ":",
    "80",
    "@",
    "?q",
    "#f",
]
PIECES += [" ", "\t", "é", "[::1]", "|", "~", "1.2.3.4", "<", "^", "{"]
GENERATED = 1500

HOSTS = [
    *("faß", "FAß", "xn--fa-hia", "XN--FA-HIA", "xn--fa", "xn--a-ecp", "xn--", "xn--a", "xn--0"),
    *("xn--zca", "xn--ls8h", "a.xn--zzzzzz.b", "xn--xn---epa", "ς", "βόλος", "☃", "💩", "a\u00adb", "\u00ad"),
    *("a\u200db", "\u0915\u094d\u200d\u0937", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc", "א", "אa", "א1", "אב"),
    *(
        "a.א",
        "a.b.אב",
        "\u0301a",
        "é",
        "e\u0301",
        "ﬀ",
        "①",
        "\uff11.\uff12.\uff13.\uff14",
        "%C3%9F",
        "%FF",
        "a%EF%BC%8Ecom",
        "a⒈com",
    ),
    *(
        "a\u3000b",
        "℀",
        "\U00010fff",
        "-ä-",
        "ab--ä",
        "ä_b",
        "ä..b",
        "ä%",
        "\u0130",
        "\u0131",
        "\u212a",
        "a。b",
        "a｡b",
        "Å",
        "ΑΣ",
    ),
    *("a%7Fb", "a\x7fb", "a\x01b", "a%b", "a%zz", "a b", "a^b", "a<b", "a{b}", 'a"b`c', "a!$&'()*+,;=~b", "ｱ"),
    *("A%41", "a\x00b", "a|b", "a:b:80", "%00", "☃:80", "a[b", "a]b", "a\\b", "xn--p1ai", "xn--80ak6aa92e"),
]
"""Without labels that mix directions of writing, see docs/differences.md."""
HOST_PIECES = ["a", "B", "xn--", "zca", "-", ".", "ß", "é", "e\u0301", "\u200d", "1", "Σ", "ﬁ", "\u00ad", "%C3%A9"]
HOST_PIECES += ["日", "。", "p1ai", "_", "\u094d", "☃", "\x01", "%"]

FORMS_OF_DAYS = ["2024-05-01", "20240501", "2024-0501", "2024-5-1", "24-05-01", "2024-05", "2024-05-00"]
FORMS_OF_TIMES = ["", "T", "T07", "t07:08", "T0708", " 07:08:09", "  070809", "T07:0809", "T0708:09", "T24:00"]
FORMS_OF_TIMES += ["T07:08:09.1", "T07:08:09,123456789", "T07:08:09.1234567890", "T070809.5", "T07:08.5", "T07:60"]
OFFSETS = [
    "",
    "Z",
    "z",
    "+02",
    "-0230",
    "+02:30",
    "\u221202:30",
    "+24:00",
    "+02:60",
    "+02:30:15",
    "+02:30:15.5",
    " Z",
    "Z\n",
]


def _ours(text: str) -> str | None:
    try:
        return normalize_url(text)
    except BadRequest:
        return None


def _generated() -> list[str]:
    rng = random.Random(11)
    return ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 8))) for _ in range(GENERATED)]


def _hosts() -> list[str]:
    rng = random.Random(12)
    hosts = HOSTS + ["".join(rng.choice(HOST_PIECES) for _ in range(rng.randrange(1, 6))) for _ in range(GENERATED)]
    return [f"{scheme}://{host}/a" for scheme in ("http", "foo") for host in hosts]


@pytest.mark.parametrize("texts", [URLS, _generated(), _hosts()], ids=["known", "generated", "hosts"])
async def test_urls_are_normalized_alike(reference: ReferenceScript, texts: list[str]) -> None:
    theirs = [answer.get("value") for answer in await reference.call("normalized", texts=texts)]
    pairs = zip(texts, theirs, strict=True)
    assert [(text, _ours(text), other) for text, other in pairs if _ours(text) != other] == []


async def test_timestamps_pass_alike(reference: ReferenceScript) -> None:
    days = [f"{y}-{md}" for y, md in product(("0000", "1900", "2000", "2023", "2024"), ("02-28", "02-29", "02-30"))]
    days += [f"2024-{month:02}-{day:02}" for month in range(20) for day in (0, 1, 30, 31, 32, 39)]
    hours = ["00:00:00", "23:59:59", "24:00:00", "29:00:00", "12:59:59", "23:59:60"]
    texts = [f"{day}T00:00:00.000000Z" for day in days] + [f"2024-01-01T{hour}.123456Z" for hour in hours]
    texts += ["".join(parts) for parts in product(FORMS_OF_DAYS, FORMS_OF_TIMES, OFFSETS)]
    theirs = await reference.call("moments", texts=texts)
    pairs = zip(texts, theirs, strict=True)
    assert [(text, other) for text, other in pairs if is_moment(text) != other] == []
