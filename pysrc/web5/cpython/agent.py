"""CPython's composition root of an agent: SQLite and files below one folder, httpx, `cryptography`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from web5.agent.agent import Agent, Platform
from web5.agent.requests.reader import Reader
from web5.agent.schema import COMPONENTS
from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.guard import guarded_http, guarded_sockets
from web5.cpython.http import HttpxHttp
from web5.cpython.lock import sole_use
from web5.cpython.sealer import FileSealer
from web5.cpython.websocket import CPythonWebSockets
from web5.dids.resolver import default_resolver
from web5.dids.web import DidWeb
from web5.dwn.store.database import open_file
from web5.ports.clock import SystemClock
from web5.ports.websocket import WebSockets
from web5.remote.dwn import RemoteDwn
from web5.settings import Progress, ignore_progress
from web5.tasks import to_the_end

DEFAULT_DATA_PATH = Path("DATA") / "AGENT"
"""The folder in which `@web5/user-agent` keeps an agent (src/user-agent.ts, `dataPath`)."""


def store_of(options: Mapping[str, Any]) -> Path:
    """Return the folder that options of `open_agent` name, by one name for each folder."""
    return Path(options.get("data_path", DEFAULT_DATA_PATH)).resolve()


async def open_agent(
    *,
    gateway_uris: Sequence[str],
    on_progress: Progress = ignore_progress,
    data_path: Path | str = DEFAULT_DATA_PATH,
    http: HttpxHttp | None = None,
    sockets: WebSockets | None = None,
    share_sockets: bool = False,
    allow_local: bool = False,
) -> Agent:
    """Open the agent whose data lies in a folder, making the folder if need be.

    Parameters:
        gateway_uris: as `Agent` has it.
        http: another way to the network, for example into ASGI apps of this process; the agent closes it.
        sockets: that way for WebSockets; with another `http`, there are none without it.
        share_sockets: as `Agent` has it.
        allow_local: for development, reach also the hosts of this machine and of its network, and over plain HTTP,
            where strangers name them: did:web, schemas, status lists, other people's DWNs. The person's own DWNs and
            gateways may be anywhere.

    Raises:
        StorageBusy: another process has it open.
        StorageNewer: a newer version of this program wrote what is in it.
    """
    folder = Path(data_path)
    stack = AsyncExitStack()
    try:
        stack.enter_context(sole_use(folder))
        on_progress("store", 0, 1)
        database = open_file(folder / "web5.sqlite")
        stack.push_async_callback(database.close)
        database.check_version(COMPONENTS)
        blobs = FileBlobs(folder / "blobs")
        stack.push_async_callback(blobs.close)
        guarded: tuple[HttpxHttp, WebSockets | None] | None = None
        if http is None:
            http, sockets = HttpxHttp(), sockets or CPythonWebSockets()
            if not allow_local:
                guarded = guarded_http(), guarded_sockets()
        for_others, sockets_for_others = guarded or (http, sockets)
        stack.push_async_callback(http.close)
        stack.push_async_callback(for_others.close)
        platform = Platform(
            database=database,
            blobs=blobs,
            crypto=CPythonCrypto(),
            http=http,
            sockets=sockets,
            guarded=for_others,
            guarded_sockets=sockets_for_others,
            allow_local=allow_local,
            clock=SystemClock(),
            sealer=FileSealer(folder / "device.key"),
            close=stack.aclose,
        )
        agent = Agent(platform, gateway_uris=gateway_uris, share_sockets=share_sockets)
        await agent.open()
    except BaseException:
        await to_the_end(stack.aclose())
        raise
    on_progress("store", 1, 1)
    return agent


def open_reader(*, gateway_uris: Sequence[str], http: HttpxHttp | None = None, allow_local: bool = False) -> Reader:
    """Return a way to others' DWNs for somebody without a DID, who stores nothing.

    Parameters are those of `open_agent`.
    """
    own = http or HttpxHttp()
    others = own if http is not None or allow_local else guarded_http()

    async def close() -> None:
        await own.close()
        await others.close()

    web = DidWeb(others, allow_localhost=allow_local)
    resolver = default_resolver(own, CPythonCrypto(), SystemClock(), *gateway_uris, web=web)
    return Reader(resolver, RemoteDwn(others), SystemClock(), close)
