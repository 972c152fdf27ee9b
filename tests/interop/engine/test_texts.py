"""URLs and timestamps: what passes, and what a URL becomes."""

from __future__ import annotations

import random
from itertools import product

import pytest
from tests.interop.reference import ReferenceScript
from web5.dwn.timestamps import is_moment
from web5.dwn.urls import normalize_url
from web5.errors import BadRequest

URLS = """
http://example.com http://example.com/ HTTP://EXAMPLE.com/A https://example.com:443/a https://example.com:8443/a/
http://example.com/a/../b/./c http://example.com/a/%2e%2e/b http://example.com//a//b http://example.com/a?b=c#d
http://example.com#d http://user:pw@example.com/ http://user@example.com/ http://:pw@example.com/ http://@example.com/
example.com example.com/a example.com:80/a localhost localhost:3000/a /a //a ? # ""  : :a a: a:b a:/b a://b a://b/
urn:isbn:0451450523 did:example:123 did:example:123#key mailto:a@b.c data:text/plain,x javascript:x tag:x,2020:y/
http: http:/ http:// http:/a http:a http:///a http:\\\\a\\b ftp://a.b:21/x ws://a:80 wss://a:443/ file:///a/b file://localhost/a
file:///C:/a/../.. file:c|/x file:/a file:a http://1.2.3.4 http://1.2.3 http://0x7f.1 http://256 http://1.2.3.256
http://1.2.3.4.5 http://01.02.03.04 http://0x http://[::1]/ http://[1:0:0:2:0:0:0:3] http://[::ffff:1.2.3.4] http://[::1
http://[fe80::1%25eth0] http://a:65535 http://a:65536 http://a:99999999999 http://a:b http://a: http://a:0/ http://a:00080/
http://ex%41mple.com http://a%20b http://a%00b http://a_b.c http://a..b http://-a http://a. http://xn--nxasmq6b
http://bücher.example http://EXAMPLE.İ http://a<b http://a>b http://a|b http://a^b http://a`b http://a{b http://a,b;c=d
foo://a%20b foo://A/b foo:///a/b foo://a:0080/ foo://a b foo:/a/../b foo:/.//p foo:a/../b foo:a?b foo:a#b foo+bar.1-2:x 1foo:x
http://example.com/ä/ö http://example.com/%zz http://example.com/%C3%A4 http://example.com/a|b http://example.com/[x]
http://example.com/'x'"y"<z> http://example.com/~a!$&()*+,;=:@ http://example.com/{x}/`y`/^z http://example.com/\u00a0
https://schema.org/Note/ https://schema.org//  https://schema.org/../.. https://schema.org/a/.. https://schema.org/a/.
blob:https://a.b/c about:blank view-source:http://a/b non-special://[::1]:80/x ｈｔｔｐ://a http://ａ.com http://a.com\u3002b
""".split()

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


def _ours(text: str) -> str | None:
    try:
        return normalize_url(text)
    except BadRequest:
        return None


def _generated() -> list[str]:
    rng = random.Random(11)
    return ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 8))) for _ in range(GENERATED)]


@pytest.mark.parametrize("texts", [URLS, _generated()], ids=["known", "generated"])
async def test_urls_are_normalized_alike(reference: ReferenceScript, texts: list[str]) -> None:
    theirs = [answer.get("value") for answer in await reference.call("normalized", texts=texts)]
    pairs = zip(texts, theirs, strict=True)
    assert [(text, _ours(text), other) for text, other in pairs if _ours(text) != other] == []


async def test_timestamps_pass_alike(reference: ReferenceScript) -> None:
    days = [f"{y}-{md}" for y, md in product(("0000", "1900", "2000", "2023", "2024"), ("02-28", "02-29", "02-30"))]
    days += [f"2024-{month:02}-{day:02}" for month in range(20) for day in (0, 1, 30, 31, 32, 39)]
    hours = ["00:00:00", "23:59:59", "24:00:00", "29:00:00", "12:59:59", "23:59:60"]
    texts = [f"{day}T00:00:00.000000Z" for day in days] + [f"2024-01-01T{hour}.123456Z" for hour in hours]
    theirs = await reference.call("moments", texts=texts)
    pairs = zip(texts, theirs, strict=True)
    assert [(text, other) for text, other in pairs if is_moment(text) != other] == []
