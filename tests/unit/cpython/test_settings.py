"""The settings of a machine, from a file or a server that really runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from web5.cpython.settings import machine_settings
from web5.errors import SettingsError, Unreachable
from web5.settings import MOST_BYTES, Settings

GOOD = b'{"dwn_endpoints": ["https://node.example"], "did_dht_gateways": ["https://dht.example"]}'
READ = Settings(dwn_endpoints=["https://node.example"], did_dht_gateways=["https://dht.example"])


async def test_without_a_name_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB5_CONFIG", raising=False)
    assert await machine_settings() == Settings()
    monkeypatch.setenv("WEB5_CONFIG", "")
    assert await machine_settings() == Settings()


async def test_a_file_is_read_by_its_path_which_counts_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_bytes(GOOD)
    monkeypatch.setenv("WEB5_CONFIG", str(tmp_path / "another.json"))
    assert await machine_settings(str(tmp_path / "config.json")) == READ
    with pytest.raises(SettingsError, match=r"another\.json: it cannot be read"):
        await machine_settings()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b" " * (MOST_BYTES + 1), "64 KiB"),
        (b"[]", "no object"),
        (b'{"dwn_endpoints": ["dwn0"]}', "'dwn0' is not a URL"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, body: bytes, said: str) -> None:
    (tmp_path / "config.json").write_bytes(body)
    with pytest.raises(SettingsError, match=said):
        await machine_settings(str(tmp_path / "config.json"))


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """A server that has /config.json, and /large.json, which does not end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        bodies = {b"/config.json": b'{"dwn_endpoints": ["dwn0"]}', b"/large.json": b"[" * (MOST_BYTES + 1)}
        body = bodies.get(path)
        status = b"404 Not Found" if body is None else b"200 OK"
        head = b"HTTP/1.1 " + status + b"\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body or b"")
        writer.write(head + (body or b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_file_is_fetched_by_its_url_to_which_others_are_relative(origin: str) -> None:
    assert await machine_settings(f"{origin}/config.json") == Settings(dwn_endpoints=[f"{origin}/dwn0"])
    with pytest.raises(SettingsError, match="answers 404"):
        await machine_settings(f"{origin}/another.json")
    with pytest.raises(SettingsError, match="64 KiB"):
        await machine_settings(f"{origin}/large.json")
    with pytest.raises(Unreachable):
        await machine_settings("http://127.0.0.1:9/config.json")
