"""What an app may hand in as record data."""

from __future__ import annotations

from datetime import date

import pytest

from web5.api.data import CHUNK, RecordData, chunked, to_bytes
from web5.api.filters import records_filter
from web5.errors import InvalidArgument


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("grün", ("grün".encode(), "text/plain")),
        (b"\x00\xff", (b"\x00\xff", "application/octet-stream")),
        (bytearray(b"ab"), (b"ab", "application/octet-stream")),
        ({"a": [1, "ü"]}, ('{"a":[1,"ü"]}'.encode(), "application/json")),
        (None, (b"null", "application/json")),
    ],
)
def test_the_media_type_follows_the_data(data: object, expected: tuple[bytes, str]) -> None:
    assert to_bytes(data, None) == expected


def test_a_given_media_type_is_kept() -> None:
    assert to_bytes("# Title", "text/markdown") == (b"# Title", "text/markdown")


@pytest.mark.parametrize("data", [date(2026, 1, 1), {"when": object()}, float("nan")])
def test_what_json_cannot_hold_is_refused(data: object) -> None:
    with pytest.raises(InvalidArgument, match="str, bytes or JSON"):
        to_bytes(data, None)


async def test_data_can_be_read_again_and_again() -> None:
    payload = b'{"n": 1}' + b" " * CHUNK

    async def stream():
        return chunked(payload)

    data = RecordData(stream)
    assert await data.json() == {"n": 1}
    assert await data.bytes() == payload
    assert await data.text() == payload.decode()
    assert [len(chunk) async for chunk in await data.stream()] == [CHUNK, 8]


def test_filters_get_their_wire_names_and_none_is_left_out() -> None:
    given = {"record_id": "r", "date_created": {"from": "x"}, "schema": None, "published": False}
    assert records_filter(given) == {"recordId": "r", "dateCreated": {"from": "x"}, "published": False}


def test_an_unknown_filter_names_the_known_ones() -> None:
    with pytest.raises(InvalidArgument, match=r"recordId; the filters are .*record_id"):
        records_filter({"recordId": "r"})
