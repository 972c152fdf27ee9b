"""Replies are bounded in bytes, and what is not read is not kept: against the node's own server."""

import asyncio
import dataclasses
import json
from pathlib import Path

import httpx
import pytest

from tests.asgi_sockets import AsgiWebSockets
from tests.served import served
from tests.unit.node.nodes import LIMITS, Served, clock
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn import compose
from web5.dwn.wire import rpc
from web5.node import server
from web5.node.limits import LEAST_REPLY, Limits, Usage

DATA = 20_000
COUNT = 12
SCHEMA = "https://pub.example/"
LIMIT = 60
REPLY = 100_000


@pytest.fixture
async def nodes(tmp_path: Path, monkeypatch):
    """Nodes with some records, and a server whose use is known."""
    made: list[Usage] = []
    monkeypatch.setattr(server, "Usage", lambda limits: made.append(Usage(limits)) or made[-1])
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, reply=REPLY, unread=2 * REPLY))
    [nodes.usage] = made
    for number in range(COUNT):
        data = b"%05d" % number + b"x" * DATA
        message = await compose.records_write(
            nodes.signer, clock, data=data, data_format="x/y", published=True, schema=SCHEMA
        )
        reply = await nodes.remote.process_message("http://server/dwn0", nodes.did, message, data)
        assert reply["status"]["code"] == 202
    return nodes


def unsigned_query(**more):
    return compose.records_query(None, clock, filter={"schema": SCHEMA}, **more)


async def pages(nodes, ask):
    """All pages of what `ask(pagination)` makes the message of."""
    found, cursor = [], None
    while True:
        message = await ask({} if cursor is None else {"cursor": cursor})
        response = await nodes.post(headers={"dwn-request": rpc.encode_request(nodes.did, message)})
        reply = rpc.parse_response(response.content)
        assert reply["status"]["code"] == 200, reply
        found.append((reply["entries"], len(response.content)))
        if (cursor := reply.get("cursor")) is None or not reply["entries"]:
            return found


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("sort", ["createdAscending", "createdDescending", "publishedDescending"])
@pytest.mark.parametrize("limit", [None, 5])
async def test_a_query_gives_what_there_is_room_for_and_a_cursor_for_the_rest(nodes, signed, sort, limit):
    signer = nodes.signer if signed else None

    def ask(pagination):
        whole = pagination | ({} if limit is None else {"limit": limit})
        return compose.records_query(
            signer, clock, filter={"schema": SCHEMA}, date_sort=sort, **({"pagination": whole} if whole else {})
        )

    found = await pages(nodes, ask)
    assert all(size < REPLY + 1000 for _, size in found)
    assert [len(entries) for entries, _ in found][:2] == [3, 3]
    ids = [entry["recordId"] for entries, _ in found for entry in entries]
    assert len(ids) == len(set(ids)) == COUNT
    dates = [entry["descriptor"]["dateCreated"] for entries, _ in found for entry in entries]
    assert dates == sorted(dates, reverse="Descending" in sort)


async def test_one_record_that_is_larger_than_the_room_comes_alone(nodes):
    nodes.usage.replies.take("", 10 * REPLY)
    tags = {"long": "x" * LEAST_REPLY}
    for _ in range(2):
        message = await compose.records_write(
            nodes.signer, clock, data=b"x", data_format="x/y", schema="urn:long", tags=tags
        )
        assert (await nodes.dwns["/dwn0"].process_message(nodes.did, message, b"x"))["status"]["code"] == 202
    found = await pages(
        nodes,
        lambda pages: compose.records_query(
            nodes.signer, clock, filter={"schema": "urn:long"}, **({"pagination": pages} if pages else {})
        ),
    )
    assert [len(entries) for entries, _ in found] == [1, 1]


async def test_updates_count_with_their_initial_writes(nodes):
    long = {"long": "x" * 15_000}
    for _ in range(12):
        first = await compose.records_write(
            nodes.signer, clock, data=b"x", data_format="x/y", schema="urn:updated", tags=long
        )
        await nodes.dwns["/dwn0"].process_message(nodes.did, first, b"x")
        update = await compose.records_write(nodes.signer, clock, existing=first, data=b"y", tags={"a": "b"})
        assert (await nodes.dwns["/dwn0"].process_message(nodes.did, update, b"y"))["status"]["code"] == 202
    found = await pages(
        nodes,
        lambda pages: compose.records_query(
            nodes.signer, clock, filter={"schema": "urn:updated"}, **({"pagination": pages} if pages else {})
        ),
    )
    assert all(size < REPLY + 1000 for _, size in found)
    assert sum(len(entries) for entries, _ in found) == 12


