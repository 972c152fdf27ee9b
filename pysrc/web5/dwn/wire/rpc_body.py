"""JSON-RPC requests in the body of an HTTP request, in front of the record's data, for both ends.

A header has room for 4 to 16 KiB, by who reads it on the way; a body has room for all of a message. `GET /info` says by
`httpRpcFraming` that a node reads such bodies: a byte of flags, the length of the JSON in four bytes, most significant
first, the JSON, and the data if the flag for it is set. Replies are the same as ever (`rpc`). It is a later server's
wire, that of Enbox, which `@web5/dwn-server` 0.6.1 does not speak.
"""

from __future__ import annotations

import struct

BODY_V1 = "body-v1"
"""The name of this framing in `/info`."""

MEDIA_TYPE = "application/vnd.enbox.dwn-rpc"
CONTENT_TYPE = f"{MEDIA_TYPE}; version=1"

HEAD_BYTES = 5
MAX_ENVELOPE_BYTES = 1024 * 1024
"""Bytes of JSON that this framing allows."""

_DATA_FOLLOWS = 1
_HEAD = struct.Struct(">BI")


class MalformedBody(ValueError):
    """A body that is not framed as its type says."""


def encode_head(envelope: bytes, *, has_data: bool) -> bytes:
    """Return the first bytes of a body, the envelope included; the data follow, if there are any."""
    return _HEAD.pack(_DATA_FOLLOWS if has_data else 0, len(envelope)) + envelope


def parse_head(head: bytes) -> tuple[int, bool]:
    """Return the length of the envelope that follows the first `HEAD_BYTES` bytes, and whether data follow that.

    Raises:
        MalformedBody: there are too few, or flags among them that have no meaning.
    """
    if len(head) < HEAD_BYTES:
        raise MalformedBody("the body ends before its message")
    flags, length = _HEAD.unpack(head)
    if flags & ~_DATA_FOLLOWS:
        raise MalformedBody(f"the body has flags that are unknown here: {flags}")
    return length, bool(flags & _DATA_FOLLOWS)


def framing_of(content_type: str | None) -> str | None:
    """Return `BODY_V1` for its media type, None for any other, and "" for another version of it, or none."""
    media_type, *parameters = [part.strip() for part in (content_type or "").split(";")]
    if media_type.lower() != MEDIA_TYPE:
        return None
    versions = [value for name, _, value in (one.partition("=") for one in parameters) if name.lower() == "version"]
    return BODY_V1 if versions in (["1"], ['"1"']) else ""
