"""The documents of a gateway that several processes put into the DHT, and the tenants that rely on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clocks import ManualClock
from tests.unit.dwn.conftest import World
from tests.unit.node.test_gateway import Publisher, crypto
from web5.dids.dht.bep44 import parse_relay_payload
from web5.dids.dht.identity import identity_key
from web5.dwn import compose
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.mainline.relied import relied_on
from web5.node.stores import DHT, Place, Postgres, open_part

NOW = 1_700_000_000


@pytest.fixture(params=["PostgreSQL", "SQLite"])
async def both(request, server, tmp_path: Path) -> AsyncIterator[list[GatewayItems]]:
    place: Place = Postgres(server.database(), 3) if request.param == "PostgreSQL" else tmp_path
    clock = ManualClock(NOW * 1_000_000)
    databases = [open_part(place, DHT) for _ in range(2)]
    yield [GatewayItems(database, crypto, clock, GatewayLimits()) for database in databases]
    for database in databases:
        await database.close()


async def test_one_process_puts_a_document_until_it_is_due_again(both: list[GatewayItems]) -> None:
    first, second = both
    publisher = await Publisher.make()
    payloads = [await publisher.payload(seq, str(seq)) for seq in (NOW, NOW + 1)]
    item, newer = [parse_relay_payload(publisher.bytes, payload) for payload in payloads]
    await first.take(item)
    assert await second.unannounced(0, 10) == [publisher.bytes]
    assert await first.claim(item.key, NOW, 60, relied=False) == item
    assert await second.claim(item.key, NOW, 60, relied=True) is None
    assert await second.unannounced(0, 10) == []
    await first.announced(item.key, 0)
    assert await second.claim(item.key, NOW + 1, 60, relied=True) == item
    await second.take(item)
    assert await first.claim(item.key, NOW + 60, 60, relied=False) is None, "the same again is not due at once"
    assert await first.claim(item.key, NOW + 61, 60, relied=False) == item
    await first.take(newer)
    assert await second.claim(item.key, NOW + 62, 60, relied=False) == newer
    assert await second.claim((await Publisher.make()).bytes, NOW, 60, relied=False) is None


async def test_tenants_with_messages_rely_on_their_documents(world: World) -> None:
    dids = [(await Publisher.make()).uri for _ in range(3)]
    message = await compose.records_write(world.alice.signer, world.clock, data=b"x", data_format="text/plain")
    assert (await world.dwn.process_message(world.alice.did, message, b"x"))["status"]["code"] == 202
    db = world.dwn.database
    for did in dids:
        with db.transaction() as connection:
            connection.execute("INSERT INTO dwn_tenant (did) VALUES (?)", (did,))

    def entrust() -> None:  # whose messages they are is all that counts here
        db.connection.execute(
            "UPDATE dwn_message SET tenant = (SELECT id FROM dwn_tenant WHERE did = ?) WHERE tenant ="
            " (SELECT id FROM dwn_tenant WHERE did = ?)",
            (dids[1], world.alice.did),
        )

    await db.commit(entrust)
    keys = [key async for key in relied_on([db])]
    assert identity_key(dids[1]) in keys
    assert not {identity_key(dids[0]), identity_key(dids[2])} & set(keys)
