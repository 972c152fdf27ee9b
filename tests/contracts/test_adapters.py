"""The port contracts on CPython's adapters and on those that live in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contracts import (
    blobs_contract,
    clock_contract,
    database_contract,
    http_contract,
    pages_contract,
    sealer_contract,
    websocket_contract,
)
from tests.contracts.memory_pages import MemoryPages
from web5.cpython.blobs import FileBlobs
from web5.cpython.grouped import open_grouped
from web5.cpython.guard import guarded_http
from web5.cpython.http import HttpxHttp
from web5.cpython.sealer import FileSealer
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn.store.database import Database, open_file, open_memory
from web5.dwn.store.durable.paged import open_paged
from web5.errors import NoWebSocket, Unreachable
from web5.ports.clock import SystemClock


def _id(case: Any) -> str:
    return str(case.__name__).partition("case_")[2]


def _memory_pages() -> pages_contract.Open:
    held: dict[str, dict[int, bytes]] = {}

    async def open_store(name: str) -> MemoryPages:
        return MemoryPages(held=held.setdefault(name, {}))

    return open_store


@pytest.mark.parametrize("case", pages_contract.CASES, ids=_id)
async def test_memory_pages(case: pages_contract.Case) -> None:
    await case(_memory_pages())


@pytest.mark.parametrize("case", [*database_contract.CASES, *database_contract.DURABLE_CASES], ids=_id)
async def test_paged_database(case: database_contract.Case) -> None:
    open_pages = _memory_pages()

    async def open_database(name: str) -> Database:
        return await open_paged(await open_pages(name), name)

    await case(open_database)


@pytest.mark.parametrize("case", [*database_contract.CASES, *database_contract.DURABLE_CASES], ids=_id)
async def test_file_database(case: database_contract.Case, tmp_path: Path) -> None:
    async def open_database(name: str) -> Database:
        return open_file(tmp_path / f"{name}.sqlite")

    await case(open_database)


@pytest.mark.parametrize("case", [*database_contract.CASES, *database_contract.DURABLE_CASES], ids=_id)
async def test_grouped_database(case: database_contract.Case, tmp_path: Path) -> None:
    async def open_database(name: str) -> Database:
        return open_grouped(tmp_path / f"{name}.sqlite")

    await case(open_database)


@pytest.mark.parametrize("case", database_contract.CASES, ids=_id)
async def test_memory_database(case: database_contract.Case) -> None:
    async def open_database(name: str) -> Database:
        return open_memory()

    await case(open_database)


@pytest.mark.parametrize("case", blobs_contract.CASES, ids=_id)
async def test_file_blobs(case: blobs_contract.Case, tmp_path: Path) -> None:
    async def open_store(name: str) -> FileBlobs:
        return FileBlobs(tmp_path / name)

    await case(open_store)


@pytest.mark.parametrize("case", clock_contract.CASES, ids=_id)
async def test_the_machine_s_clock(case: clock_contract.Case) -> None:
    await case(SystemClock())


@pytest.mark.parametrize("case", sealer_contract.CASES, ids=_id)
async def test_file_sealer(case: sealer_contract.Case, tmp_path: Path) -> None:
    async def open_sealer(name: str) -> FileSealer:
        return FileSealer(tmp_path / name)

    await case(open_sealer)


@pytest.mark.parametrize("case", http_contract.CASES, ids=_id)
async def test_httpx_http(case: http_contract.Case, base: str) -> None:
    http = HttpxHttp()
    await case(http, base)
    await http.close()


@pytest.mark.parametrize("case", http_contract.GUARDED_CASES, ids=_id)
async def test_guarded_http(case: http_contract.Case, base: str) -> None:
    http = guarded_http()
    await case(http, base)
    await http.close()


@pytest.mark.parametrize("case", websocket_contract.CASES, ids=_id)
async def test_cpython_websockets(case: websocket_contract.Case, socket_base: str) -> None:
    await case(CPythonWebSockets(), socket_base)


async def test_cpython_connects_where_it_is_told_to_and_nowhere_if_that_is_nowhere(socket_base: str) -> None:
    asked: list[str] = []

    async def locate(url: str) -> str:
        asked.append(url)
        if "private" in url:
            raise OSError("it is no host of the public internet")
        return "127.0.0.1"

    sockets, port = CPythonWebSockets(locate), socket_base.rpartition(":")[2]
    socket = await sockets.connect(f"ws://site.example:{port}/echo")
    await socket.send("hello")
    assert await anext(aiter(socket)) == "hello"
    await socket.close()
    with pytest.raises(Unreachable, match="public internet"):
        await sockets.connect(f"ws://private.example:{port}/echo")
    assert asked == [f"ws://{host}.example:{port}/echo" for host in ("site", "private")]


@pytest.mark.parametrize(
    ("status", "error"), [(200, NoWebSocket), (404, NoWebSocket), (426, NoWebSocket), (503, Unreachable)]
)
async def test_cpython_tells_what_a_server_that_opens_no_websocket_means(
    socket_base: str, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=str(status)):
        await CPythonWebSockets().connect(f"{socket_base}/status/{status}")
