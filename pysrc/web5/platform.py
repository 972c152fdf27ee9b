"""Which composition root this interpreter needs: the browser's or CPython's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from web5.agent.agent import Agent

Progress = Callable[[str, int, int], None]

DEFAULT_GATEWAY = "https://diddht.tbddev.org"
"""The gateway that `@web5/dids` is built with (src/methods/did-dht.ts); a site's config.json names a living one."""


class Settings(BaseModel):
    """What a site or machine sets for every app on it (`config.json` of a site)."""

    dwn_endpoints: list[str] = []
    did_dht_gateway: str = DEFAULT_GATEWAY


def no_progress(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


async def default_settings() -> Settings:
    """The site's settings in a browser; built-in ones on CPython."""
    if sys.platform == "emscripten":
        from web5.browser.runtime import site_settings

        return await site_settings()
    return Settings()


async def open_agent(*, gateway_uri: str, on_progress: Progress = no_progress, **options: Any) -> Agent:
    """Open this platform's agent.

    Raises:
        StorageBusy: another tab or process is the node.
        StorageError: the store cannot be opened.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import open_agent as open_in_browser

        return await open_in_browser(gateway_uri=gateway_uri, on_progress=on_progress, **options)
    from web5.node.agent import open_agent as open_on_cpython

    return await open_on_cpython(gateway_uri=gateway_uri, on_progress=on_progress, **options)
