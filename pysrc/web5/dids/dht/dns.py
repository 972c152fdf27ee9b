"""DNS messages (RFC 1035, section 4), the part that did:dht uses: TXT and NS records among the answers.

Names are written uncompressed, as the reference does, and read compressed or not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

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
_JUMPS = 8
_TTL_LIMIT = 2**31


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
    with _malformed():
        return list(_decode_answers(BytesIO(message)))


def decode_strictly(message: bytes) -> list[Txt | Ns]:
    """Return the answers of a message that is an authoritative response with TXT and NS records, and nothing besides.

    Raises:
        DidError: invalidDidDocument, it is something else.
    """
    with _malformed():
        stream = BytesIO(message)
        _, flags, questions, answers, authorities, additional = _HEADER.unpack(_take(stream, HEADER_BYTES))
        if flags != _AUTHORITATIVE_RESPONSE or questions or authorities or additional:
            raise ValueError("it is no authoritative response with answers alone")
        records = [_decode_record(stream) for _ in range(answers)]
        if stream.read(1):
            raise ValueError("there are bytes after its end")
        return records


@contextmanager
def _malformed() -> Iterator[None]:
    try:
        yield
    except (struct.error, EOFError, ValueError) as error:
        raise DidError("invalidDidDocument", f"not a DNS message: {error}") from error


def _encode_record(record: Txt | Ns) -> bytes:
    if isinstance(record, Txt):
        kind, data = _TXT, _encode_text(record.text)
    else:
        kind, data = _NS, _encode_name(record.host)
    return _encode_name(record.name) + _RECORD.pack(kind, _IN, record.ttl, len(data)) + data


def _decode_answers(message: BytesIO) -> Iterator[Txt]:
    _, _, questions, answers, _, _ = _HEADER.unpack(_take(message, _HEADER.size))
    for _ in range(questions):
        _decode_name(message)
        _take(message, _QUESTION_BYTES)
    for _ in range(answers):
        name = _decode_name(message)
        kind, _, ttl, length = _RECORD.unpack(_take(message, _RECORD.size))
        data = _take(message, length)
        if kind == _TXT:
            yield Txt(name, _decode_text(BytesIO(data)), ttl)


def _decode_record(stream: BytesIO) -> Txt | Ns:
    name = _decode_name(stream)
    kind, dns_class, ttl, length = _RECORD.unpack(_take(stream, _RECORD.size))
    end = stream.tell() + length
    if dns_class != _IN or ttl >= _TTL_LIMIT or not length:
        raise ValueError("a record has an impossible class, TTL or length")
    if kind == _TXT:
        return Txt(name, _decode_text(BytesIO(_take(stream, length))), ttl)
    if kind != _NS:
        raise ValueError(f"there is a record of type {kind}")
    host = _decode_name(stream)
    if stream.tell() != end:
        raise ValueError("the name of a server is not as long as it says")
    return Ns(name, host, ttl)


def _take(stream: BytesIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError(f"it ends {size - len(data)} bytes too early")
    return data


def _labels(name: str) -> list[bytes]:
    return [label.encode() for label in name.removesuffix(".").split(".")]


def _encode_name(name: str) -> bytes:
    if not is_name(name):
        raise DidError("invalidDidDocument", f"{name!r} cannot be a DNS name: a label has 1 to {_LABEL_LIMIT} bytes")
    return b"".join(bytes([len(label)]) + label for label in _labels(name)) + b"\0"


def _decode_name(message: BytesIO) -> str:
    labels: list[bytes] = []
    end = None
    floor, jumps = message.tell(), 0
    while length := _take(message, 1)[0]:
        if length & _POINTER == _POINTER:
            target = (length & ~_POINTER) << 8 | _take(message, 1)[0]
            end = message.tell() if end is None else end
            jumps += 1
            if not HEADER_BYTES <= target < floor or jumps > _JUMPS:  # so that there is always an end, and soon
                raise ValueError("a name points forwards, into the header, or on and on")
            floor = message.seek(target)
        elif length > _LABEL_LIMIT:
            raise ValueError("a label has an unknown kind")
        else:
            labels.append(_take(message, length))
            if b"." in labels[-1]:
                raise ValueError("a label has a dot, so that it would pass for two")
            if sum(map(len, labels)) + len(labels) > _NAME_LIMIT:
                raise ValueError("a name is too long")
    if end is not None:
        message.seek(end)
    return b".".join(labels).decode()


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


def _decode_text(data: BytesIO) -> str:
    strings = []
    while length := data.read(1):
        strings.append(_take(data, length[0]))
    return b"".join(strings).decode()
