"""A record at a reference dwn-server that a stranger's variant erased: put back, and brought back by the words."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.test_sync_variants import attested, encrypted, higher
from web5 import Web5
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.remote.dwn import RemoteDwn

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("make", [attested, encrypted])
async def test_a_published_record_outlives_a_stranger(
    tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer], make: object
) -> None:
    url = servers[0].url
    async with AsyncExitStack() as stack:

        async def connect(name: str, **more: str) -> Web5:
            agent = await open_agent(gateway_uris=[gateway], data_path=tmp_path / name, allow_local=True)
            stack.push_async_callback(agent.close)
            found = await Web5.connect(agent=agent, dwn_endpoints=[url], sync="off", **more)
            nonlocal words
            words = found.recovery_phrase or words
            return found.web5

        words = ""
        phone = await connect("phone")
        assert await phone.agent.publish_all()
        record = await phone.dwn.records.create(
            "mine, and published", schema="https://example.org/page", published=True
        )
        assert (await phone.agent.sync.now()).ok
        data = b"mine, and published" if make is encrypted else None
        http = HttpxHttp()
        stack.push_async_callback(http.close)
        sent = await RemoteDwn(http).process_message(url, phone.connected_did, higher(make, record.raw_message), data)
        assert sent["status"]["code"] in (202, 204)

        assert (await phone.agent.sync.now()).ok
        [status] = [one for one in phone.sync.status() if one.tenant == phone.connected_did]
        assert (status.variants, status.displaced, phone.sync.unsettled()) == (1, 0, [])
        [check] = [one for one in await phone.sync.check() if one.tenant == phone.connected_did]
        assert check.same and len(check.variants) == 1

        tablet = await connect("tablet", recovery_phrase=words)
        assert tablet.connected_did == phone.connected_did
        assert (await tablet.agent.sync.now()).ok
        for web5, from_ in ((phone, None), (tablet, None), (tablet, phone.connected_did)):
            found = await web5.dwn.records.read(record.id, from_=from_)
            assert await found.data.text() == "mine, and published"
            assert not found.encrypted
            [queried] = await web5.dwn.records.query(schema="https://example.org/page", from_=from_)
            assert queried.id == record.id
        assert tablet.sync.unsettled() == []
