"""A reference dwn-server that is killed in the middle of a write: what it then holds, and what our sync makes of it.

It stores a message, lists it in its log, and deletes what the message supersedes, one after the other and not in one
transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer, Step
from tests.interop.sync.devices import Device
from tests.interop.sync.setting import Setting
from tests.unit.sync.world import TestClock
from web5.sync.exchange.audit.check import Difference

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR = 3_600_000_000


class Stage(Setting):
    """The first server is the one that is killed."""

    async def synced(self, *devices: Device) -> None:
        for device in devices:
            device.clock.ahead += HOUR  # type: ignore[attr-defined]
            assert (await device.sync.now()).ok

    async def kill_in_push(self, step: Step, phone: Device) -> None:
        await self.one.die_before(step)
        report = await phone.sync.now()
        assert [bool(endpoint.error) for endpoint in report.endpoints] == [True, False]
        await self.one.died()
        await self.one.restart()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> Stage:
    return await Stage.make(tmp_path, gateway, *servers)


async def _check(*devices: Device) -> tuple[Difference, Difference]:
    """What all devices say of both servers, which is the same."""
    for device in devices:
        assert device.sync.unsettled() == []
    first, *others = [await device.sync.check() for device in devices]
    assert all(other == first for other in others)
    one, two = first
    assert two.same
    assert not two.unlisted
    return one, two


async def test_no_kill_in_the_middle_of_a_write_loses_anything(stage: Stage) -> None:
    clock = TestClock()
    async with stage.device("phone", clock=clock) as phone, stage.device("laptop", clock=clock) as laptop:

        async def at_both(**expected: Any) -> None:
            await stage.synced(phone, laptop, phone)
            contents = {name: data for name, data in (await phone.contents()).items() if name in expected}
            assert contents == expected
            assert await laptop.contents() == await phone.contents()
            assert await phone.contents_at(stage.two.url) == await phone.contents()

        # Before it is stored: it is sent again.
        nothing = await phone.write(b"nothing of it is stored")
        await stage.kill_in_push("put", phone)
        await at_both(**{nothing["recordId"]: b"nothing of it is stored"})
        one, _ = await _check(phone, laptop)
        assert (one.same, one.unlisted) == (True, ())
        assert await phone.contents_at(stage.one.url) == await phone.contents()

        # Stored, but not listed: the server is told to hold it, and others hear of it from the other server.
        unlisted = await phone.write(b"stored and not listed")
        await stage.kill_in_push("append", phone)
        await at_both(**{unlisted["recordId"]: b"stored and not listed"})
        one, _ = await _check(phone, laptop)
        assert one.same
        assert phone.held() - await phone.listed_by(stage.one.url) == set(one.unlisted)
        assert len(one.unlisted) == 1
        assert await phone.contents_at(stage.one.url) == await phone.contents()

        # Listed, but what it supersedes is still there: until the next write of the record no query there succeeds.
        await phone.write(b"an edit", existing=unlisted)
        await stage.kill_in_push("delete", phone)
        await at_both(**{unlisted["recordId"]: b"an edit"})
        await _check(phone, laptop)
        assert await phone.listed_by(stage.one.url) == phone.held() - set(one.unlisted)
        await laptop.write(b"another edit", existing=unlisted)
        await stage.synced(laptop)
        await at_both(**{unlisted["recordId"]: b"another edit"})
        assert (await _check(phone, laptop))[0].same
        assert await phone.contents_at(stage.one.url) == await phone.contents()
