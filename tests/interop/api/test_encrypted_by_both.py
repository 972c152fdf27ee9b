"""An identity's encrypted records, by our API and by the reference with the same identity's exported key."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.reference import ReferenceScript, reference_fixture
from web5 import Encryption, Record, Web5
from web5.agent.delegation.actor import Actor
from web5.cpython.agent import open_agent
from web5.dids.keys import private_key
from web5.dids.models import PortableDid
from web5.dwn.values.cid import message_cid

NOTES = "http://notes.example"
DEFINITION: dict[str, Any] = {
    "protocol": NOTES,
    "published": True,
    "types": {"note": {}, "remark": {}},
    "structure": {"note": {"remark": {}}},
}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing here needs the network


theirs = reference_fixture("encryption.mjs")


@pytest.fixture
async def web5(tmp_path: Path) -> AsyncIterator[Web5]:
    agent = await open_agent(gateway_uris=[NOWHERE], data_path=tmp_path / "agent")
    connection = await Web5.connect(agent=agent, dwn_endpoints=[], sync="off")
    yield connection.web5
    await connection.web5.close()


async def exported(web5: Web5, did: str | None = None) -> dict[str, Any]:
    """The root of an identity, as the reference takes it."""
    did = did or web5.connected_did
    portable = PortableDid.from_wire((await web5.identities.export(did))["portableDid"])
    method = portable.document.find_method("enc")
    assert method is not None
    return {"rootKeyId": method.id, "privateJwk": private_key(portable, method)}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def stored(web5: Web5, record: Record) -> str:
    """The data as the DWN has them."""
    found = await web5.agent.dwn.read_stored(web5.connected_did, message_cid(record.raw_message))
    assert found is not None and found.data is not None
    return encoded(await found.data.read())


@pytest.mark.parametrize(
    ("properties", "schemes"),
    [
        ({"schema": "https://schema.example/note", "dataFormat": "text/plain"}, ["schemas"]),
        ({"dataFormat": "text/plain"}, ["dataFormats"]),
        ({"protocol": NOTES, "protocolPath": "note", "dataFormat": "text/plain"}, ["protocolPath"]),
        ({"protocol": NOTES, "protocolPath": "note", "dataFormat": "text/plain"}, ["protocolContext"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_our_api_opens_what_the_reference_encrypts(
    theirs: ReferenceScript, web5: Web5, properties: dict[str, Any], schemes: list[str]
) -> None:
    data = os.urandom(40_000)
    secrets = {"key": encoded(os.urandom(32)), "iv": encoded(os.urandom(16))}
    root = await exported(web5)
    made = await theirs.call("write", data=encoded(data), schemes=schemes, properties=properties, **secrets, **root)
    record = Record(
        web5.agent, Actor(web5.connected_did, web5.agent.signer), made["message"], data=base64.b64decode(made["data"])
    )
    assert await record.data.bytes() == data


async def test_the_reference_opens_what_our_api_encrypts(theirs: ReferenceScript, web5: Web5) -> None:
    root = await exported(web5)
    protocol = await web5.dwn.protocols.configure(DEFINITION, encryption=True)
    assert protocol.definition == await theirs.call("inject", definition=DEFINITION, **root)
    note = await web5.dwn.records.create("a note", protocol=NOTES, protocol_path="note")
    remark = {"protocol": NOTES, "protocol_path": "note/remark", "parent_context_id": note.context_id}
    every = Encryption(schemes=["schemas", "dataFormats"])
    records = [
        note,
        await (await web5.dwn.records.create("a remark", **remark)).update(data="another remark"),
        await web5.dwn.records.create("by schema", schema="https://schema.example/note", encryption=every),
        await web5.dwn.records.create("by format", encryption=True),
    ]
    for record in records:
        message, data = record.raw_message, await stored(web5, record)
        for entry in message["encryption"]["keyEncryption"]:
            key = {
                "rootKeyId": root["rootKeyId"],
                "derivationScheme": entry["derivationScheme"],
                "derivedPrivateKey": root["privateJwk"],
            }
            opened = await theirs.call("decrypt", message=message, key=key, data=data)
            assert base64.b64decode(opened).decode() == await record.data.text()


async def test_the_reference_opens_what_we_encrypt_for_its_protocol(theirs: ReferenceScript, web5: Web5) -> None:
    """Bob is the reference: his definition has his keys, and his root opens what is encrypted for them."""
    pair = await theirs.call("keyPair")
    root = {"rootKeyId": "did:example:bob#enc", "privateJwk": pair["privateJwk"]}
    theirs_configured = await theirs.call("inject", definition=DEFINITION, **root)
    await web5.dwn.protocols.configure(DEFINITION)
    record = await web5.dwn.records.create(
        "for bob", protocol=NOTES, protocol_path="note", encryption=Encryption(definitions=[theirs_configured])
    )
    key = {
        "rootKeyId": root["rootKeyId"],
        "derivationScheme": "protocolPath",
        "derivedPrivateKey": root["privateJwk"],
    }
    opened = await theirs.call("decrypt", message=record.raw_message, key=key, data=await stored(web5, record))
    assert base64.b64decode(opened).decode() == await record.data.text() == "for bob"


async def test_the_reference_opens_what_our_api_encrypts_for_a_recipient(theirs: ReferenceScript, web5: Web5) -> None:
    bob = await web5.identities.create("bob", dwn_endpoints=[])
    record = await web5.dwn.records.create("for bob", recipient=bob.did, encryption=True)
    root = await exported(web5, bob.did)
    path = await theirs.call("path", scheme="dataFormats", message=record.raw_message)
    key = {
        "rootKeyId": root["rootKeyId"],
        "derivationScheme": "dataFormats",
        "derivationPath": path,
        "derivedPrivateKey": root["privateJwk"],
    }
    opened = await theirs.call("decrypt", message=record.raw_message, key=key, data=await stored(web5, record))
    assert base64.b64decode(opened) == b"for bob"
