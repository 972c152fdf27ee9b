"""What tests of sync against reference dwn-servers stand on."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Protocol, Self

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync import devices
from tests.interop.sync.devices import CLOCK, CRYPTO, Device
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.models import PortableDid

ROOT = Path(__file__).parents[3]


class Endpoint(Protocol):
    @property
    def url(self) -> str: ...


class Setting:
    """A gateway, two reference servers, and an identity that names both."""

    def __init__(self, folder: Path, gateway: str, one: ReferenceDwnServer, two: ReferenceDwnServer) -> None:
        self.folder, self.gateway, self.one, self.two = folder, gateway, one, two
        self.portable: PortableDid

    @classmethod
    async def make(cls, folder: Path, gateway: str, one: ReferenceDwnServer, two: ReferenceDwnServer) -> Self:
        """Create the identity on servers that run."""
        setting = cls(folder, gateway, one, two)
        await setting.create_identity(one, two)
        return setting

    async def create_identity(self, *endpoints: Endpoint) -> None:
        http = HttpxHttp()
        defaults = dht.identity_defaults([endpoint.url for endpoint in endpoints])
        self.portable = await dht.create(CRYPTO, **defaults)
        await dht.publish(self.portable, http, CRYPTO, self.gateway, clock=CLOCK)
        await http.close()

    def device(self, name: str, **more: Any) -> Device:
        return Device(self.folder / name, self.portable, self.gateway, **more)

    async def process(self, name: str, writes: int, stop_at: tuple[str, int] = ("", 0)) -> asyncio.subprocess.Process:
        """The device `name` in a process of its own (`devices.main`)."""
        identity = self.folder / "identity.json"
        identity.write_text(self.portable.model_dump_json(by_alias=True))
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *(devices.__file__, str(self.folder / name), str(identity), self.gateway),
            *map(str, (writes, *stop_at)),
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'pysrc'}{os.pathsep}{ROOT}"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