async def test_a_log_comes_in_parts_that_follow_by_the_cursor_it_always_had(nodes):
    dwn = nodes.dwns["/dwn0"]
    whole = (await dwn.process_message(nodes.did, await compose.messages_query(nodes.signer, clock)))["entries"]
    listed, cursor = [], None
    for _ in range(COUNT // 5 + 2):
        query = await compose.messages_query(nodes.signer, clock, cursor=cursor)
        reply = await dwn.process_message(nodes.did, query, room=lambda: 5 * 62)
        assert len(reply["entries"]) <= 5
        listed += reply["entries"]
        cursor = reply.get("cursor", cursor)
    assert listed == whole
    assert len(whole) == COUNT


async def test_protocols_that_do_not_fit_can_be_asked_for_one_by_one(nodes):
    dwn = nodes.dwns["/dwn0"]
    names = [f"https://example.org/{number}" for number in range(5)]
    for name in names:
        definition = {"protocol": name, "published": True, "types": {"a": {}}, "structure": {"a": {}}}
        await dwn.process_message(
            nodes.did, await compose.protocols_configure(nodes.signer, clock, definition=definition)
        )
    query = await compose.protocols_query(nodes.signer, clock)
    reply = await dwn.process_message(nodes.did, query, room=lambda: 2500)
    assert 0 < len(reply["entries"]) < 5
    assert reply["cursor"]["messageCid"]
    assert "cursor" not in await dwn.process_message(nodes.did, query)
    one = await compose.protocols_query(nodes.signer, clock, protocol=names[-1])
    [entry] = (await dwn.process_message(nodes.did, one, room=lambda: 1))["entries"]
    assert entry["descriptor"]["definition"]["protocol"] == names[-1]


async def test_replies_over_http_that_are_not_read_make_the_next_ones_smaller(nodes):
    """Twelve clients ask and read nothing; what is kept for them is bounded, and everybody goes on being answered."""
    async with served(nodes.app) as url:
        port, header = int(url.rpartition(":")[2]), rpc.encode_request(nodes.did, await unsigned_query())
        request = f"POST /dwn0 HTTP/1.1\r\nHost: x\r\ndwn-request: {header}\r\nContent-Length: 0\r\n\r\n".encode()
        taken = asyncio.Event()
        largest, take = 0, nodes.usage.replies.take

        def watched(address, amount=1):
            nonlocal largest
            give_back = take(address, amount)
            largest = max(largest, nodes.usage.limits.unread - nodes.usage.replies.left(address))
            answered.append(amount)
            if len(answered) == 12:
                taken.set()
            return give_back

        answered: list[int] = []
        nodes.usage.replies.take = watched
        writers = []
        for _ in range(12):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.transport.pause_reading()
            writer.write(request)
            writers.append(writer)
        async with asyncio.timeout(LIMIT):
            await taken.wait()
        assert max(answered) < REPLY + 1000
        assert largest < 2 * REPLY + 12 * (LEAST_REPLY + 1000)
        for writer in writers:
            writer.transport.abort()
    assert nodes.usage.replies.left("127.0.0.1") == 2 * REPLY


async def test_answers_over_a_socket_that_are_not_taken_make_the_next_ones_smaller(nodes):
    socket = await AsgiWebSockets(nodes.app).connect("ws://server/dwn0")
    socket.reads.clear()
    sizes: list[int] = []
    take, all_taken = nodes.usage.replies.take, asyncio.Event()

    def watched(address, amount=1):
        sizes.append(amount)
        if len(sizes) == 16:
            all_taken.set()
        return take(address, amount)

    nodes.usage.replies.take = watched
    for number in range(40):
        await socket.send(rpc.encode_request(nodes.did, await unsigned_query(), str(number)))
    async with asyncio.timeout(LIMIT):
        await all_taken.wait()
    assert [size > LEAST_REPLY + 1000 for size in sizes] == [True] * 2 + [False] * 14
    socket.reads.set()
    texts = aiter(socket)
    async with asyncio.timeout(LIMIT):
        answers = [json.loads(await anext(texts)) for _ in range(40)]
    assert {answer["id"] for answer in answers} == {str(number) for number in range(40)}
    assert all(answer["result"]["reply"]["cursor"] for answer in answers)
    for _ in range(3):
        await socket.send(rpc.encode_request(nodes.did, await unsigned_query()))
    socket.break_off()
    async with asyncio.timeout(LIMIT):
        await socket.serving
    assert nodes.usage.replies.left("") == 2 * REPLY


async def test_a_whole_reply_goes_through_a_real_socket(nodes):
    async with served(nodes.app) as url:
        socket = await CPythonWebSockets().connect(f"{url.replace('http', 'ws')}/dwn0")
        texts = aiter(socket)
        for _ in range(3):
            await socket.send(rpc.encode_request(nodes.did, await unsigned_query(), "1"))
            answer = json.loads(await anext(texts))
            assert len(answer["result"]["reply"]["entries"]) == 3
        await socket.close()


@pytest.mark.parametrize("proxies", [(), ("127.0.0.1",), ("127.0.0.0/8",), ("10.0.0.1",)])
async def test_whose_a_reply_is_a_proxy_says_and_nobody_else(nodes, proxies):
    taken: list[str] = []
    take = nodes.usage.replies.take
    nodes.usage.replies.take = lambda address, amount: taken.append(address) or take(address, amount)
    header = {"dwn-request": rpc.encode_request(nodes.did, await unsigned_query()), "x-forwarded-for": "1.2.3.4"}
    async with served(nodes.app, proxies=proxies) as url, httpx.AsyncClient() as client:
        await client.post(f"{url}/dwn0", headers=header)
    assert taken == ["1.2.3.4" if proxies and proxies[0].startswith("127.") else "127.0.0.1"]


def test_the_defaults_leave_room():
    limits = Limits()
    assert limits.reply <= limits.unread <= limits.unread_altogether
