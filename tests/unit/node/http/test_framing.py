"""The reader of request boundaries, byte by byte and all at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.node.http.framing import MOST_FIELDS, Framing

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x:80\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
)
OLD = b"GET / HTTP/1.0\r\n\r\n"


def fed(framing: Framing, data: bytes) -> bytes:
    """What is good of all the requests that bytes have."""
    good = b""
    while data:
        some, data = framing.feed(data)
        good += some
    return good


def with_fields(*fields: bytes, first=b"POST / HTTP/1.1", rest=b"") -> bytes:
    return b"\r\n".join((first, b"Host: x", *fields, b"", rest))


@given(st.lists(st.sampled_from([GET, POST, CHUNKED, OLD]), max_size=4), st.data())
def test_requests_pass_unchanged_however_they_are_cut(requests, data):
    stream = b"".join(requests)
    framing, good = Framing(200), b""
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        good += fed(framing, stream[:size])
        stream = stream[size:]
    assert good == b"".join(requests)
    assert framing.refusal is None
    assert framing.is_between_requests


def test_a_request_is_read_and_what_follows_it_is_not():
    framing = Framing(200)
    assert framing.feed(CHUNKED + GET + POST) == (CHUNKED, GET + POST)
    assert framing.feed(POST[:-1]) == (POST[:-1], b"")
    assert framing.feed(b"c" + GET) == (b"c", GET)


def test_nothing_of_an_incomplete_head_or_line_passes():
    framing = Framing(200)
    line = CHUNKED.index(b"A\r\n")
    assert fed(framing, CHUNKED[: line + 2]) == CHUNKED[:line]
    assert fed(framing, CHUNKED[line + 2 : line + 6]) == CHUNKED[line : line + 6]
    framing = Framing(200)
    assert fed(framing, GET[:-1]) == b""
    assert not framing.is_between_requests


BAD = {
    "bare LF": GET.replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "one bare LF": with_fields(b"a: b\nc: d"),
    "bare CR": with_fields(b"a: b\rc: d"),
    "folded line": with_fields(b"a: b", b" c"),
    "folded with a tab": with_fields(b"a: b", b"\tc"),
    "blank before the colon": with_fields(b"Content-Length : 0"),
    "no colon": with_fields(b"a"),
    "empty name": with_fields(b": a"),
    "NUL": with_fields(b"a: \x00"),
    "two lengths": with_fields(b"Content-Length: 3", b"content-length: 3", rest=b"abc"),
    "a list of lengths": with_fields(b"Content-Length: 3, 3", rest=b"abc"),
    "length with a sign": with_fields(b"Content-Length: +3", rest=b"abc"),
    "length in hex": with_fields(b"Content-Length: 0x3", rest=b"abc"),
    "negative length": with_fields(b"Content-Length: -1"),
    "no length": with_fields(b"Content-Length:"),
    "length of many digits": with_fields(b"Content-Length: " + b"0" * 15 + b"3", rest=b"abc"),
    "length and coding": with_fields(b"Content-Length: 3", b"Transfer-Encoding: chunked", rest=b"0\r\n\r\n"),
    "two codings": with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", rest=b"0\r\n\r\n"),
    "a list of codings": with_fields(b"Transfer-Encoding: gzip, chunked", rest=b"0\r\n\r\n"),
    "another coding": with_fields(b"Transfer-Encoding: identity"),
    "coding with a control character": with_fields(b"Transfer-Encoding: \x0bchunked", rest=b"0\r\n\r\n"),
    "coding in HTTP/1.0": with_fields(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0", rest=b"0\r\n\r\n"),
    "chunk extension": with_fields(b"Transfer-Encoding: chunked", rest=b"3;a=b\r\nabc\r\n0\r\n\r\n"),
    "blank after a chunk's size": with_fields(b"Transfer-Encoding: chunked", rest=b"3 \r\nabc\r\n0\r\n\r\n"),
    "chunk line without CR": with_fields(b"Transfer-Encoding: chunked", rest=b"3\nabc\r\n0\r\n\r\n"),
    "chunk longer than its size": with_fields(b"Transfer-Encoding: chunked", rest=b"3\r\nabcd\r\n0\r\n\r\n"),
    "chunk of 2**80 bytes": with_fields(b"Transfer-Encoding: chunked", rest=b"1" + b"0" * 20 + b"\r\nabc\r\n"),
    "chunk size without end": with_fields(b"Transfer-Encoding: chunked", rest=b"0" * 100),
    "trailers": with_fields(b"Transfer-Encoding: chunked", rest=b"0\r\na: b\r\n\r\n"),
    "body of an upgrade": with_fields(b"Upgrade: websocket", b"Content-Length: 3", rest=b"abc"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": with_fields(b"Host: y"),
    "host that is none": b'GET / HTTP/1.1\r\nHost: x/"><script>\r\n\r\n',
    "host with credentials": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "HTTP/2.0": with_fields(first=b"GET / HTTP/2.0"),
    "no version": with_fields(first=b"GET /"),
    "two blanks": with_fields(first=b"GET  / HTTP/1.1"),
    "a target with a blank": with_fields(first=b"GET /a b HTTP/1.1"),
    "a target in UTF-8": with_fields(first="GET /é HTTP/1.1".encode()),
    "a target with a fragment": with_fields(first=b"GET /a#b HTTP/1.1"),
    "a target that is no path": with_fields(first=b"GET a HTTP/1.1"),
    "the target of a proxy": with_fields(first=b"GET http://x/ HTTP/1.1"),
    "the target of a tunnel": with_fields(first=b"CONNECT x:80 HTTP/1.1"),
    "an empty line first": b"\r\n" + GET,
    "TLS": bytes.fromhex("16030100") + b"\r\n\r\n",
}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("stream", BAD.values(), ids=BAD)
def test_what_is_ambiguous_is_refused_and_nothing_after_it_read(stream, at_once):
    framing = Framing(400)
    for piece in [stream] if at_once else [stream[i : i + 1] for i in range(len(stream))]:
        fed(framing, piece)
    assert framing.refusal == 400
    assert fed(framing, GET) == b""


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * 400, with_fields(*[b"a: b"] * MOST_FIELDS), b"x" * 401]
)
def test_heads_are_bounded(head):
    framing = Framing(400 if len(head) < 600 else 10_000)
    framing.feed(head)
    assert framing.refusal == 431


@pytest.mark.parametrize("method", [b"BREW", b"get", b"CONNECT", b"PROPFIND"])
def test_a_method_that_there_is_not_is_refused(method):
    framing = Framing(400)
    assert framing.feed(with_fields(first=method + b" / HTTP/1.1")) == (b"", b"")
    assert framing.refusal == 501


def test_the_longest_head_passes():
    for more in (0, 1):
        framing = Framing(len(GET))
        framing.feed(GET.replace(b": x", b": " + b"x" * (1 + more)))
        assert framing.refusal == (431 if more else None)
