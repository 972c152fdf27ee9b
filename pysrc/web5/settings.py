"""Settings of a site or machine, and reports of progress: plain values that every layer may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel

Progress = Callable[[str, int, int], None]
"""Takes the name of a step, how much of it is done, and of how much."""

DEFAULT_GATEWAY = "https://diddht.tbddev.org"
"""The gateway that `@web5/dids` is built with (src/methods/did-dht.ts); a site's config.json names a living one."""


class Settings(BaseModel):
    """Settings of a site or machine for every app on it (`config.json` of a site).

    Parameters:
        did_dht_gateways: URLs of DID DHT gateways, the preferred one first.
        did_dht_gateway: the same for a single one, which is preferred to those.
    """

    dwn_endpoints: list[str] = []
    did_dht_gateways: list[str] = []
    did_dht_gateway: str | None = None

    @property
    def gateways(self) -> list[str]:
        """All gateways; where none is set, the reference's."""
        return join_gateways(self.did_dht_gateway, self.did_dht_gateways) or [DEFAULT_GATEWAY]


def join_gateways(one: str | None, several: Sequence[str] | None) -> list[str]:
    """Join gateways that may be given as one or as several into one list, the preferred one first."""
    return [*([one] if one else ()), *(several or ())]


def ignore_progress(step: str, done: int, total: int) -> None:
    """Drop a report of progress."""
