"""Settings of a site or machine, and reports of progress: plain values that every layer may use."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from web5 import strict_json
from web5.errors import SettingsError

Progress = Callable[[str, int, int], object]
"""A callback that takes the name of a step, how much of it is done, and of how much."""

ByteProgress = Callable[[int, int], object]
"""A callback that takes how many bytes of one record's data are done, and of how many."""

MOST_BYTES = 64 * 1024
"""Bytes that a file of settings may have: some URLs."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Settings(BaseModel):
    """Settings of a site or machine for every app on it (`config.json` of a site).

    Parameters:
        dwn_endpoints: URLs of the remote DWNs of identities that are made; none: they live on their devices only.
        did_dht_gateways: URLs of DID DHT gateways, the preferred one first; none: DIDs are made and not published.
    """

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    dwn_endpoints: list[str] = []
    did_dht_gateways: list[str] = []


def read_settings(body: bytes, file: str) -> Settings:
    """Read a file of settings, and make its relative URLs absolute.

    Parameters:
        file: its URL.

    Raises:
        SettingsError: it is none, with the key that is wrong.
    """
    try:
        value = strict_json.parse(_text(body, file))
    except ValueError as error:
        raise SettingsError(file, "", f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(file, "", "it is JSON, but no object: { … }")
    return checked_settings(value, file)


def checked_settings(value: Mapping[str, Any], file: str) -> Settings:
    """Check settings, and make their relative URLs absolute.

    Parameters:
        file: the URL, path or name of where they are from; a URL is what others are relative to.

    Raises:
        SettingsError: they are none, with the key that is wrong.
    """
    try:
        given = Settings.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])[:100]
        known = " and ".join(Settings.model_fields)
        unknown = first["type"] == "extra_forbidden"
        raise SettingsError(file, key, f"there is no such setting, but {known}" if unknown else first["msg"]) from error
    return Settings(
        dwn_endpoints=_absolute(file, "dwn_endpoints", given.dwn_endpoints),
        did_dht_gateways=_absolute(file, "did_dht_gateways", given.did_dht_gateways),
    )


def too_large(file: str) -> SettingsError:
    """Return the error for a file of more than `MOST_BYTES`."""
    return SettingsError(file, "", f"it has more than {MOST_BYTES // 1024} KiB, so that it is something else")


def ignore_progress(step: str, done: int, total: int) -> None:
    """Drop a report of progress."""


def _text(body: bytes, file: str) -> str:
    if body.startswith(_MARKS):
        raise SettingsError(file, "", "it begins with a byte-order mark: save it as UTF-8 without one")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise SettingsError(file, "", f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    if not text.strip():
        raise SettingsError(file, "", "it is empty; without any settings it would be {}")
    if text.lstrip().startswith("<"):
        raise SettingsError(
            file,
            "",
            "it is a page, not JSON: the server answers with a page what it does not have, or the network does",
        )
    return text


def _absolute(file: str, name: str, urls: list[str]) -> list[str]:
    found = []
    for number, text in enumerate(urls):
        try:
            url = urljoin(file, text)
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not text or any(char.isspace() for char in text):
            raise SettingsError(file, f"{name}.{number}", f"{text[:200]!r} is not a URL of http or https")
        found.append(url)
    return found
