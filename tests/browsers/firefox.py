"""Firefox, driven by WebDriver BiDi over a WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.browsers.tab import Browser, ScriptError, Tab

_LISTENS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
PATIENCE = 60.0
"""Seconds in which Firefox has to say where it listens."""
PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


@asynccontextmanager
async def firefox(program: Path, profile: Path) -> AsyncIterator[Browser]:
    """Run Firefox without a window until the end of the block."""
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    options = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
    env = {**os.environ, "HOME": str(profile)}
    process = await asyncio.create_subprocess_exec(str(program), *options, stdout=DEVNULL, stderr=PIPE, env=env)
    draining: asyncio.Task[None] | None = None
    try:
        address = await asyncio.wait_for(_address(process), PATIENCE)
        draining = asyncio.ensure_future(_drain(process))
        async with connect(f"{address}/session", max_size=None, proxy=None, ping_interval=None) as socket:
            session = _Session(socket)
            try:
                await session.command("session.new", {"capabilities": {}})
                yield _Firefox(session)
            finally:
                session.close()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if draining is not None:
            await draining


async def _address(process: Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := _LISTENS.search(line):
            return found[1].decode()
    raise RuntimeError("Firefox ended before it said where it listens")


async def _drain(process: Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(1 << 16):
        pass


class _Session:
    """Commands by their numbers; events are not asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0
        self._reading = asyncio.ensure_future(self._read())

    async def command(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self._last += 1
        waiting = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        return await waiting

    def close(self) -> None:
        self._reading.cancel()

    async def _read(self) -> None:
        async for text in self._socket:
            answer = json.loads(text)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is None or waiting.done():
                continue
            if answer["type"] == "error":
                waiting.set_exception(RuntimeError(f"{answer['error']}: {answer['message']}"))
            else:
                waiting.set_result(answer["result"])
        for waiting in self._waiting.values():
            waiting.cancel()


class _Firefox(Browser):
    def __init__(self, session: _Session) -> None:
        self._session = session

    async def new_tab(self) -> Tab:
        made = await self._session.command("browsingContext.create", {"type": "tab"})
        return _Tab(self._session, made["context"])


class _Tab(Tab):
    def __init__(self, session: _Session, context: str) -> None:
        self._session = session
        self._context = context

    async def run(self, body: str) -> str:
        target = {"context": self._context}
        call = {"functionDeclaration": f"async () => {{ {body} }}", "awaitPromise": True, "target": target}
        answer = await self._session.command("script.callFunction", call)
        if answer["type"] == "exception":
            raise ScriptError(answer["exceptionDetails"]["text"])
        return str(answer["result"]["value"])

    async def goto(self, url: str) -> None:
        await self._session.command(
            "browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"}
        )

    async def reload(self) -> None:
        await self._session.command("browsingContext.reload", {"context": self._context, "wait": "complete"})

    async def close(self) -> None:
        await self._session.command("browsingContext.close", {"context": self._context})
