"""Clients who stop in the middle, more of them than there are connections to PostgreSQL: nobody else waits for them."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from tests.contracts.postgres.test_processes import CLOCK, Node
from tests.contracts.postgres.test_processes import nodes as nodes
from tests.unit.dwn.persons import Person, person
from web5.dwn import compose
from web5.dwn.wire import rpc

MANY = 20
GIANT = bytes(16_000_000)
"""Data that no socket's buffers have room for."""

PATIENCE = 12
"""Seconds; those who stop have more before they are cut."""


def _head(whose: Person, message: Any, length: int) -> bytes:
    return (
        f"POST / HTTP/1.1\r\nhost: localhost\r\n{rpc.REQUEST_HEADER}: {rpc.encode_request(whose.did, message, '1')}\r\n"
        f"content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


async def _stopping(stack: ExitStack, node: Node, sent: bytes) -> asyncio.StreamReader:
    """A client that sends so much and takes nothing."""
    parts = urlsplit(node.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1024)
    stack.callback(lambda: writer.transport.abort())  # which also keeps it, and so the connection
    writer.write(sent)
    await writer.drain()
    return reader


async def _others_are_served(node: Node, whose: Person) -> None:
    async with asyncio.timeout(PATIENCE):
        for _ in range(5):
            assert await node.write(whose, b"small") is not None
            entries, _ = await node.log(whose)
            assert entries


async def test_uploads_that_stop(nodes: tuple[Node, Node]) -> None:
    slow, other = await person(), await person()
    with ExitStack() as stack:
        for _ in range(MANY):
            message = await compose.records_write(slow.signer, CLOCK, data=GIANT, data_format="text/plain")
            await _stopping(stack, nodes[0], _head(slow, message, len(GIANT)) + GIANT[:500_000])
        await _others_are_served(nodes[0], other)
        await _others_are_served(nodes[0], slow)


async def test_downloads_that_are_not_taken(nodes: tuple[Node, Node]) -> None:
    slow, other = await person(), await person()
    message = await compose.records_write(slow.signer, CLOCK, data=GIANT, data_format="text/plain")
    assert (await nodes[0].send(slow.did, message, GIANT))["status"]["code"] == 202
    with ExitStack() as stack:
        for _ in range(MANY):
            read = await compose.records_read(slow.signer, CLOCK, filter={"recordId": message["recordId"]})
            reader = await _stopping(stack, nodes[0], _head(slow, read, 0))
            assert b"200 OK" in await reader.readuntil(b"\r\n")
        await _others_are_served(nodes[0], other)
        await _others_are_served(nodes[0], slow)
