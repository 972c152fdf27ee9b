"""What an app may hand in as record data."""

from __future__ import annotations

from datetime import date

import pytest

from web5.api.data import CHUNK, RecordData, chunked, to_bytes
from web5.api.records import records_filter
from web5.errors import InvalidArgument, MalformedData


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


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"NaN", b"\xff", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, '{"n": 1}'.encode("utf-16")],
)
async def test_data_that_are_no_json_are_said_to_be_none(payload: bytes) -> None:
    """A stranger's deeply nested text ends neither in a RecursionError nor, in a browser, the interpreter."""

    async def stream():
        return chunked(payload)

    with pytest.raises(MalformedData, match="is not JSON"):
        await RecordData(stream).json()


async def test_data_that_are_no_text_are_said_to_be_none() -> None:
    async def stream():
        return chunked(b"\xff")

    with pytest.raises(MalformedData, match="is not UTF-8"):
        await RecordData(stream).text()


def test_filters_get_their_wire_names_and_none_is_left_out() -> None:
    given = {"record_id": "r", "date_created": {"from": "x"}, "schema": None, "published": False}
    assert records_filter(given) == {"recordId": "r", "dateCreated": {"from": "x"}, "published": False}


def test_an_unknown_filter_names_the_known_ones() -> None:
    with pytest.raises(InvalidArgument, match=r"recordId; the filters are .*record_id"):
        records_filter({"recordId": "r"})
