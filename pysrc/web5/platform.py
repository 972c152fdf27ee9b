"""The choice of the composition root for this interpreter: the browser's or CPython's."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from web5.agent.agent import Agent
from web5.agent.leases import Lease, leased, other_option
from web5.agent.requests.reader import Reader
from web5.archive.local_files import open_sink, open_source
from web5.errors import InvalidArgument
from web5.ports.files import ByteSink, ByteSource
from web5.settings import Progress, Settings, checked_settings, ignore_progress

OPTIONS = frozenset(
    {"name", "share_sockets"}
    if sys.platform == "emscripten"
    else {"data_path", "http", "sockets", "share_sockets", "allow_local"}
)
"""The options of this platform's `open_agent`."""


Config = Settings | Mapping[str, Any] | str | os.PathLike[str]
"""Settings, or what `config.json` has as a dict, or the URL (on CPython also the path) of such a file."""


async def settings_of(config: Config | None = None, on_progress: Progress = ignore_progress) -> Settings:
    """Return settings that an app has given, or where it gave none, the site's or the machine's.

    In a browser, a site whose file cannot be fetched is waited for on a first launch; later its last one counts.

    Parameters:
        config: by default the config.json of the site that the page or worker belongs to; on CPython the file that the
            environment variable WEB5_CONFIG names. Where there is none, nothing is set.
        on_progress: called with ("settings", failures, 0) each time that a site's could not be fetched.

    Raises:
        InvalidArgument: `config` is none of these.
        SettingsError: they cannot be used, or the file that was named is not there.
        Unreachable, TimedOut: on CPython, nobody answers under the URL that was named.
    """
    if isinstance(config, Settings):
        config = config.model_dump()
    named = None if config is None or isinstance(config, Mapping) else _named(config)
    if sys.platform == "emscripten":
        from web5.browser.runtime import site_settings
        from web5.browser.site import site

        if isinstance(config, Mapping):
            return checked_settings(config, site.base())
        return await site_settings(named, on_progress)
    from web5.cpython.settings import machine_settings

    return checked_settings(config, "config") if isinstance(config, Mapping) else await machine_settings(named)


def _named(config: object) -> str:
    try:
        named = os.fspath(config)  # type: ignore[call-overload]
    except TypeError:
        named = None
    if not isinstance(named, str) or not named:
        raise InvalidArgument(
            f"config={config!r:.100} has to be a Settings, a dict as config.json has it, or the path or URL of such a"
            f" file, not {type(config).__name__}."
        )
    return named


async def open_agent(*, gateway_uris: Sequence[str], on_progress: Progress = ignore_progress, **options: Any) -> Agent:
    """Open this platform's agent.

    Parameters:
        gateway_uris: as `Agent` has it.

    Raises:
        StorageBusy: another tab or process is the node.
        StorageNewer: a newer version of this program wrote what is stored.
        StorageError: the store cannot be opened.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import open_agent as open_in_browser

        return await open_in_browser(gateway_uris=gateway_uris, on_progress=on_progress, **options)
    from web5.cpython.agent import open_agent as open_on_cpython

    return await open_on_cpython(gateway_uris=gateway_uris, on_progress=on_progress, **options)


@asynccontextmanager
async def leased_agent(
    *,
    gateway_uris: Sequence[str] | None,
    default_gateway_uris: Sequence[str],
    on_progress: Progress = ignore_progress,
    **options: Any,
) -> AsyncIterator[Lease]:
    """Yield a lease of the agent that this interpreter has open for the store, or opens now.

    In a browser, the agent may be in another tab, worker or cell of the origin.

    While the block runs, nobody else in this interpreter gets the agent.

    Parameters:
        gateway_uris: as `open_agent` has it; None: as the open agent has it, or else the default. An open agent
            that has none takes these.

    Raises:
        InvalidArgument: the open agent has other options.
        StorageError: as `open_agent`.
    """
    gateways = list(default_gateway_uris if gateway_uris is None else gateway_uris)
    named = {name: value for name, value in options.items() if name not in ("name", "data_path")}
    used = {"share_sockets": False, "allow_local": False, **named}

    async def open_() -> Agent:
        if sys.platform == "emscripten":
            from web5.browser.tabs.shared import open_shared_agent

            return await open_shared_agent(gateway_uris=gateways, on_progress=on_progress, **options)
        return await open_agent(gateway_uris=gateways, on_progress=on_progress, **options)

    async with leased(_store(options), named, used, open_) as lease:
        if gateway_uris is not None:
            _use_gateways(lease.agent, gateways)
        yield lease


def _use_gateways(agent: Agent, uris: Sequence[str]) -> None:
    now = list(agent.gateways.uris)
    if now and now != list(uris):
        raise other_option("did_dht_gateways", list(uris), now)
    agent.use_gateways(uris)


def _store(options: dict[str, Any]) -> Hashable:
    if sys.platform == "emscripten":
        return options.get("name", "web5")
    from web5.cpython.agent import store_of

    return store_of(options)


async def open_reader(*, gateway_uris: Sequence[str], **options: Any) -> Reader:
    """Return this platform's way to others' DWNs for somebody without a DID.

    Parameters:
        gateway_uris: DID DHT gateways, the preferred one first.

    Raises:
        InvalidArgument: there is no such option.
    """
    if sys.platform == "emscripten":
        from web5.browser.runtime import open_reader as open_in_browser

        return open_in_browser(gateway_uris=gateway_uris)
    from web5.cpython.agent import open_reader as open_on_cpython

    return open_on_cpython(gateway_uris=gateway_uris, **options)


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


async def byte_source(source: Any) -> ByteSource:
    """Return a file to read: a path, a binary file object, or in a browser a File, Blob or FileSystemFileHandle.

    Raises:
        InvalidArgument: it is none of these, or cannot be read.
    """
    if sys.platform == "emscripten":
        from web5.browser.archive_files import js_source

        if (found := await js_source(source)) is not None:
            return found
    if isinstance(source, str | os.PathLike):
        return await open_source(Path(source))
    if hasattr(source, "read") and hasattr(source, "seek"):
        return await open_source(source)
    raise InvalidArgument(f"An archive is read from a path or a binary file object, not from {type(source).__name__}.")


async def byte_sink(target: Any) -> ByteSink:
    """Return a file to write: a path, a binary file object, or in a browser a file handle, a stream or a new Blob.

    Raises:
        InvalidArgument: it is none of these, or cannot be written.
    """
    if sys.platform == "emscripten":
        from web5.browser.archive_files import js_sink

        if (found := await js_sink(target)) is not None:
            return found
    if isinstance(target, str | os.PathLike):
        return await open_sink(Path(target))
    if hasattr(target, "write"):
        return await open_sink(target)
    raise InvalidArgument(f"An archive is written to a path or a binary file object, not to {type(target).__name__}.")
