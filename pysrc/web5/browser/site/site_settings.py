"""The settings of a site, from its config.json, which is in one of some places.

Invariants:
1. A file that could not be fetched is not taken for one that is not there: only 404 and 410 say that there is none.
   So no place is looked at while one before it does not answer.
2. What the site said last is remembered; with that a node starts also while the site, or this device, is offline.
3. Without it, on a first launch, nothing is made before the site has answered: an identity that is made without nodes
   stays without them. The wait is told, and ends when whoever waits gives up.
4. A file that cannot be used is an error on a first launch. Later it changes nothing, and is logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from web5.errors import BodyTooLarge, RemoteError, SettingsError, StorageError, Unreachable
from web5.ports.clock import Clock
from web5.ports.http import Http
from web5.settings import MOST_BYTES, Progress, Settings, read_settings, too_large

log = logging.getLogger(__name__)

STEP = "settings"
"""The step that `on_progress` is told of, with the number of failures so far, of 0."""

PATIENCE = 30.0
"""Seconds for an answer where nothing can be made without it."""

SHORT_PATIENCE = 5.0
"""Seconds for an answer where the last one would do."""

LONGEST_WAIT = 10.0
"""Seconds between two tries, at the most; the first is one second after the first failure, and then twice that."""

NONE = (404, 410)

MISSING = b""
"""The text that is kept for a file that is not there; one that is empty cannot be used, and is never kept."""


class Memory(Protocol):
    """The last answers of sites, which outlive the page."""

    async def load(self, url: str) -> bytes | None:
        """Return what was kept. Raises StorageError."""

    async def keep(self, url: str, body: bytes) -> None:
        """Replace what was kept. Raises StorageError."""


async def fetch_settings(
    urls: Sequence[str],
    http: Http,
    clock: Clock,
    memory: Memory,
    on_progress: Progress,
    *,
    required: bool = False,
) -> Settings:
    """Read a site's config.json, its relative URLs made absolute; where there is none, nothing is set.

    Parameters:
        urls: the places where it may be; the first that there is counts.
        required: there has to be one.

    Raises:
        SettingsError: it cannot be used, or is not there and has to be, and there was none before that could.
    """
    known = await _remembered(memory, urls, required)
    failures = 0
    while True:
        try:
            found: dict[str, bytes | None] = {}
            for url in urls:
                found[url] = await _fetched(http, url, PATIENCE if known is None else SHORT_PATIENCE)
                if found[url] is not None:
                    break
            settings = _settings(found, required)
        except (RemoteError, SettingsError) as error:
            log.warning("%s", error)
            if known is not None:
                return known
            if isinstance(error, SettingsError):
                raise
            failures += 1
            on_progress(STEP, failures, 0)
            await clock.sleep(min(LONGEST_WAIT, 2.0 ** (failures - 1)))
            continue
        if settings != known:
            with suppress(StorageError):  # the next launch has to ask again
                for url, body in found.items():
                    await memory.keep(url, MISSING if body is None else body)
        return settings


def _settings(found: Mapping[str, bytes | None], required: bool) -> Settings:
    """Return the settings of the one file that is there."""
    for url, body in found.items():
        if body is not None:
            return read_settings(body, url)
    if required:
        raise SettingsError(", ".join(found), "", "there is no such file")
    return Settings()


async def _remembered(memory: Memory, urls: Sequence[str], required: bool) -> Settings | None:
    """Return the settings by what was kept of every place up to the first that had a file; None if something lacks."""
    with suppress(StorageError, SettingsError, TimeoutError):
        async with asyncio.timeout(SHORT_PATIENCE):
            kept: dict[str, bytes | None] = {}
            for url in urls:
                body = await memory.load(url)
                if body is None:
                    return None
                if body != MISSING:
                    kept[url] = body
                    break
                kept[url] = None
        return _settings(kept, required)
    return None


async def _fetched(http: Http, url: str, patience: float) -> bytes | None:
    response = await http.request("GET", url, timeout=patience)
    if response.status in NONE:
        await response.close()
        return None
    if response.status != 200:
        await response.close()
        raise Unreachable(f"{url} cannot be had: the site answers {response.status}")
    try:
        return await response.read(MOST_BYTES)
    except BodyTooLarge as error:
        raise too_large(url) from error
