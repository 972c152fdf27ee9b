"""Two reference dwn-servers take our pushes and serve our pulls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contracts.memory import MIB, at_most
from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import CLOCK
from tests.interop.sync.setting import Setting
from web5.dwn.values.cid import message_cid
from web5.ports.clock import SystemClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def setting(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> Setting:
    return await Setting.make(tmp_path, gateway, *servers)


async def test_notes_edits_and_deletes_travel_between_two_devices(setting: Setting) -> None:
    one, two = setting.one.url, setting.two.url
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        kept, edited, gone = [await phone.write(text) for text in (b"kept", b"edited", b"gone")]
        report = await phone.sync.now()
        assert report.ok, report
        assert await phone.listed_by(one) == await phone.listed_by(two) == phone.held()
        assert (await laptop.sync.now()).ok
        assert await laptop.contents() == await phone.contents()

        await laptop.write(b"EDITED", existing=edited)
        await laptop.delete(gone["recordId"])
        assert (await laptop.sync.now()).ok
        assert (await phone.sync.now()).ok
        expected = {kept["recordId"]: b"kept", edited["recordId"]: b"EDITED"}
        assert await phone.contents() == await laptop.contents() == expected
        assert await phone.queried_at(one) == await phone.queried_at(two) == set(expected)
        assert await phone.listed_by(one) == await phone.listed_by(two) == phone.held() == laptop.held()
        assert phone.sync.unsettled() == laptop.sync.unsettled() == []

        # A device that comes last finds the records in their last state, and the delete.
        async with setting.device("tablet") as tablet:
            assert (await tablet.sync.now()).ok
            assert await tablet.contents() == expected
            assert tablet.held() == phone.held()
            assert tablet.sync.unsettled() == []


class SkewedClock(SystemClock):
    """A clock that is wrong by so many hours."""

    def __init__(self, hours: int) -> None:
        super().__init__()
        self._ahead = hours * 3600 * 1_000_000

    def now(self) -> int:
        return super().now() + self._ahead


@pytest.mark.parametrize("hours", [-30, 30])
async def test_servers_that_look_at_no_date_serve_a_device_with_a_wrong_clock(setting: Setting, hours: int) -> None:
    async with setting.device("right") as right, setting.device("wrong", clock=SkewedClock(hours)) as wrong:
        for number in range(15):
            await right.write(b"right %d" % number)
        assert (await right.sync.now()).ok
        await wrong.write(b"wrong")
        assert (await wrong.sync.now()).ok
        assert (await right.sync.now()).ok
        assert await wrong.contents() == await right.contents()
        assert len(await right.contents()) == 16
        assert right.sync.unsettled() == wrong.sync.unsettled() == []


async def test_a_record_larger_than_memory_travels_between_two_devices(setting: Setting) -> None:
    await setting.create_identity(setting.one)

    async def film() -> AsyncIterator[bytes]:
        for number in range(40):
            yield bytes([number]) * MIB

    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        with at_most(10 * MIB):
            message = await phone.write_stream(film)
            assert (await phone.sync.now()).ok
            assert (await laptop.sync.now()).ok
            assert message["descriptor"]["dataSize"] == 40 * MIB
            for device, endpoint in ((phone, None), (phone, setting.one.url), (laptop, None)):
                assert await device.data_cid(message["recordId"], endpoint) == message["descriptor"]["dataCid"]
        assert phone.sync.unsettled() == laptop.sync.unsettled() == []
        assert await phone.listed_by(setting.one.url) == phone.held() == laptop.held()


async def test_no_echo_and_one_request_an_endpoint_when_idle(setting: Setting) -> None:
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        for number in range(20):
            await phone.write(b"%d" % number)
        assert (await phone.sync.now()).ok
        assert phone.http.by_method() == {"MessagesQuery": 2, "RecordsWrite": 40}
        assert (await laptop.sync.now()).ok
        assert laptop.http.by_method() == {"MessagesQuery": 2, "ProtocolsQuery": 1, "RecordsQuery": 1}
        for device in (phone, laptop, phone, laptop):
            device.http.counts.clear()
            assert (await device.sync.now()).ok
            assert "RecordsWrite" not in device.http.by_method()
        for device in (phone, laptop):
            device.http.counts.clear()
            assert (await device.sync.now()).ok
            assert set(device.http.counts.values()) == {1}
            assert device.http.by_method() == {"MessagesQuery": 2}


async def test_a_server_that_lost_its_disk_is_filled_again_and_its_new_messages_are_not_missed(
    setting: Setting,
) -> None:
    """Its cursors are plain numbers, which begin anew: one from before points behind what came since."""
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        for number in range(40):
            await phone.write(b"%d" % number)
        await phone.sync.now()
        await laptop.sync.now()
        late = await phone.write(b"late")
        for device in (phone, laptop, phone):
            assert (await device.sync.now()).ok
        await setting.one.wipe()
        await setting.two.wipe()
        new = await laptop.write(b"new")
        assert (await laptop.sync.now()).ok
        assert (await phone.sync.now()).ok
        assert phone.held() == laptop.held() >= {message_cid(late), message_cid(new)}
        assert len(phone.held()) == 42
        assert all(found.same for found in await phone.sync.check())


async def test_a_server_that_was_down_is_filled_when_it_returns(setting: Setting) -> None:
    await setting.two.kill()
    async with setting.device("phone") as phone:
        first = await phone.write(b"1")
        await phone.write(b"2", existing=first)
        await phone.write(b"other")
        report = await phone.sync.now()
        assert not report.ok
        status = {one.endpoint: one for one in phone.sync.status()}
        assert (status[setting.one.url].reachable, status[setting.one.url].pending_out) == (True, 0)
        assert (status[setting.two.url].reachable, status[setting.two.url].pending_out) == (False, 3)
        assert status[setting.two.url].last_error is not None
        assert await phone.listed_by(setting.one.url) == phone.held()
        await setting.two.start()
        assert (await phone.sync.now()).ok
        assert await phone.listed_by(setting.two.url) == phone.held()
        assert await phone.queried_at(setting.two.url) == set(await phone.contents())
        assert phone.sync.unsettled() == []


async def test_two_servers_that_differ_converge_through_the_device(setting: Setting) -> None:
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        await setting.two.kill()
        await phone.write(b"only at one")
        await phone.sync.now()
        await setting.one.kill()
        await setting.two.start()
        await laptop.write(b"only at two")
        await laptop.sync.now()
        await setting.one.start()
        async with setting.device("tablet") as tablet:
            assert (await tablet.sync.now()).ok
            assert await tablet.listed_by(setting.one.url) == await tablet.listed_by(setting.two.url) == tablet.held()
            assert sorted((await tablet.contents()).values()) == [b"only at one", b"only at two"]
            assert tablet.http.by_method()["RecordsWrite"] == 2


@pytest.mark.parametrize("size", [1, 30_000, 30_001, 1_000_000])
async def test_data_goes_both_ways(setting: Setting, size: int) -> None:
    data = bytes(i * 31 & 255 for i in range(size))
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        message = await phone.write(data)
        assert (await phone.sync.now()).ok
        assert (await laptop.sync.now()).ok
        assert await laptop.contents() == {message["recordId"]: data}
        await laptop.write(data[::-1] + b"!", existing=message)
        assert (await laptop.sync.now()).ok
        assert (await phone.sync.now()).ok
        assert await phone.contents() == {message["recordId"]: data[::-1] + b"!"}
        assert phone.sync.unsettled() == laptop.sync.unsettled() == []


async def test_three_hundred_records_come_in_few_requests(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        written = [await phone.write(b"note %d" % number) for number in range(300)]
        for message in written[:20]:
            await phone.write(b"edited", existing=message)
        assert (await phone.sync.now()).ok
        started = CLOCK.monotonic()
        assert (await laptop.sync.now()).ok
        print(f"300 records pulled in {CLOCK.monotonic() - started:.2f} s: {dict(laptop.http.by_method())}")
        assert sum(laptop.http.counts.values()) <= 300 / 50 + 1
        assert laptop.held() == phone.held()
        assert await laptop.contents() == await phone.contents()


@pytest.mark.parametrize(("stop_at", "writes"), [(("push", 7), 30), (("pull", 40), 4)])
async def test_a_process_that_is_killed_in_the_middle_loses_nothing(
    setting: Setting, stop_at: tuple[str, int], writes: int
) -> None:
    """Ledger invariant 6, with a kill that nothing can catch."""
    async with setting.device("other") as other:
        for number in range(120):
            await other.write(b"from the other %d" % number)
        assert (await other.sync.now()).ok
        process = await setting.process("phone", writes, stop_at)
        assert process.stdout
        assert [await process.stdout.readline() for _ in range(2)] == [b"written\n", b"stopped\n"]
        process.kill()
        await process.wait()
        async with setting.device("phone") as phone:
            waiting = sum(one.pending_out + one.pending_in for one in phone.sync.status())
            assert waiting > 0
            assert (await phone.sync.now()).ok
            assert phone.sync.unsettled() == []
            assert len(await phone.contents()) == 120 + writes
            for url in (setting.one.url, setting.two.url):
                assert await phone.listed_by(url) == phone.held()
            assert (await other.sync.now()).ok
            assert other.held() == phone.held()
