"""Requests in a body: the first bytes, and the media type."""

from __future__ import annotations

import pytest

from web5.dwn.wire.rpc_body import BODY_V1, CONTENT_TYPE, HEAD_BYTES, MalformedBody, encode_head, framing_of, parse_head


def test_the_first_bytes() -> None:
    """As the later server writes and reads them: flags, then the length, most significant byte first."""
    assert encode_head(b"{}", has_data=False) == b"\x00\x00\x00\x00\x02{}"
    assert encode_head(b"x" * 300, has_data=True)[:HEAD_BYTES] == b"\x01\x00\x00\x01\x2c"


@pytest.mark.parametrize(("size", "has_data"), [(0, False), (5, True), (2**32 - 1, True)])
def test_they_are_read_as_they_were_written(size: int, has_data: bool) -> None:
    assert parse_head(bytes([has_data]) + size.to_bytes(4, "big")) == (size, has_data)


@pytest.mark.parametrize("head", [b"", b"\x00\x00\x00\x00", b"\x02\x00\x00\x00\x02", b"\xff\x00\x00\x00\x02"])
def test_what_is_no_beginning(head: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_head(head)


@pytest.mark.parametrize(
    ("content_type", "framing"),
    [
        (CONTENT_TYPE, BODY_V1),
        ('Application/Vnd.Enbox.DWN-RPC; charset=utf-8; VERSION="1"', BODY_V1),
        ("application/vnd.enbox.dwn-rpc;version=1", BODY_V1),
        ("application/vnd.enbox.dwn-rpc", ""),
        ("application/vnd.enbox.dwn-rpc; version=2", ""),
        ("application/vnd.enbox.dwn-rpc; version=1; version=1", ""),
        ('application/vnd.enbox.dwn-rpc; version="1', ""),
        ("application/vnd.enbox.dwn-rpc; version=1=x", ""),
        ("application/octet-stream", None),
        ("", None),
        (None, None),
    ],
)
def test_the_media_type(content_type: str | None, framing: str | None) -> None:
    assert framing_of(content_type) == framing
