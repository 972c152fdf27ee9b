"""The settings of a site, from its config.json.

Invariants:
1. A file that could not be fetched is not taken for one that is not there: only 404 and 410 say that there is none.
2. What the site said last is remembered; with that a node starts also while the site, or this device, is offline.
3. Without it, on a first launch, nothing is made before the site has answered: an identity that is made without nodes
   stays without them. The wait is told, and ends when whoever waits gives up.
4. A file that cannot be used is an error on a first launch. Later it changes nothing, and is logged.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Protocol

from web5.errors import BodyTooLarge, RemoteError, SettingsError, StorageError, Unreachable
from web5.ports.clock import Clock
from web5.ports.http import Http
from web5.settings import MOST_BYTES, Progress, Settings, read_settings

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

MISSING = b"{}"
"""The text that stands for a file that is not there."""


class Memory(Protocol):
    """The last answers of sites, which outlive the page."""

    async def load(self, url: str) -> bytes | None:
        """Return what was kept. Raises StorageError."""

    async def keep(self, url: str, body: bytes) -> None:
        """Replace what was kept. Raises StorageError."""


async def fetch_settings(url: str, http: Http, clock: Clock, memory: Memory, on_progress: Progress) -> Settings:
    """Read a site's config.json, its relative URLs made absolute; the built-in settings if there is none.

    Raises:
        SettingsError: it cannot be used, and there was none before that could.
    """
    known = await _remembered(memory, url)
    failures = 0
    while True:
        try:
            body = await _fetched(http, url, PATIENCE if known is None else SHORT_PATIENCE)
            settings = read_settings(body, url)
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
                await memory.keep(url, body)
        return settings


async def _remembered(memory: Memory, url: str) -> Settings | None:
    with suppress(StorageError, SettingsError, TimeoutError):
        async with asyncio.timeout(SHORT_PATIENCE):
            body = await memory.load(url)
        return None if body is None else read_settings(body, url)
    return None


async def _fetched(http: Http, url: str, patience: float) -> bytes:
    response = await http.request("GET", url, timeout=patience)
    if response.status in NONE:
        await response.close()
        return MISSING
    if response.status != 200:
        await response.close()
        raise Unreachable(f"{url} cannot be had: the site answers {response.status}")
    try:
        return await response.read(MOST_BYTES)
    except BodyTooLarge as error:
        raise SettingsError(
            url, "", f"it has more than {MOST_BYTES // 1024} KiB, so that it is something else"
        ) from error
