"""A reference `@web5/dwn-server` as a live process, for tests that need a remote which is not ours."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

import httpx

from web5.crypto.proof_of_work import bound_for
from web5.node.registration import RegistrationSettings

HERE = Path(__file__).parent
NODE = os.environ.get("WEB5_NODE", "node")
START_SECONDS = 60.0


Step = Literal["put", "append", "delete"]
"""What it does for a write, in this order: stores the message, lists it, deletes each message that it supersedes (but
an initial write is put again)."""


class ReferenceDwnServer:
    """One server with a data directory and a port; both stay the same through `kill` and `restart`.

    Use it as an async context manager: entering starts it, leaving kills it.

    Parameters:
        data_dir: where its SQLite files and its `server.log` go; made if need be.
        gateway_url: the DID DHT gateway it resolves did:dht through; None: it resolves no did:dht.
        registration: what it demands of its tenants; None: nothing.
        database: the URL of a PostgreSQL database in the place of its SQLite files; `wipe` leaves it as it is.
    """

    def __init__(
        self,
        data_dir: Path,
        gateway_url: str | None = None,
        registration: RegistrationSettings | None = None,
        database: str | None = None,
    ) -> None:
        self._data_dir = Path(data_dir)
        self._database = database
        self._gateway_url = gateway_url
        self.registration = registration
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its DWN endpoint, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """What it has printed since its first start."""
        path = self._data_dir / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def start(self) -> None:
        """Start it and return once it answers /health; AssertionError with its log if it does not."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PORT": str(self._port), "DATA_DIR": str(self._data_dir.resolve())}
        if self._database:
            # Its word for it; and it wants a host, also of one that is reached through a socket.
            environment["DATABASE"] = self._database.replace("postgresql://", "postgres://").replace(
                "@/", "@localhost/"
            )
        if self._gateway_url:
            environment["GATEWAY_URL"] = self._gateway_url
        if self.registration is not None:
            environment |= self._demanding(self.registration)
        with (self._data_dir / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                NODE,
                str(HERE / "reference" / "dwn-server.mjs"),
                cwd=HERE,
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                self._port = await self._announced_port(self._process)
                async with httpx.AsyncClient(trust_env=False) as client:
                    (await client.get(f"{self.url}/health")).raise_for_status()
        except BaseException as error:
            await self.kill()
            raise AssertionError(f"the reference dwn-server did not start: {error!r}\n{self.log}") from error

    def _demanding(self, registration: RegistrationSettings) -> dict[str, str]:
        """The variables of its `src/config.ts`."""
        environment = {"REGISTRATION": "yes"}
        if registration.terms is not None:
            path = self._data_dir.resolve() / "terms.txt"
            path.write_text(registration.terms, encoding="utf-8")
            environment["DWN_TERMS_OF_SERVICE_FILE_PATH"] = str(path)
        if registration.hashes:
            environment["DWN_REGISTRATION_PROOF_OF_WORK_ENABLED"] = "true"
            environment["DWN_REGISTRATION_PROOF_OF_WORK_INITIAL_MAX_HASH"] = f"{bound_for(registration.hashes):064X}"
        return environment

    @staticmethod
    async def _announced_port(process: asyncio.subprocess.Process) -> int:
        assert process.stdout is not None
        async for line in process.stdout:
            word, _, port = line.decode().strip().partition(" ")
            if word == "listening":
                return int(port)
        raise RuntimeError(f"it ended with status {await process.wait()}")

    async def kill(self) -> None:
        """End it at once, as a crash would. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.communicate()

    async def die_before(self, step: Step, nth: int = 1) -> None:
        """Have it killed in the middle of a write: just before it does this step, for the nth time from now on."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{step} {nth}\n".encode())
        assert await self._process.stdout.readline() == b"armed\n"

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def died(self) -> None:
        """Return once it has ended, of whatever."""
        assert self._process is not None
        await self._process.wait()

    async def restart(self) -> None:
        """Kill it if it runs, and start it on the same data and port."""
        await self.kill()
        await self.start()

    async def wipe(self) -> None:
        """Kill it and start it again with nothing stored."""
        await self.kill()
        for path in self._data_dir.glob("*.sqlite*"):
            path.unlink()
        await self.start()

    async def __aenter__(self) -> ReferenceDwnServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        if error is not None and self.log:
            print(f"--- {self.url} ---\n{self.log}", file=sys.stderr)


@asynccontextmanager
async def reference_dwn_server(
    gateway_url: str | None = None, *, data_dir: Path, database: str | None = None
) -> AsyncIterator[str]:
    """The endpoint URL of a fresh server, for tests that need not break it; else use `ReferenceDwnServer`."""
    async with ReferenceDwnServer(data_dir, gateway_url, database=database) as server:
        yield server.url
