"""Which composition root this interpreter needs: the browser's or CPython's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from web5.agent.agent import Agent

Progress = Callable[[str, int, int], None]

DEFAULT_GATEWAY = "https://diddht.tbddev.org"
"""The gateway that `@web5/dids` is built with (src/methods/did-dht.ts); a site's config.json names a living one."""


class Settings(BaseModel):
    """What a site or machine sets for every app on it (`config.json` of a site).

    Parameters:
        did_dht_gateways: URLs of DID DHT gateways, the preferred one first.
        did_dht_gateway: the same for a single one, which is preferred to those.
    """

    dwn_endpoints: list[str] = []
    did_dht_gateways: list[str] = []
    did_dht_gateway: str | None = None

    @property
    def gateways(self) -> list[str]:
        """All of them; where none is set, the reference's."""
        return join_gateways(self.did_dht_gateway, self.did_dht_gateways) or [DEFAULT_GATEWAY]


def join_gateways(one: str | None, several: Sequence[str] | None) -> list[str]:
    """Gateways that may be given as one or as several, in one list, the preferred one first."""
    return [*([one] if one else ()), *(several or ())]


def no_progress(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


async def default_settings() -> Settings:
    """The site's settings in a browser; built-in ones on CPython."""
    if sys.platform == "emscripten":
        from web5.browser.runtime import site_settings

        return await site_settings()
    return Settings()


async def open_agent(*, gateway_uris: Sequence[str], on_progress: Progress = no_progress, **options: Any) -> Agent:
    """Open this platform's agent.

    Parameters:
        gateway_uris: DID DHT gateways, the preferred one first.

    Raises:
        InvalidArgument: there is no gateway.
        StorageBusy: another tab or process is the node.
        StorageError: the store cannot be opened.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import open_agent as open_in_browser

        return await open_in_browser(gateway_uris=gateway_uris, on_progress=on_progress, **options)
    from web5.node.agent import open_agent as open_on_cpython

    return await open_on_cpython(gateway_uris=gateway_uris, on_progress=on_progress, **options)
