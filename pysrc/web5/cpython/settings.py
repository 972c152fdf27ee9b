"""The settings of a machine: a config.json by its path or URL, which the environment may name."""

from __future__ import annotations

import os
from pathlib import Path

from web5.cpython.http import HttpxHttp
from web5.errors import BodyTooLarge, SettingsError
from web5.settings import MOST_BYTES, Settings, read_settings, too_large

VARIABLE = "WEB5_CONFIG"
"""The environment variable that names the file where nothing else does."""

SECONDS = 30.0
"""Seconds for an answer."""


async def machine_settings(config: str | None = None) -> Settings:
    """Read a file of settings; where none is named, nothing is set.

    Parameters:
        config: its path or URL; by default what the environment variable WEB5_CONFIG says.

    Raises:
        SettingsError: it is not there, or cannot be used.
        Unreachable, TimedOut: nobody answers under its URL.
    """
    named = config or os.environ.get(VARIABLE)
    if not named:
        return Settings()
    if named.startswith(("http://", "https://")):
        return read_settings(await _fetched(named), named)
    return read_settings(_read(named), named)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SettingsError(path, "", f"it cannot be read: {error}") from error
    if len(body) > MOST_BYTES:
        raise too_large(path)
    return body


async def _fetched(url: str) -> bytes:
    http = HttpxHttp()
    try:
        response = await http.request("GET", url, timeout=SECONDS)
        if response.status != 200:
            await response.close()
            raise SettingsError(url, "", f"it cannot be had: the site answers {response.status}")
        return await response.read(MOST_BYTES)
    except BodyTooLarge as error:
        raise too_large(url) from error
    finally:
        await http.close()
