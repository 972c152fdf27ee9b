"""RemoteDwn against servers that answer as no DWN should, or as only some do."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from web5.cpython.http import HttpxHttp
from web5.dwn.data import DataStream, data_of
from web5.dwn.wire.rpc import MAX_DETAIL, MAX_REPLY_BYTES, MAX_VALUES, encode_reply
from web5.errors import BadReply, BlobMissing, BodyTooLarge, TimedOut, Unreachable
from web5.ports.http import HttpResponse
from web5.remote.dwn import SECONDS, RemoteDwn
from web5.remote.info import ServerInfo, server_info, socket_url

ENDPOINT = "http://dwn.example/node"
MIB = 1 << 20
OK = {"status": {"code": 202, "detail": "Accepted"}}


def http_of(answer) -> HttpxHttp:
    """A network in which every request is answered by `answer(request)`."""
    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    return HttpxHttp(httpx.ASGITransport(Starlette(routes=routes)))


def remote_of(answer) -> RemoteDwn:
    return RemoteDwn(http_of(answer), timeout=5)


def always(*args, **kwargs):
    async def answer(request: Request) -> Response:
        return Response(*args, **kwargs)

    return answer


async def test_what_is_sent():
    seen = {}

    async def answer(request: Request) -> Response:
        seen.update(
            path=request.url.path,
            header=request.headers["dwn-request"],
            type=request.headers.get("content-type"),
            body=await request.body(),
        )
        return Response(encode_reply("1", OK))

    remote = remote_of(answer)
    message = {"descriptor": {"schema": "Grüße, 世界 🦊"}}
    assert await remote.process_message(ENDPOINT, "did:x:y", message, b"data") == OK
    request = json.loads(seen["header"])
    assert seen["header"].isascii()
    assert (request["jsonrpc"], request["method"]) == ("2.0", "dwn.processMessage")
    assert request["params"] == {"target": "did:x:y", "message": message}
    assert (seen["path"], seen["type"], seen["body"]) == ("/node", "application/octet-stream", b"data")
    await remote.process_message(ENDPOINT, "did:x:y", message)
    assert (seen["type"], seen["body"]) == (None, b"")


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_json_rpc_error_is_a_reply(status):
    error = {"jsonrpc": "2.0", "id": "1", "error": {"code": -50401, "message": "not registered"}}
    reply = await remote_of(always(json.dumps(error), status)).process_message(ENDPOINT, "did:x:y", {})
    assert reply == {"status": {"code": 401, "detail": "not registered"}}


async def test_data_comes_as_a_stream_of_the_size_that_the_message_says():
    reply = {"status": {"code": 200, "detail": "OK"}, "entry": {"recordsWrite": {"descriptor": {"dataSize": 9}}}}

    async def answer(request: Request) -> Response:
        async def data():
            for piece in (b"one", b"two", b"six"):
                yield piece

        return StreamingResponse(data(), headers={"dwn-response": encode_reply("1", reply)})

    got = await remote_of(answer).process_message(ENDPOINT, "did:x:y", {})
    data = got["entry"].pop("data")
    assert got == reply
    assert data.size == 9
    assert await data.read() == b"onetwosix"


async def test_reply_in_the_header_without_an_entry():
    remote = remote_of(always(b"", headers={"dwn-response": encode_reply("1", OK)}))
    assert await remote.process_message(ENDPOINT, "did:x:y", {}) == OK


@pytest.mark.parametrize(
    ("status", "body", "headers", "shown"),
    [
        (502, b"<html>Bad Gateway</html>", {}, "502.*Bad Gateway"),
        (200, b"<html>Welcome</html>", {}, "200.*Welcome"),
        (200, b"", {}, "200"),
        (200, b"\xff\xd8 a picture", {}, "a picture"),
        (200, b"the data", {"dwn-response": "nonsense"}, "nonsense"),
        (404, b"Cannot POST /node", {}, "404.*Cannot POST"),
    ],
)
async def test_what_is_no_dwn_is_a_bad_reply_that_shows_it(status, body, headers, shown):
    with pytest.raises(BadReply, match=shown) as caught:
        await remote_of(always(body, status, headers=headers)).process_message(ENDPOINT, "did:x:y", {})
    assert ENDPOINT in str(caught.value)


@pytest.mark.parametrize("status", [413, 429, 431])
async def test_what_a_proxy_says_about_the_message_is_a_reply(status):
    reply = await remote_of(always(b"<html>no</html>", status)).process_message(ENDPOINT, "did:x:y", {})
    assert reply["status"]["code"] == status


class Closing:
    """A server of raw sockets: closes without an answer whenever the headers are over 16 KiB, as Node's may look
    to a browser; else says it is a DWN server."""

    async def __aenter__(self) -> str:
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0, limit=16 * 1024)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_) -> None:
        self.server.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"registrationRequirements":[]}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        except asyncio.LimitOverrunError:
            pass
        finally:
            writer.close()


async def test_too_large_a_header_is_told_from_an_endpoint_that_is_down():
    large = {"descriptor": {"filler": "x" * 40_000}}
    remote = RemoteDwn(HttpxHttp(), timeout=5)
    async with Closing() as endpoint:
        reply = await remote.process_message(endpoint, "did:x:y", large)
        assert reply["status"]["code"] == 431
        assert "40" in reply["status"]["detail"]
    with pytest.raises(Unreachable):
        await remote.process_message(endpoint, "did:x:y", large)


async def test_a_server_may_say_that_of_a_large_header_in_words_of_its_own():
    remote = remote_of(always(b"Invalid HTTP request received.", 400))
    reply = await remote.process_message(ENDPOINT, "did:x:y", {"descriptor": {"filler": "x" * 40_000}})
    assert reply["status"]["code"] == 431
    with pytest.raises(BadReply, match="400"):
        await remote.process_message(ENDPOINT, "did:x:y", {})


@pytest.mark.parametrize(("status", "is_a_reply"), [(431, True), (200, False)])
async def test_an_answer_that_breaks_off_counts_if_its_status_says_all(status, is_a_reply):
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 100\r\n\r\nhalf" % status)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    async with server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        asked = RemoteDwn(HttpxHttp(), timeout=5).process_message(endpoint, "did:x:y", {})
        if is_a_reply:
            assert (await asked)["status"]["code"] == status
        else:
            with pytest.raises(Unreachable):
                await asked


async def test_silence_is_timed_out():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(TimedOut):
            await RemoteDwn(HttpxHttp(), timeout=0.1).process_message(endpoint, "did:x:y", {})


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("http://dwn.example", "/info"),
        ("http://dwn.example/", "/info"),
        ("http://dwn.example/a/dwn0", "/a/dwn0/info"),
        ("http://dwn.example/a/dwn0/", "/a/dwn0/info"),
        ("http://dwn.example/a?tenant=1", "/a/info"),
    ],
)
async def test_info_lies_below_the_endpoint(endpoint, path):
    async def answer(request: Request) -> Response:
        return JSONResponse(
            {
                "registrationRequirements": ["terms-of-service"],
                "maxFileSize": 1000,
                "webSocketSupport": True,
                "somethingNew": 1,
            },
            status_code=200 if request.url.path == path else 404,
        )

    assert await server_info(http_of(answer), endpoint, SECONDS) == ServerInfo(
        registration_requirements=["terms-of-service"], web_socket_support=True, max_file_size=1000
    )


@pytest.mark.parametrize(("body", "status"), [(b"{}", 404), (b"<html>", 200), (b'{"webSocketSupport": []}', 200)])
async def test_info_of_what_is_no_dwn_server(body, status):
    with pytest.raises(BadReply, match=f"{status}"):
        await server_info(http_of(always(body, status)), ENDPOINT, SECONDS)


class Flood(httpx.AsyncBaseTransport):
    """Answers every request with a body of many MiB, and counts how many of them were taken."""

    def __init__(self, mebibytes: int, **headers: str) -> None:
        self.left, self.taken, self.headers = mebibytes, 0, {**headers}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def body():
            for _ in range(self.left):
                self.taken += 1
                yield bytes(MIB)

        return httpx.Response(200, headers=self.headers, stream=Streamed(body()))


class Streamed(httpx.AsyncByteStream):
    def __init__(self, chunks) -> None:
        self._chunks = chunks

    async def __aiter__(self):
        async for chunk in self._chunks:
            yield chunk


async def test_a_reply_without_end_is_read_no_further_than_its_limit():
    flood = Flood(600)
    with pytest.raises(BadReply, match=f"{ENDPOINT} answered 200: .* more than {MAX_REPLY_BYTES} bytes"):
        await RemoteDwn(HttpxHttp(flood)).process_message(ENDPOINT, "did:x:y", {})
    assert flood.taken == MAX_REPLY_BYTES // MIB + 1


async def test_an_info_without_end_is_read_no_further_than_its_limit():
    flood = Flood(600)
    with pytest.raises(BodyTooLarge):
        await server_info(HttpxHttp(flood), ENDPOINT, SECONDS)
    assert flood.taken == 1


async def test_data_of_a_record_is_not_bounded_by_the_limit_of_replies():
    entry = {"recordsWrite": {"descriptor": {"dataSize": 100 * MIB}}}
    reply = encode_reply("1", {"status": {"code": 200, "detail": "OK"}, "entry": entry})
    got = await RemoteDwn(HttpxHttp(Flood(100, **{"dwn-response": reply}))).process_message(ENDPOINT, "did:x:y", {})
    assert sum([len(chunk) async for chunk in got["entry"]["data"]]) == 100 * MIB


async def test_data_that_is_not_wanted_is_given_up():
    entry = {"recordsWrite": {"descriptor": {"dataSize": 5}}}
    reply = encode_reply("1", {"status": {"code": 200, "detail": "OK"}, "entry": entry})
    flood = Flood(100, **{"dwn-response": reply})
    data = data_of(await RemoteDwn(HttpxHttp(flood)).process_message(ENDPOINT, "did:x:y", {}))
    assert data is not None
    await data.close()
    await data.close()
    assert flood.taken == 0


class Stored:
    """Data of three chunks, as a store gives it; counts how often it is opened and how many chunks were taken."""

    def __init__(self, chunk: int = 20_000) -> None:
        self.opened = self.taken = 0
        self.whole = b"".join(bytes([number]) * chunk for number in range(3))
        self._chunk = chunk

    async def __call__(self):
        self.opened += 1
        for start in range(0, len(self.whole), self._chunk):
            self.taken += 1
            yield self.whole[start : start + self._chunk]


async def test_large_data_is_read_while_it_is_sent():
    stored, told, ahead = Stored(), [], []

    async def answer(request: Request) -> Response:
        got = b""
        async for chunk in request.stream():
            got += chunk
            ahead.append(stored.taken - len(got) // 20_000)
        assert got == stored.whole
        assert request.headers["content-length"] == "60000"
        assert "transfer-encoding" not in request.headers
        return Response(encode_reply("1", OK))

    data = DataStream(stored, 60_000)
    assert await remote_of(answer).process_message(ENDPOINT, "did:x:y", {}, data, on_sent=told.append) == OK
    assert max(ahead) == 0
    assert told == [20_000, 40_000, 60_000]


async def test_data_is_read_up_to_the_size_that_its_message_declares():
    """Whoever answers is not trusted to end."""
    assert await DataStream(Stored(), 60_000).read() == Stored().whole
    stored, closed = Stored(), []

    async def close() -> None:
        closed.append(True)

    with pytest.raises(BadReply, match="more than the 20000 bytes"):
        await DataStream(stored, 20_000, close=close).read()
    assert stored.taken == 2 and closed


@pytest.mark.parametrize(("size", "chunk"), [(30_000, 10_000), (None, 20_000)])
async def test_small_data_and_data_of_unknown_size_is_read_first(size, chunk):
    stored = Stored(chunk)

    async def answer(request: Request) -> Response:
        assert stored.taken == 3
        assert int(request.headers["content-length"]) == len(stored.whole)
        assert await request.body() == stored.whole
        return Response(encode_reply("1", OK))

    assert await remote_of(answer).process_message(ENDPOINT, "did:x:y", {}, DataStream(stored, size)) == OK


@pytest.mark.parametrize("data", [None, b"small", "stream"])
@pytest.mark.parametrize("address", ["/moved", "https://other.example/node"])
async def test_a_signed_message_goes_to_no_other_address(data, address):
    asked = []

    async def answer(request: Request) -> Response:
        await request.body()
        asked.append(str(request.url))
        return RedirectResponse(address)  # 307

    body = DataStream(Stored(), 60_000) if data == "stream" else data
    with pytest.raises(Unreachable, match="redirects a POST"):
        await remote_of(answer).process_message(ENDPOINT, "did:x:y", {}, body)
    assert asked == [ENDPOINT]


async def test_data_that_is_gone_is_told_as_that():
    async def gone():
        yield b"x" * 20_000
        raise BlobMissing("it was deleted meanwhile")

    async def answer(request: Request) -> Response:
        await request.body()
        raise AssertionError("it came whole")

    with pytest.raises(BlobMissing):
        await remote_of(answer).process_message(ENDPOINT, "did:x:y", {}, DataStream(gone, 60_000))


# -- bounds ------------------------------------------------------------------------------------------------------------


def read_reply(size, data: bytes):
    """What answers a read with a record of so many bytes, as its message says, and these."""
    reply = {"status": {"code": 200, "detail": "OK"}, "entry": {"recordsWrite": {"descriptor": {"dataSize": size}}}}
    return always(data, headers={"dwn-response": encode_reply("1", reply)})


@pytest.mark.parametrize("written", ["5.0", "5", "50e-1"])
async def test_numbers_are_javascripts(written):
    template = encode_reply(
        "1", {"status": {"code": "CODE"}, "entry": {"recordsWrite": {"descriptor": {"dataSize": "SIZE"}}}}
    )
    text = template.replace('"CODE"', "200.0").replace('"SIZE"', written)
    reply = await remote_of(always(b"12345", headers={"dwn-response": text})).process_message(ENDPOINT, "did:x:y", {})
    assert reply["status"] == {"code": 200, "detail": ""}
    assert (data_of(reply).size, await data_of(reply).read()) == (5, b"12345")


@pytest.mark.parametrize("size", [None, "5", -1, 5.5, True, [], {}])
async def test_data_of_no_size_are_not_read(size):
    with pytest.raises(BadReply):
        await remote_of(read_reply(size, b"12345")).process_message(ENDPOINT, "did:x:y", {})


@pytest.mark.parametrize("code", [True, "200", None, 200.5, [200]])
async def test_a_reply_has_a_status_code(code):
    answer = always(encode_reply("1", {"status": {"code": code, "detail": "OK"}}))
    with pytest.raises(BadReply):
        await remote_of(answer).process_message(ENDPOINT, "did:x:y", {})


@pytest.mark.parametrize(
    "reply",
    [
        {"result": {"reply": {"status": {"code": 400, "detail": "D" * 5_000_000}}}},
        {"error": {"code": -50400, "message": "D" * 5_000_000}},
    ],
)
async def test_details_are_cut(reply):
    answer = always(json.dumps({"jsonrpc": "2.0", "id": "1", **reply}))
    found = await remote_of(answer).process_message(ENDPOINT, "did:x:y", {})
    assert found == {"status": {"code": 400, "detail": "D" * MAX_DETAIL}}


async def test_many_small_values_in_a_reply_are_not_parsed():
    answer = always(b'{"result":{"reply":{"status":{"code":200},"entries":[' + b"{}," * MAX_VALUES + b"{}]}}}")
    with pytest.raises(BadReply):
        await remote_of(answer).process_message(ENDPOINT, "did:x:y", {})


class Drip(HttpResponse):
    """A body that has no end, of a byte now and then; `now` is the time that this takes."""

    def __init__(self, monkeypatch, headers=None) -> None:
        self.url, self.status, self.headers = ENDPOINT, 200, headers or {}
        self.taken, self.closed, self.now = 0, False, 0.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def request(self, *args, **kwargs) -> HttpResponse:
        return self

    async def chunks(self):
        while True:
            self.taken += 1
            self.now += 0.4
            yield b" "

    async def close(self) -> None:
        self.closed = True


async def test_a_reply_that_drips_is_given_up(monkeypatch):
    drip = Drip(monkeypatch)
    with pytest.raises(TimedOut):
        await RemoteDwn(drip, timeout=5).process_message(ENDPOINT, "did:x:y", {})
    assert drip.taken == 13


async def test_data_that_drip_are_given_up(monkeypatch):
    reply = {"status": {"code": 200, "detail": "OK"}, "entry": {"recordsWrite": {"descriptor": {"dataSize": 30_000}}}}
    drip = Drip(monkeypatch, {"dwn-response": encode_reply("1", reply)})
    found = await RemoteDwn(drip, timeout=5).process_message(ENDPOINT, "did:x:y", {})
    with pytest.raises(TimedOut):
        await data_of(found).read()
    assert drip.taken == 13


@pytest.mark.parametrize("names", [["x"] * 21, ["x" * 101], "x"])
async def test_the_names_in_info_are_few_and_short(names):
    with pytest.raises(BadReply):
        await server_info(http_of(always(json.dumps({"registrationRequirements": names}))), ENDPOINT, 5)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://dwn.example/node", "ws://dwn.example/node"),
        ("HTTPS://dwn.example", "wss://dwn.example"),
        ("HTTP://dwn.example:8080/http?http", "ws://dwn.example:8080/http?http"),
    ],
)
def test_the_url_for_websockets(endpoint, url):
    assert socket_url(endpoint) == url


async def test_endpoints_that_nobody_here_chose_are_reached_by_the_guarded_way():
    async def refuse(request: Request) -> Response:
        return Response("not by this way", 403)

    own, guarded = http_of(always(encode_reply("1", OK))), http_of(refuse)
    remote = RemoteDwn(own, None, 5, is_own=lambda tenant, endpoint: tenant == "did:x:me", guarded=(guarded, None))
    assert await remote.process_message(ENDPOINT, "did:x:me", {}) == OK
    with pytest.raises(BadReply, match="403"):
        await remote.process_message(ENDPOINT, "did:x:other", {})
