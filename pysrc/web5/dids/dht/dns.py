"""DNS messages (RFC 1035, section 4), the part that did:dht uses: TXT and NS records among the answers.

Names are written uncompressed, as the reference does, and read compressed or not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from web5.errors import DidError

_HEADER = struct.Struct(">6H")
HEADER_BYTES = _HEADER.size
_RECORD = struct.Struct(">HHIH")
_QUESTION_BYTES = 4
_AUTHORITATIVE_RESPONSE = 0x8400
_IN = 1
_NS = 2
_TXT = 16
_LABEL_LIMIT = 63
_NAME_LIMIT = 254
_STRING_LIMIT = 255
_POINTER = 0xC0


@dataclass(frozen=True)
class Txt:
    """A TXT record.

    Parameters:
        name: labels with dots between, without the last dot.
        text: all strings of the record, joined.
        ttl: seconds.
    """

    name: str
    text: str
    ttl: int


@dataclass(frozen=True)
class Ns:
    """An NS record: the name server `host` is authoritative for `name`."""

    name: str
    host: str
    ttl: int


def encode_message(records: Sequence[Txt | Ns]) -> bytes:
    """Encode an authoritative response with these answers.

    Raises:
        DidError: invalidDidDocument, a label of a name is empty or longer than 63 bytes, or a text is not Unicode;
            invalidDidDocumentLength, a record or their number is beyond 65,535.
    """
    try:
        header = _HEADER.pack(0, _AUTHORITATIVE_RESPONSE, 0, len(records), 0, 0)
        return header + b"".join(map(_encode_record, records))
    except UnicodeEncodeError as error:
        raise DidError("invalidDidDocument", f"a text for a DNS record is not Unicode: {error.reason}") from error
    except struct.error as error:
        raise DidError("invalidDidDocumentLength", f"this is too large for a DNS message: {error}") from error


def is_name(text: str) -> bool:
    """Return True if DNS can carry the text as a name."""
    try:
        return all(0 < len(label) <= _LABEL_LIMIT for label in _labels(text))
    except UnicodeEncodeError:
        return False


def decode_message(message: bytes) -> list[Txt]:
    """Return the TXT records among the answers; other records are ignored.

    Raises:
        DidError: invalidDidDocument, the bytes are no DNS message.
    """
    try:
        return list(_decode_answers(message))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise DidError("invalidDidDocument", f"not a DNS message: {error}") from error


def _encode_record(record: Txt | Ns) -> bytes:
    if isinstance(record, Txt):
        kind, data = _TXT, _encode_text(record.text)
    else:
        kind, data = _NS, _encode_name(record.host)
    return _encode_name(record.name) + _RECORD.pack(kind, _IN, record.ttl, len(data)) + data


def _decode_answers(message: bytes) -> Iterable[Txt]:
    _, _, questions, answers, _, _ = _HEADER.unpack_from(message)
    at = _HEADER.size
    for _ in range(questions):
        _, at = _decode_name(message, at)
        at += _QUESTION_BYTES
    for _ in range(answers):
        name, at = _decode_name(message, at)
        kind, _, ttl, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        data = message[at : at + length]
        if len(data) != length:
            raise IndexError("a record ends behind the message's end")
        at += length
        if kind == _TXT:
            yield Txt(name, _decode_text(data), ttl)


def _labels(name: str) -> list[bytes]:
    return [label.encode() for label in name.removesuffix(".").split(".")]


def _encode_name(name: str) -> bytes:
    if not is_name(name):
        raise DidError("invalidDidDocument", f"{name!r} cannot be a DNS name: a label has 1 to {_LABEL_LIMIT} bytes")
    return b"".join(bytes([len(label)]) + label for label in _labels(name)) + b"\0"


def _decode_name(message: bytes, at: int) -> tuple[str, int]:
    """Return a name and the offset of its end. Pointers may only lead backwards, so there is always an end."""
    labels: list[str] = []
    size = 0
    end = None
    floor = at
    while length := message[at]:
        if length & _POINTER == _POINTER:
            target = (length & ~_POINTER) << 8 | message[at + 1]
            end = at + 2 if end is None else end
            if target >= floor:
                raise IndexError("a name points forwards")
            at = floor = target
            continue
        if length > _LABEL_LIMIT:
            raise IndexError("a label has an unknown kind")
        size += length + 1
        label = message[at + 1 : at + 1 + length]
        if len(label) != length or size > _NAME_LIMIT:
            raise IndexError("a name is too long")
        labels.append(label.decode())
        at += 1 + length
    return ".".join(labels), at + 1 if end is None else end


def _encode_text(text: str) -> bytes:
    """Split a text into strings of at most 255 bytes, never within a character: the reference decodes each alone."""
    data = text.encode()
    strings: list[bytes] = []
    start = 0
    while start < len(data) or not strings:
        end = min(start + _STRING_LIMIT, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        strings.append(bytes([end - start]) + data[start:end])
        start = end
    return b"".join(strings)


def _decode_text(data: bytes) -> str:
    strings = []
    at = 0
    while at < len(data):
        string = data[at + 1 : at + 1 + data[at]]
        if len(string) != data[at]:
            raise IndexError("a string ends behind its record's end")
        strings.append(string)
        at += 1 + len(string)
    return b"".join(strings).decode()
