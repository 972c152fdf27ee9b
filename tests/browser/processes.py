"""Servers as real processes, started and stopped by the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import IO

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds in which a server must answer, on a busy machine."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A Python program that listens on a port.

    Parameters:
        command: what `python` is given.
        health: the URL that answers 200 once it is up.
        data: the folder in which it keeps everything, if it does.
        says: the file for what it prints; by default ours.
    """

    def __init__(self, command: list[str], health: str, data: Path | None = None, says: IO[str] | None = None) -> None:
        self._data = data
        self._says = says
        self._command = command
        self._health = health
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it, and return once it answers."""
        path = os.pathsep.join(filter(None, [str(ROOT / "pysrc"), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._command, env=environment, stdout=self._says
        )
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as client:
            while not await self._answers(client):
                assert self._process.returncode is None, f"{self._command} ended with {self._process.returncode}"

    async def stop(self) -> None:
        """End it as an operator would, and return once it is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def lose_everything(self) -> None:
        """Start it anew with nothing stored, as after the loss of its disk."""
        assert self._data is not None
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self._data)
        await self.start()

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(self._health)).status_code == 200
        except httpx.TransportError:
            # Nothing tells that a port is listened on, so it must be asked again and again.
            await asyncio.sleep(0.05)
            return False


def embedded(port: int, site: Path, data: Path) -> Server:
    """The embedded default: the site, two nodes and the gateway."""
    where = ["--port", str(port), "--site", str(site), "--data", str(data)]
    serve = ["-m", "web5.node", "serve", "--paths", "/dwn0,/dwn1", *where]
    return Server(serve, f"http://127.0.0.1:{port}/config.json")


def remote_node(port: int, data: Path, gateway: str, terms: Path | None = None, *, invited: bool = False) -> Server:
    """A node on a machine of its own, so to speak; with `terms`, a file, it wants its tenants registered.

    Parameters:
        invited: True: it takes those who were invited alone.
    """
    program = str(ROOT / "tests" / "browser" / "remote_node.py")
    command = [program, "--port", str(port), "--data", str(data), "--gateway", gateway]
    command += ["--terms", str(terms)] if terms else []
    return Server([*command, *(["--invited"] if invited else [])], node_health(port), data)


def node_health(port: int) -> str:
    return f"http://127.0.0.1:{port}/dwn/health"


def plain_files(port: int, folder: Path) -> Server:
    """Any static server: Python's own."""
    serve = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    return Server(serve, f"http://127.0.0.1:{port}/")
