"""Deliveries to somebody whose node is a reference dwn-server: one that is down, and one that lacks the protocol."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import Device
from tests.interop.sync.setting import Setting
from web5.dwn import compose
from web5.dwn.data import MAX_INLINE_BYTES
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.sync import State
from web5.sync.states import Wanted

pytestmark = pytest.mark.asyncio(loop_scope="session")

GUESTS = {
    "protocol": "https://example.org/guests",
    "published": True,
    "types": {"entry": {}},
    "structure": {"entry": {"$actions": [{"who": "anyone", "can": ["create", "update", "read"]}]}},
}
PLACE = {"protocol": GUESTS["protocol"], "protocol_path": "entry", "data_format": "text/plain"}
LARGE = b"x" * (MAX_INLINE_BYTES + 1)


@pytest_asyncio.fixture(loop_scope="session")
async def setting(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> Setting:
    return await Setting.make(tmp_path, gateway, *servers)


async def made(device: Device, data: bytes) -> Message:
    """Make an entry that is not stored on the device."""
    return await compose.records_write(
        await device.sync._context.signer_for(device.did), device.clock, data=data, **PLACE
    )


async def test_what_was_sent_arrives_though_node_and_device_were_away(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    host = Setting(setting.folder / "host", setting.gateway, setting.one, setting.two)
    await host.create_identity(setting.two)
    host.folder.mkdir(parents=True, exist_ok=True)
    async with host.device("host") as phone:
        await phone.configure(GUESTS)
        assert (await phone.sync.now()).ok
        whom = phone.did
    await setting.two.kill()
    async with setting.device("guest") as guest:
        await guest.configure(GUESTS)
        entry = await guest.write(b"I was here", **PLACE)
        [sent] = await guest.sync.send(guest.did, message_cid(entry), whom)
        assert sent.pending and not sent.accepted
        [sent] = await guest.sync.send_messages(guest.did, whom, [(await made(guest, LARGE), LARGE)])
        assert sent.pending
        later = await guest.write(b"I was here twice", existing=entry)
        [sent] = await guest.sync.send(guest.did, message_cid(later), whom)
        assert len(guest.sync.unsettled(wanted=Wanted(target=whom))) == 2
    await setting.two.restart()
    async with setting.device("guest") as guest:
        assert len(guest.sync.unsettled(wanted=Wanted(target=whom))) == 2
        assert (await guest.sync.now()).delivered == 2
        assert guest.sync.unsettled(wanted=Wanted(target=whom)) == []
    async with host.device("host") as phone:
        await phone.sync.now()
        assert sorted((await phone.contents()).values()) == [b"I was here twice", LARGE]


async def test_a_protocol_that_their_node_lacks_is_said_and_waited_for(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    host = Setting(setting.folder / "host", setting.gateway, setting.one, setting.two)
    await host.create_identity(setting.two)
    host.folder.mkdir(parents=True, exist_ok=True)
    async with setting.device("guest") as guest, host.device("host") as phone:
        await guest.configure(GUESTS)
        entry = await guest.write(b"I was here", **PLACE)
        [sent] = await guest.sync.send(guest.did, message_cid(entry), phone.did)
        [row] = guest.sync.unsettled(wanted=Wanted(target=phone.did))
        assert sent.pending and row.state is State.WAITING
        assert row.detail.startswith(f"the node of {phone.did} lacks protocol {GUESTS['protocol']}: ")
        await phone.configure(GUESTS)
        assert (await phone.sync.now()).ok
        await guest.sync.retry()
        assert guest.sync.unsettled(wanted=Wanted(target=phone.did)) == []
        await phone.sync.now()
        assert list((await phone.contents()).values()) == [b"I was here"]
