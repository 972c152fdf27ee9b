"""An S3 server for the tests: `moto_server` of PyPI's moto, a process of its own that speaks S3 over HTTP.

It keeps objects in memory, and checks no signatures; what a real store adds, durability above all, it does not show.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.browser.processes import free_port

BUCKET = "blobs"
KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}
PATIENCE = 60.0


class S3Server:
    """A server that is started, and ended, by whoever makes it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, prefix: str = "") -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.endpoint}"

    def start(self) -> None:
        """Start it with an empty bucket, and return once it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **KEYS}
        )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.put(f"{self.endpoint}/{BUCKET}", trust_env=False).raise_for_status()
                return
            except httpx.TransportError:
                assert self._process.poll() is None and time.monotonic() < until
                time.sleep(0.05)

    def uploads(self) -> int:
        """The multipart uploads that nobody has completed or given up."""
        answer = httpx.get(f"{self.endpoint}/{BUCKET}?uploads", trust_env=False)
        return answer.text.count("<UploadId>")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server until the end of the block, and its keys in the environment."""
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(KEYS)
    server = S3Server()
    try:
        yield server
    finally:
        server.kill()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Way:
    """A way to a server, which can be closed and opened again, as the server's being away and back.

    Attributes:
        holding: set once something was held up.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.StreamWriter] = set()
        self._forth: int | None = None
        self._back: int | None = None
        self.holding, self._released = asyncio.Event(), asyncio.Event()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)

    def hold(self, *, forth: int | None = None, back: int | None = None) -> None:
        """Let only so many bytes more through, to the server or back from it, until `release`."""
        self._forth, self._back = forth, back
        self.holding, self._released = asyncio.Event(), asyncio.Event()

    def release(self) -> None:
        self._forth = self._back = None
        self._released.set()

    async def close(self) -> None:
        """Cut all connections, and take no new ones."""
        assert self._server is not None
        self._server.close()
        for writer in self._ways:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        self._ways |= {writer, forth}
        await asyncio.gather(self._copy(reader, forth, "_forth"), self._copy(back, writer, "_back"))
        self._ways -= {writer, forth}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: str) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                if (left := getattr(self, room)) is not None:
                    if left < len(piece):
                        self.holding.set()
                        await self._released.wait()
                    else:
                        setattr(self, room, left - len(piece))
                writer.write(piece)
                await writer.drain()
        writer.close()
