"""Stores of the first versions open with all their identities."""

from __future__ import annotations

import json

from tests.unit.conftest import World
from web5.dids import dht
from web5.dids.models import PortableDid
from web5.dwn.store.database import open_file
from web5.node.crypto import FileSealer, NodeCrypto


async def test_sealed_identities_become_records(world: World) -> None:
    agent = await world.blank_device("laptop")
    await agent.close()
    folder = world.folder("laptop")
    made: list[PortableDid] = []
    database = open_file(folder / "web5.sqlite")
    for number, name in enumerate(("First", "Second")):
        made.append(await dht.create(NodeCrypto(), **dht.identity_defaults(world.endpoints)))
        sealed = await FileSealer(folder / "device.key").seal(json.dumps(made[-1].to_wire()).encode())
        with database.transaction() as db:
            db.execute(
                "INSERT INTO agent_identity (did, name, chosen, sealed) VALUES (?, ?, ?, ?)",
                (made[-1].uri, name, number == 1, sealed),
            )
    await database.close()

    for _ in range(2):
        again = await world.blank_device("laptop")
        assert [(one.did, one.name, one.chosen) for one in again.identities.list()] == [
            (made[0].uri, "First", False),
            (made[1].uri, "Second", True),
        ]
        for portable_did in made:
            assert await again.keyring.portable_did(portable_did.uri) == portable_did
        agent_did = str(again.vault.agent_did)
        found = (await again.resolver.resolve(agent_did)).did_document
        assert found is not None
        assert found.dwn_endpoints == world.endpoints
        await again.close()
