"""Reference dwn-servers forget what has ended: what reaches them and comes from them all the same, and what waits."""

from __future__ import annotations

import asyncio
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import CLOCK, CRYPTO, Device
from tests.interop.sync.setting import Setting
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.remote.dwn import RemoteDwn
from web5.sync import State

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "https://chat.example"


def chat(format: str) -> Message:
    members = [{"role": "friend", "can": ["create", "read", "query", "subscribe"]}]
    return {
        "protocol": CHAT,
        "published": False,
        "types": {"friend": {}, "thread": {"dataFormats": [format]}},
        "structure": {"friend": {"$role": True}, "thread": {"$actions": members}},
    }


@pytest_asyncio.fixture(loop_scope="session")
async def setting(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> Setting:
    return await Setting.make(tmp_path, gateway, *servers)


class Guest:
    """Somebody whom Alice lets write in her DWN."""

    @classmethod
    async def make(cls, gateway: str) -> Guest:
        self = cls()
        self.http = HttpxHttp()
        portable = await dht.create(CRYPTO, **dht.identity_defaults([]))
        await dht.publish(portable, self.http, CRYPTO, gateway, clock=CLOCK)
        self.did, self.signer = portable.uri, await signer_for(portable, CRYPTO)
        return self

    async def write(self, device: Device, endpoint: str, **right: Any) -> Message:
        place, data = {"protocol": CHAT, "protocol_path": "thread"}, b"by the guest"
        message = await compose.records_write(self.signer, CLOCK, data=data, data_format="text/plain", **place, **right)
        reply = await RemoteDwn(self.http).process_message(endpoint, device.did, message, data)
        assert reply["status"]["code"] == 202, reply
        return message


async def test_a_server_that_is_added_gets_what_an_earlier_definition_and_a_grant_allowed(setting: Setting) -> None:
    guest = await Guest.make(setting.gateway)
    await setting.two.kill()
    async with setting.device("laptop") as laptop:
        await laptop.configure(chat("text/plain"))
        role = await laptop.write(b"friend", protocol=CHAT, protocol_path="friend", recipient=guest.did)
        scope = {"interface": "Records", "method": "Write", "protocol": CHAT}
        granted = {"granted_to": guest.did, "date_expires": "2090-01-01T00:00:00.000000Z", "scope": scope}
        grant, data = split_encoded_data(await permission_grant(laptop.signer, CLOCK, **granted))
        assert (await laptop.dwn.process_message(laptop.did, grant, data))["status"]["code"] == 202
        await laptop.sync.now()
        place = {"protocol": CHAT, "protocol_path": "thread"}
        mine = [await laptop.write(b"%d" % number, **place) for number in range(3)]
        await laptop.sync.now()
        by_role = await guest.write(laptop, setting.one.url, protocol_role="friend")
        by_grant = await guest.write(laptop, setting.one.url, permission_grant_id=grant["recordId"])
        await laptop.sync.now()
        await laptop.delete(role["recordId"])
        await laptop.delete(grant["recordId"])
        await laptop.configure(chat("text/markdown"))
        new = await laptop.write(b"new", **place, data_format="text/markdown")
        await laptop.sync.now()
        await setting.two.start()
        assert (await laptop.sync.now()).ok
        # Nobody has the data of a role that was deleted, without which it is none there.
        [row] = laptop.sync.unsettled()
        assert (row.message_cid, row.endpoint, row.state) == (message_cid(by_role), setting.two.url, State.WAITING)
        assert row.detail.startswith("ProtocolAuthorization")
        assert await laptop.queried_at(setting.two.url) == {one["recordId"] for one in (*mine, by_grant, new)}
        assert [len(found.only_here) for found in await laptop.sync.check()] == [0, 1]

        # From servers that have forgotten, a new device takes what is the tenant's own; the rest waits.
        async with setting.device("phone") as phone:
            await phone.sync.now()
            assert set(await phone.contents()) == {one["recordId"] for one in (*mine, new)}
            rows = phone.sync.unsettled()
            assert {(row.message_cid, row.waits_for) for row in rows} == {
                (message_cid(by_role), f"protocol:{CHAT}"),
                (message_cid(by_grant), f"protocol:{CHAT}"),
            }
            assert {(row.direction, row.state) for row in rows} == {("pull", State.WAITING)}
            await asyncio.gather(phone.sync.now(), laptop.sync.now())
            assert phone.http.by_method()["MessagesHistory"] <= 2  # once a server, which knows no such thing


@pytest.mark.parametrize("first", list(permutations(("laptop", "phone"))))
async def test_a_delete_ends_a_record_that_was_edited_later_at_another_server(
    setting: Setting, first: tuple[str, str]
) -> None:
    async with setting.device("laptop") as laptop, setting.device("phone") as phone:
        note = await laptop.write(b"note")
        for device in (laptop, phone):
            await device.sync.now()
        await setting.two.kill()
        await laptop.delete(note["recordId"])
        await laptop.sync.now()
        await setting.one.kill()
        await setting.two.start()
        await phone.write(b"edited later", existing=note)
        await phone.sync.now()
        assert await phone.queried_at(setting.two.url) == {note["recordId"]}
        await setting.one.start()
        devices = {"laptop": laptop, "phone": phone}
        for name in first * 3:
            await devices[name].sync.now()
        for device in (laptop, phone):
            assert await device.contents() == {}
            assert device.sync.unsettled() == []
        for server in (setting.one, setting.two):
            assert await laptop.queried_at(server.url) == set()
