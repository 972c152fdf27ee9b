"""DNS messages: the wire format of RFC 1035, compression, and hostile bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dids.dht.dns import Ns, Txt, decode_message, decode_strictly, encode_message, is_name
from web5.errors import DidError

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-é", min_size=1, max_size=30)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
TXT = st.builds(Txt, NAME, st.text(max_size=600).filter(lambda text: _encodable(text)), st.integers(0, 2**32 - 1))


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _message(body: bytes, *, questions: int = 0, answers: int = 1) -> bytes:
    return struct.pack(">6H", 7, 0x8400, questions, answers, 0, 0) + body


def _record(name: bytes, text: bytes, kind: int = 16) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 60, len(text)) + text


def test_the_bytes_of_a_small_message() -> None:
    assert encode_message([Txt("_k0._did", "t=0", 7200), Ns("_did.x", "gw.", 1)]) == (
        b"\0\0\x84\0\0\0\0\x02\0\0\0\0"
        b"\x03_k0\x04_did\0\0\x10\0\x01\0\0\x1c\x20\0\x04\x03t=0"
        b"\x04_did\x01x\0\0\x02\0\x01\0\0\0\x01\0\x04\x02gw\0"
    )


@given(st.lists(TXT, max_size=5))
def test_records_survive(records: list[Txt]) -> None:
    assert decode_message(encode_message(records)) == records


def test_other_records_and_questions_are_passed_over() -> None:
    question = b"\x01q\0\0\x10\0\x01"
    body = question + _record(b"\x01a\0", b"\x01\x02\x03\x04", kind=1) + _record(b"\x01t\0", b"\x02ab\x01c")
    assert decode_message(_message(body, questions=1, answers=2)) == [Txt("t", "abc", 60)]


def test_compressed_names() -> None:
    first = _record(b"\x03_k0\x04_did\0", b"\x01a")
    second = _record(b"\x03_k1\xc0\x10", b"\x01b")
    third = _record(b"\xc0\x0c", b"\x01c")
    names = [record.name for record in decode_message(_message(first + second + third, answers=3))]
    assert names == ["_k0._did", "_k1._did", "_k0._did"]


def test_long_text_is_cut_between_characters() -> None:
    text = "x" * 254 + "é" * 200
    message = encode_message([Txt("a", text, 0)])
    data = message[message.index(b"x") - 1 :]
    strings = []
    while data:
        strings.append(data[1 : 1 + data[0]].decode())
        data = data[1 + data[0] :]
    assert "".join(strings) == text and len(strings[0]) == 254


@pytest.mark.parametrize(
    "message",
    [
        b"",
        bytes(11),
        _message(b""),
        _message(b"\x05ab"),
        _message(_record(b"\xc0\x0c", b"")),  # a pointer to itself
        _message(_record(b"\x01a\xc0\x0c", b"")),  # a loop
        _message(_record(b"\xc0\xff", b"")),  # forwards
        _message(  # on and on, if never in a circle
            _record(b"\x01a\0", b"".join(b"\xc0" + bytes([12 if n < 1 else 23 + 2 * n]) for n in range(40)), kind=1)
            + _record(b"\xc0" + bytes([25 + 2 * 39]), b"\x01a"),
            answers=2,
        ),
        _message(_record(b"\x80a\0", b"")),  # an unknown kind of label
        _message(_record(b"\x01a" * 200 + b"\0", b"")),  # a name without end
        _message(_record(b"\x01a\0", b"\x05ab")),  # a string longer than its record
        _message(_record(b"\x01a\0", b"\x02\xff\xfe")),  # not UTF-8
        _message(_record(b"\x01a\0", b"\x01a")[:-1]),  # cut
        _message(b"\x01q\0", questions=9, answers=0),
    ],
)
def test_hostile_bytes_are_a_did_error(message: bytes) -> None:
    with pytest.raises(DidError) as refused:
        decode_message(message)
    assert refused.value.code == "invalidDidDocument"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_a_did_error(body: bytes) -> None:
    for message in (body, _message(body, answers=3)):
        try:
            decode_message(message)
        except DidError as error:
            assert error.code == "invalidDidDocument"


def test_names_that_dns_cannot_carry() -> None:
    assert is_name("https://gateway.example.com/dht/") and is_name("a" * 63)
    for name in ("", ".", "a..b", "a" * 64, "http://localhost/" + "x" * 60):
        assert not is_name(name)
        with pytest.raises(DidError):
            encode_message([Txt(name, "", 0)])


@given(st.lists((TXT | st.builds(Ns, NAME, NAME, st.just(1))).filter(lambda record: record.ttl < 2**31), max_size=5))
def test_records_survive_strict_reading(records: list[Txt | Ns]) -> None:
    assert decode_strictly(encode_message(records)) == records


@pytest.mark.parametrize(
    "message",
    [
        _message(b"", answers=0) + b"\0",  # trailing bytes
        _message(_record(b"\x01a\0", b"\x01a") + b"\0"),
        _message(_record(b"\x01a\0", b"\x01a"), answers=0),
        struct.pack(">6H", 7, 0x8400, 0, 0, 1, 0) + _record(b"\x01a\0", b"\x01a"),  # an authority
        struct.pack(">6H", 7, 0x8400, 0, 0, 0, 1) + _record(b"\x01a\0", b"\x01a"),  # something additional
        struct.pack(">6H", 7, 0x0100, 0, 0, 0, 0),  # a query
        struct.pack(">6H", 7, 0x8403, 0, 0, 0, 0),  # NXDOMAIN
        _message(b"\x01q\0\0\x10\0\x01", questions=1, answers=0),
        _message(_record(b"\x01a\0", b"\x01\x02\x03\x04", kind=1)),  # an A record
        _message(_record(b"\x01a\0", b"")),  # no string at all
        _message(_record(b"\x01a\0", b"\x01b\0xyz", kind=2)),  # bytes after the name of a server
        _message(_record(b"\x01a\0", b"\x03b", kind=2) + b"cd\0"),  # a name longer than its record
        _message(b"\x01a\0" + struct.pack(">HHIH", 16, 3, 60, 2) + b"\x01a"),  # another class
        _message(b"\x01a\0" + struct.pack(">HHIH", 16, 1, 2**31, 2) + b"\x01a"),  # a negative TTL
        _message(_record(b"\xc0\x02", b"\x01a")),  # a pointer into the header
        _message(_record(b"\x03a.b\0", b"\x01a")),  # one label that passes for two
    ],
)
def test_what_is_no_authoritative_answer_to_its_last_byte(message: bytes) -> None:
    with pytest.raises(DidError) as refused:
        decode_strictly(message)
    assert refused.value.code == "invalidDidDocument"
