"""Timestamps, URLs and JavaScript's values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dwn.javascript import as_javascript
from web5.dwn.timestamps import format_timestamp, is_moment, parse_timestamp
from web5.dwn.urls import is_normalized, normalize_url
from web5.errors import BadRequest, InvalidArgument

YEAR_1, YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000


@given(st.integers(YEAR_1, YEAR_10000 - 1))
def test_timestamps_go_there_and_back(us: int) -> None:
    assert parse_timestamp(format_timestamp(us)) == us


@given(st.integers(YEAR_1, YEAR_10000 - 1), st.integers(YEAR_1, YEAR_10000 - 1))
def test_timestamps_sort_as_text(left: int, right: int) -> None:
    assert (format_timestamp(left) < format_timestamp(right)) == (left < right)


@pytest.mark.parametrize(
    "text", ["2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123456", "2024-02-30T00:00:00.000000Z", ""]
)
def test_other_timestamps_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_timestamp(text)


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
    ],
)
def test_urls(url: str, normal: str) -> None:
    assert normalize_url(url) == normal
    assert is_normalized(normal)


@pytest.mark.parametrize("url", ["http://a b", "http://a:99999", "", "http://[::1"])
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
