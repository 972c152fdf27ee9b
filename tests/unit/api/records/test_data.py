"""What an app may hand in as record data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from web5.api.records.data import CHUNK, RecordData, chunked, to_bytes
from web5.api.records.filters import records_filter
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
    day = datetime(2024, 5, 1, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    given = {"record_id": "r", "date_created": {"from": day}, "schema": None, "published": False}
    wire = {"recordId": "r", "dateCreated": {"from": "2024-05-01T10:00:00.000001Z"}, "published": False}
    assert records_filter(given) == wire


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("date_created", {"from": datetime(2024, 5, 1)}, "has no time zone"),
        ("date_created", {"since": datetime.now(UTC)}, "range of dates"),
        ("date_created", datetime.now(UTC), "range of dates"),
        ("date_created", {"from": "yesterday"}, "is no date"),
        ("author", "alice", "author='alice' is no DID"),
        ("recipient", ["did:x:y", "bob"], "recipient='bob' is no DID"),
        ("published", "yes", "has to be True or False"),
        ("data_size", 7, "has to be a range"),
        ("schema", b"x", "has to be a str"),
        ("tags", ["a"], "mapping"),
        ("record_id", "\ud800", "surrogate"),
    ],
)
def test_a_filter_that_cannot_be_one_is_named(name: str, value: Any, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        records_filter({name: value})


def test_an_unknown_filter_names_the_nearest() -> None:
    with pytest.raises(InvalidArgument, match="no filter 'recordId'; did you mean 'record_id'"):
        records_filter({"recordId": "r"})
    with pytest.raises(InvalidArgument, match=r"no filter 'xyz'; there are attester, author, .* tags"):
        records_filter({"xyz": "r"})
