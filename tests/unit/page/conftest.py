"""Makes web/app importable by the name it has in the worker; and a device that several modules test."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[3] / "web"))

from tests.unit.page.devices import Device
from web5.platform import open_agent


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    """One that knows no other node."""
    agent = await open_agent(gateway_uris=["http://127.0.0.1:9/"], data_path=tmp_path / "agent")
    device = Device(agent, [])
    await device.session.open()
    yield device
    await device.session.close()
