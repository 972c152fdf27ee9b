"""WebKitGTK's MiniBrowser on a screen in memory, driven by WebDriver over HTTP."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.browser.processes import free_port
from tests.browsers.tab import Browser, ScriptError, Tab

PATIENCE = 60.0
"""Seconds in which the driver has to answer."""
SCRIPT_MS = 600_000
_ASYNC = """const done = arguments[arguments.length - 1];
(async () => {{ {body} }})().then((text) => done({{ text }}), (error) => done({{ error: `${{error}}` }}));"""


@asynccontextmanager
async def webkit(driver: Path, program: Path, screen: Path, folder: Path) -> AsyncIterator[Browser]:
    """Run MiniBrowser until the end of the block.

    Parameters:
        driver: WebKitWebDriver.
        program: MiniBrowser.
        screen: Xvfb.
        folder: for what it keeps.
    """
    async with _display(screen) as display:
        port = free_port()
        env = {**os.environ, "DISPLAY": display, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        options = {"stdout": DEVNULL, "stderr": DEVNULL, "env": env, "start_new_session": True}
        process = await asyncio.create_subprocess_exec(str(driver), f"--port={port}", **options)
        base = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=base, timeout=None, trust_env=False) as client:
                await asyncio.wait_for(_answers(client), PATIENCE)
                session = await _Session.begin(client, program)
                try:
                    yield _WebKit(session)
                finally:
                    await session.end()
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def _display(screen: Path) -> AsyncIterator[str]:
    """A screen that nobody sees; its name for `DISPLAY`."""
    reading, writing = os.pipe()
    command = [str(screen), "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL, pass_fds=[writing])
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{(await asyncio.to_thread(told.readline)).strip()}"
    finally:
        process.terminate()
        await process.wait()


async def _answers(client: httpx.AsyncClient) -> None:
    while True:
        try:
            await client.get("/status")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            return


class _Session:
    """One command after the other: a tab is chosen first, and then asked."""

    def __init__(self, client: httpx.AsyncClient, path: str) -> None:
        self._client = client
        self._path = path
        self._turn = asyncio.Lock()
        self._chosen: str | None = None

    @classmethod
    async def begin(cls, client: httpx.AsyncClient, program: Path) -> _Session:
        options = {"binary": str(program), "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options, "timeouts": {"script": SCRIPT_MS}}
        answer = await client.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
        return cls(client, f"/session/{_value(answer)['sessionId']}")

    async def end(self) -> None:
        await self._client.delete(self._path)

    async def new_tab(self) -> str:
        async with self._turn:
            made = await self._post("window/new", {"type": "tab"})
            return str(made["handle"])

    async def command(self, tab: str, method: str, name: str, body: Mapping[str, Any] | None = None) -> Any:
        async with self._turn:
            if self._chosen != tab:
                await self._post("window", {"handle": tab})
                self._chosen = tab
            if method == "DELETE":
                self._chosen = None
                return _value(await self._client.delete(f"{self._path}/{name}"))
            return await self._post(name, body or {})

    async def _post(self, name: str, body: Mapping[str, Any]) -> Any:
        return _value(await self._client.post(f"{self._path}/{name}", json=body))


def _value(answer: httpx.Response) -> Any:
    value = answer.json()["value"]
    if answer.is_error:
        raise RuntimeError(f"{value['error']}: {value['message']}")
    return value


class _WebKit(Browser):
    def __init__(self, session: _Session) -> None:
        self._session = session

    async def new_tab(self) -> Tab:
        return _Tab(self._session, await self._session.new_tab())


class _Tab(Tab):
    def __init__(self, session: _Session, handle: str) -> None:
        self._session = session
        self._handle = handle

    async def run(self, body: str) -> str:
        script = {"script": _ASYNC.format(body=body), "args": []}
        answer = await self._session.command(self._handle, "POST", "execute/async", script)
        if "error" in answer:
            raise ScriptError(answer["error"])
        return str(answer["text"])

    async def goto(self, url: str) -> None:
        await self._session.command(self._handle, "POST", "url", {"url": url})

    async def reload(self) -> None:
        await self._session.command(self._handle, "POST", "refresh")

    async def close(self) -> None:
        await self._session.command(self._handle, "DELETE", "window")
