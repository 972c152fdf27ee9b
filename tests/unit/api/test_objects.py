"""Objects in an app's hands: `repr` in one line and without keys, equality by what identifies them, and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import Connection, Encryption, Protocol, ProtocolPermissions, Record, Web5
from web5.agent.delegation.delegation import Delegation
from web5.api.nodes.nodes import Node, NodeState
from web5.api.typed.declaration import type_of
from web5.crypto.kdf import slip10
from web5.dids.dht import KeySpec
from web5.dids.models import PortableDid
from web5.dwn.encryption.content import ContentKey
from web5.dwn.encryption.derivation import RootKey
from web5.remote.info import ServerInfo

NOTES: dict[str, Any] = {
    "protocol": "https://example.org/notes",
    "published": True,
    "types": {"note": {}},
    "structure": {"note": {}},
}
LONG = "secret " * 100


def declared(uri: str = "https://example.org/objects", *tags: str) -> Protocol:
    protocol = Protocol(uri)

    @protocol.type("note", tags=tags)
    class Note(BaseModel):
        text: str
        kind: str = ""

    return protocol


@pytest.fixture
async def alice(world: World) -> Web5:
    return await connected(world, "alice")


async def test_an_api_and_its_connection_say_for_whom(alice: Web5) -> None:
    did = alice.connected_did
    assert repr(alice) == f"<Web5 {did}>"
    connection = Connection(alice, created=True, recovery_phrase="one two three")
    assert repr(connection) == f"<Connection {did}>"
    assert connection == (alice, did) and hash(connection) == hash((alice, did))


async def test_data_are_named_and_not_shown(alice: Web5) -> None:
    record = await alice.dwn.records.create(LONG)
    assert repr(record.data) == f"<RecordData text/plain, {len(LONG)} bytes>"
    assert repr(record) == f"<Record {record.id}: text/plain, {len(LONG)} bytes>"
    assert json.loads(json.dumps(record.to_json()))["recordId"] == record.id


async def test_a_typed_record_shows_the_beginning_of_its_value(alice: Web5) -> None:
    protocol = declared()
    kind = protocol.types["note"].model
    notes = alice.records(kind)
    assert repr(notes) == "<TypedRecords Note: note of https://example.org/objects>"
    note = await notes.create(kind(text=LONG))
    assert repr(note).startswith(f"<TypedRecord {note.id} note: Note(text='secret secret ")
    assert len(repr(note)) < 250 and "\n" not in repr(note)
    assert note == await notes.read(note.id) and hash(note) == hash(await notes.read(note.id))
    await note.delete()
    assert repr(note) == f"<TypedRecord {note.id} note: deleted>"


def test_protocols_are_equal_that_make_the_same_definition() -> None:
    one, same, other = declared(), declared(), declared("https://example.org/objects", "kind")
    assert one == same and hash(one) == hash(same)
    assert one != other and one != Protocol("https://example.org/objects") and one != one.uri
    assert repr(one) == "<Protocol https://example.org/objects: note>"
    assert repr(Protocol("https://example.org/empty")) == "<Protocol https://example.org/empty: no types>"
    kind = type_of(one.types["note"].model)
    assert repr(kind) == "<RecordType note of https://example.org/objects: Note>"
    assert kind == one.types["note"] and kind != same.types["note"]  # another model
    assert {kind: 1}[one.types["note"]] == 1


async def test_permissions_are_equal_in_the_same_state(world: World, alice: Web5) -> None:
    bob = await connected(world, "bob")
    await alice.dwn.protocols.configure(NOTES)
    scope = {"interface": "Records", "method": "Read", "protocol": NOTES["protocol"]}
    request = await bob.dwn.permissions.request(scope=scope)
    asked = alice.dwn.permissions.parse(request.raw_message)
    assert asked == request and hash(asked) == hash(request)
    assert repr(asked) == f"<PermissionRequest {request.id}: RecordsRead protocol='https://example.org/notes'>"
    grants = [
        await alice.dwn.permissions.grant(
            granted_to=bob.connected_did, scope=scope, date_expires=timedelta(days=1), request_id=request.id
        )
        for _ in range(2)
    ]
    found = await alice.dwn.permissions.query_grants()
    assert found == grants and set(found) == set(grants) and grants[0] != grants[1] != request
    assert repr(grants[0]) == f"<PermissionGrant {grants[0].id}: RecordsRead protocol='https://example.org/notes'>"
    end = await grants[0].revoke(description="enough")
    assert repr(end) == f"<GrantRevocation {end.id}: of {grants[0].id}>"
    assert end.to_json() == {
        "description": "enough",
        "id": end.id,
        "parentId": grants[0].id,
        "dateCreated": end.raw_message["descriptor"]["dateCreated"],
    }
    assert alice.dwn.permissions.parse(json.loads(json.dumps(end.raw_message))) == end


async def test_a_delegation_shows_no_keys(alice: Web5) -> None:
    permissions = ProtocolPermissions(NOTES, ["read", "write"])
    assert repr(permissions) == "<ProtocolPermissions https://example.org/notes: read, write>"
    same = ProtocolPermissions(dict(NOTES), ["read", "write"])
    assert permissions == same and hash(permissions) == hash(same)
    given = await alice.authorize(permissions=[permissions])
    delegation, again = Delegation.from_json(given), Delegation.from_json(given)
    assert delegation == again and hash(delegation) == hash(again)
    assert delegation != replace(delegation, portable_did=None)
    number = len(delegation.grants)
    of = f"of {alice.connected_did} to {delegation.delegate_did}: {number} grants"
    assert repr(delegation) == f"<Delegation {of}, with its keys>"
    assert repr(replace(delegation, portable_did=None)) == f"<Delegation {of}>"


async def test_nodes_are_told_in_one_line(world: World, alice: Web5) -> None:
    await alice.dwn.records.create("x")
    assert (await alice.sync.now()).ok
    await alice.nodes.info(world.endpoints[0])
    nodes = await alice.nodes.list()
    assert [repr(one) for one in nodes] == [f"<Node {url}: in step>" for url in world.endpoints]
    assert nodes == await alice.nodes.list() and len(set(nodes)) == 2
    node = Node("https://n", NodeState.PENDING, "it was not visited yet", None, ServerInfo())
    assert repr(node) == "<Node https://n: pending, it was not visited yet>"
    assert node != replace(node, state=NodeState.IN_STEP) and {node} == {replace(node)}


async def test_no_repr_has_a_private_key(alice: Web5) -> None:
    portable = await alice.identities.export(alice.connected_did)
    did = PortableDid.model_validate(portable["portableDid"])
    assert did.private_keys
    spec = KeySpec(private_jwk=did.private_keys[0])
    for one in (did, spec):
        assert not any(key["d"] in repr(one) for key in did.private_keys)
    secret = bytes([7]) * 32
    root = RootKey("did:x:y#k", secret)
    for key in (ContentKey(secret, bytes(16)), root, root.derive("schemas", ["schemas"])):
        assert repr(secret)[2:10] not in repr(key)
    assert repr(slip10(secret, "m/0'")) == "<HdKey>"
    assert "types" not in repr(Encryption(definitions=[NOTES]))


async def test_a_credential_is_named_by_its_record(alice: Web5) -> None:
    jwt = await alice.vc.sign(alice.vc.create(subject=alice.connected_did, data={"name": "Alice"}, type="Name"))
    kept = await alice.vc.store(jwt)
    assert jwt not in repr(kept) and kept.record.id in repr(kept)
    assert [kept] == await alice.vc.list() and isinstance(kept.record, Record)
