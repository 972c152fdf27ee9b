"""The reference packages as live processes: a Node script that answers JSON lines on stdio, or a dwn-server."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio

HERE = Path(__file__).parent
NODE = os.environ.get("WEB5_NODE", "node")
LINE_LIMIT = 64 * 1024 * 1024


class ReferenceError(AssertionError):
    """The reference threw; the message is its stack."""


class ReferenceScript:
    """A script under tests/interop/reference/: `{id, method, params}` lines in, `{id, result | error}` lines out.

    Lines on its stdout that are not such replies are its logs and are ignored.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method of the script; its result, or ReferenceError."""
        call_id = next(self._ids)
        future = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": call_id, "method": method, "params": params}).encode() + b"\n")
        await self._process.stdin.drain()
        return await future

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if not line.startswith(b'{"id":'):
                continue
            reply = json.loads(line)
            future = self._waiting.pop(reply["id"])
            if future.done():
                continue
            if "error" in reply:
                future.set_exception(ReferenceError(reply["error"]))
            else:
                future.set_result(reply.get("result"))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ReferenceError("the reference process ended"))

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader


@asynccontextmanager
async def reference_script(name: str, **env: str) -> AsyncIterator[ReferenceScript]:
    """Run a script under tests/interop/reference/ until the end of the block.

    Parameters:
        env: variables of its environment, besides those of this process.
    """
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(HERE / "reference" / name),
        cwd=HERE,
        env={**os.environ, **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
    )
    script = ReferenceScript(process)
    try:
        yield script
    finally:
        await script.close()


def reference_fixture(name: str, scope: Literal["function", "module", "session"] = "function") -> Any:
    """Make a fixture that runs a script, with an empty folder as REFERENCE_FOLDER, for each test, a module or all."""

    @pytest_asyncio.fixture(scope=scope, loop_scope=scope)
    async def fixture(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReferenceScript]:
        async with reference_script(name, REFERENCE_FOLDER=str(tmp_path_factory.mktemp("reference"))) as script:
            yield script

    return fixture
