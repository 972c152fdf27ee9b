"""Settings of a site or machine, and reports of progress: plain values that every layer may use."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

Progress = Callable[[str, int, int], None]
"""A callback that takes the name of a step, how much of it is done, and of how much."""

DEFAULT_GATEWAY = "https://diddht.tbddev.org"
"""The gateway that `@web5/dids` is built with (src/methods/did-dht.ts); a site's config.json names a living one."""


class Settings(BaseModel):
    """Settings of a site or machine for every app on it (`config.json` of a site).

    Parameters:
        did_dht_gateways: URLs of DID DHT gateways, the preferred one first.
    """

    dwn_endpoints: list[str] = []
    did_dht_gateways: list[str] = []

    @property
    def gateways(self) -> list[str]:
        """The DID DHT gateways; where none is set, the reference's."""
        return self.did_dht_gateways or [DEFAULT_GATEWAY]


def ignore_progress(step: str, done: int, total: int) -> None:
    """Drop a report of progress."""
