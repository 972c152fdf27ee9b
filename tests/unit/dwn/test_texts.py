"""Timestamps, URLs and JavaScript's values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dwn.values.javascript import as_javascript
from web5.dwn.values.timestamps import format_timestamp, is_moment, parse_timestamp
from web5.dwn.values.urls import is_normalized, normalize_url
from web5.errors import BadRequest, InvalidArgument

YEAR_0, YEAR_1, YEAR_10000 = -62_167_219_200_000_000, -62_135_596_800_000_000, 253_402_300_800_000_000


@given(st.integers(YEAR_0, YEAR_10000 + 999_999))
def test_timestamps_go_there_and_back(us: int) -> None:
    assert parse_timestamp(format_timestamp(us)) == us


@given(st.integers(YEAR_0, YEAR_10000 + 999_999), st.integers(YEAR_0, YEAR_10000 + 999_999))
def test_timestamps_sort_as_text(left: int, right: int) -> None:
    assert (format_timestamp(left) < format_timestamp(right)) == (left < right)


@pytest.mark.parametrize(
    "text", ["2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123456", "2024-02-30T00:00:00.000000Z", ""]
)
def test_other_timestamps_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_timestamp(text)


_DIGITS = st.integers(0, 99).map("{:02}".format)
_EDGES = st.sampled_from(["0000", "0001", "1900", "1970", "2000", "2016", "2024", "9999"])


@given(_EDGES, st.lists(_DIGITS, min_size=4, max_size=4), st.sampled_from(["00", "59", "60", "61"]))
def test_all_that_is_accepted_as_a_date_is_read(year: str, parts: list[str], second: str) -> None:
    text = "{}-{}-{}T{}:{}:{}.000001Z".format(year, *parts, second)
    if not is_moment(text):
        with pytest.raises(InvalidArgument):
            parse_timestamp(text)
    else:
        assert format_timestamp(parse_timestamp(text) + 1) > text, "what is dated after it sorts after it"


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0000-01-01T00:00:00.000000Z", YEAR_0),
        ("0000-02-29T00:00:00.000000Z", YEAR_0 + 59 * 86_400_000_000),
        ("0000-12-31T23:59:59.999999Z", YEAR_1 - 1),
        ("2016-12-31T23:59:60.500000Z", 1_483_228_800_500_000),
        ("9999-12-31T23:59:59.999999Z", YEAR_10000 - 1),
        ("9999-12-31T23:59:60.000000Z", YEAR_10000),
    ],
)
def test_dates_at_the_edges(text: str, us: int) -> None:
    assert parse_timestamp(text) == us


@pytest.mark.parametrize("us", [YEAR_0 - 1, YEAR_10000 + 1_000_000, -(10**30), 10**30])
def test_moments_that_no_date_can_name(us: int) -> None:
    with pytest.raises(InvalidArgument, match="years 0000 to 9999"):
        format_timestamp(us)


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("2024-02-29T00:00:00.000000Z", True),
        ("2023-02-29T00:00:00.000000Z", False),
        ("1900-02-29T00:00:00.000000Z", False),
        ("2024-13-01T00:00:00.000000Z", False),
        ("2024-01-01T24:00:00.000000Z", False),
        ("2016-12-31T23:59:60.000000Z", True),
        ("0000-01-01T00:00:00.000000Z", True),
        ("2024-01-01T00:00:00.000000Z\n", False),
    ],
)
def test_moments(text: str, exists: bool) -> None:
    assert is_moment(text) is exists


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://schema.org/Note", "https://schema.org/Note"),
        ("HTTPS://Schema.org:443/a/../Note/?q#f", "https://schema.org/Note"),
        ("schema.org/Note", "http://schema.org/Note"),
        ("urn:isbn:1", "urn:isbn:1"),
        ("http://example.com/ä b", "http://example.com/%C3%A4%20b"),
        ("http://FAß.example/a", "http://xn--fa-hia.example/a"),
        ("http://☃.example", "http://xn--n3h.example"),
        ("http://xn--fa-hia.example", "http://xn--fa-hia.example"),
        ("foo://a%b\x01\x7f/c", "foo://a%b%01%7F/c"),
    ],
)
def test_urls(url: str, normal: str) -> None:
    assert normalize_url(url) == normal
    assert is_normalized(normal)


@pytest.mark.parametrize(
    "url",
    [
        "http://a b",
        "http://a:99999",
        "",
        "http://[::1",
        "http://xn--a",
        "http://xn--ab-",
        "http://a\u200db",
        "foo://a^b",
    ],
)
def test_what_is_no_url(url: str) -> None:
    assert not is_normalized(url)
    with pytest.raises(BadRequest, match="UrlProtocolNotNormalizable"):
        normalize_url(url)


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (1.0, 1),
        (-0.0, 0),
        (2**53 - 1, 2**53 - 1),
        (2**53 + 1, float(2**53)),
        (10**400, float("inf")),
        ("a\ud800b", "a\ufffdb"),
        ({"a": [1.0, {"b": 2.5}]}, {"a": [1, {"b": 2.5}]}),
    ],
)
def test_javascript_holds(value: Any, held: Any) -> None:
    found = as_javascript(value)
    assert (found, type(found)) == (held, type(held))


def test_deep_nesting_is_refused() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadRequest):
        as_javascript(value)
    while isinstance(value, list):
        (value,) = value
