"""The choice of the composition root for this interpreter: the browser's or CPython's."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

from web5.agent.agent import Agent
from web5.errors import InvalidArgument
from web5.settings import Progress, Settings, ignore_progress

OPTIONS = frozenset(
    {"name", "share_sockets"}
    if sys.platform == "emscripten"
    else {"data_path", "http", "sockets", "share_sockets", "allow_local"}
)
"""The options of this platform's `open_agent`."""


async def default_settings(on_progress: Progress = ignore_progress) -> Settings:
    """Return the site's settings in a browser, the built-in ones on CPython.

    Where a first launch cannot fetch the site's, it waits until it can.

    Parameters:
        on_progress: called with ("settings", failures, 0) each time that they could not be fetched.

    Raises:
        SettingsError: the site's cannot be used.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import site_settings

        return await site_settings(on_progress)
    return Settings()


async def open_agent(*, gateway_uris: Sequence[str], on_progress: Progress = ignore_progress, **options: Any) -> Agent:
    """Open this platform's agent.

    Parameters:
        gateway_uris: DID DHT gateways, the preferred one first.

    Raises:
        InvalidArgument: there is no gateway.
        StorageBusy: another tab or process is the node.
        StorageNewer: a newer version of this program wrote what is stored.
        StorageError: the store cannot be opened.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import open_agent as open_in_browser

        return await open_in_browser(gateway_uris=gateway_uris, on_progress=on_progress, **options)
    from web5.cpython.agent import open_agent as open_on_cpython

    return await open_on_cpython(gateway_uris=gateway_uris, on_progress=on_progress, **options)


def from_javascript(value: Any) -> Any:
    """Return a JavaScript value as record data: a File or Blob as a source, a buffer as bytes, the rest as JSON.

    What is no JavaScript value is returned as it is.
    """
    if sys.platform == "emscripten":
        from web5.browser.files import from_javascript as convert

        return convert(value)
    return value


async def js_blob(chunks: AsyncIterator[bytes], media_type: str | None) -> Any:
    """Return a JavaScript Blob of these chunks.

    Raises:
        InvalidArgument: this is no browser.
    """
    if sys.platform == "emscripten":
        from web5.browser.files import blob

        return await blob(chunks, media_type)
    raise InvalidArgument("There are Blobs in browsers only; use data.bytes() or data.stream().")
