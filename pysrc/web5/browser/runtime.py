"""The browser's composition root: WebCrypto, IndexedDB, fetch and WebSocket behind the ports, wired once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from urllib.parse import urljoin, urlsplit

from web5.agent.agent import Agent, Platform
from web5.agent.identities import Identity
from web5.agent.requests.reader import Reader
from web5.agent.schema import COMPONENTS
from web5.browser.crypto import BrowserCrypto
from web5.browser.network.guard import GuardedFetchHttp
from web5.browser.network.http import FetchHttp
from web5.browser.network.websocket import BrowserWebSockets
from web5.browser.site import site
from web5.browser.site.site_settings import fetch_settings
from web5.browser.storage.blobs import IndexedDbBlobs
from web5.browser.storage.pages import IndexedDbPages
from web5.browser.storage.preview import PreviewStore
from web5.browser.storage.sealer import DeviceSealer
from web5.browser.storage.settings_memory import SettingsMemory
from web5.browser.tabs.locks import exclusive
from web5.dids.resolver import default_resolver
from web5.dids.web import DidWeb
from web5.dwn.store.durable.paged import open_paged
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn
from web5.settings import Progress, Settings, ignore_progress
from web5.tasks import TaskSet, to_the_end

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts of pages that are being developed; these may request whatever strangers name."""


async def open_agent(
    *, gateway_uris: Sequence[str], on_progress: Progress, name: str = "web5", share_sockets: bool = False
) -> Agent:
    """Open the agent of this origin.

    Parameters:
        gateway_uris: as `Agent` has it.
        name: the store's name; each name is a node of its own.
        share_sockets: as `Agent` has it.

    Raises:
        StorageBusy: another tab is the node.
        StorageNewer: a newer version of this site wrote what is stored.
        StorageError: IndexedDB refused or what it holds is not whole.
    """
    stack = AsyncExitStack()
    try:
        stack.callback(await exclusive(name))
        on_progress("store", 0, 2)
        pages = await IndexedDbPages.open(name)
        stack.push_async_callback(pages.close)
        database, sealer = await open_paged(pages, name), DeviceSealer(name)
        stack.push_async_callback(database.close)
        database.check_version(COMPONENTS)
        blobs = await IndexedDbBlobs.open(name)
        stack.push_async_callback(blobs.close)
        on_progress("store", 1, 2)
        http, sockets, local = FetchHttp(), BrowserWebSockets(), is_local()
        platform = Platform(
            database=database,
            blobs=blobs,
            crypto=BrowserCrypto(),
            http=http,
            sockets=sockets,
            guarded=http if local else GuardedFetchHttp(),
            guarded_sockets=sockets,
            allow_local=local,
            clock=SystemClock(),
            sealer=sealer,
            close=stack.aclose,
        )
        restoring = TaskSet("storing the device's key again failed")
        stack.push_async_callback(restoring.join)

        def restore_key() -> None:
            if database.health.losses:  # whatever took the pages may have taken the key
                restoring.start(sealer.restore())

        database.health.on_changed.append(restore_key)
        agent = Agent(platform, gateway_uris=gateway_uris, share_sockets=share_sockets)
        preview = PreviewStore(name)
        agent.vault.before_change.append(preview.erase)

        async def erase_preview(identity: Identity) -> None:
            await preview.erase()

        agent.identities.on_removed.append(erase_preview)
        await agent.open()
    except BaseException:
        await to_the_end(stack.aclose())
        raise
    on_progress("store", 2, 2)
    return agent


def open_reader(*, gateway_uris: Sequence[str]) -> Reader:
    """Return a way to others' DWNs for somebody without a DID, who stores nothing.

    Parameters:
        gateway_uris: DID DHT gateways, the preferred one first.
    """
    http, local = FetchHttp(), is_local()
    others = http if local else GuardedFetchHttp()

    async def close() -> None:
        """Do nothing: there is nothing to release."""

    web = DidWeb(others, allow_localhost=local)
    resolver = default_resolver(http, BrowserCrypto(), SystemClock(), *gateway_uris, web=web)
    return Reader(resolver, RemoteDwn(others), SystemClock(), close)


async def site_settings(config: str | None = None, on_progress: Progress = ignore_progress) -> Settings:
    """Read the settings of the site, as `fetch_settings` does.

    Parameters:
        config: the URL of the file, which then has to be there; by default it is looked for (`web5.browser.site.site`).
    """
    urls = site.config_urls() if config is None else [urljoin(site.base(), config)]
    required = config is not None
    return await fetch_settings(urls, FetchHttp(), SystemClock(), SettingsMemory(), on_progress, required=required)


def is_local() -> bool:
    """Return True on a page that is being developed."""
    return urlsplit(site.origin()).hostname in LOCAL_HOSTS
