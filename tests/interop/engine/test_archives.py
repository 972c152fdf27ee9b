"""An archive, read by `zipfile` and JSON alone and replayed into the reference's DWN, makes the same records there."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.interop.reference import ReferenceScript
from web5 import Web5
from web5.cpython.agent import open_agent
from web5.cpython.crypto import CPythonCrypto
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.ports.clock import SystemClock

CRYPTO, CLOCK = CPythonCrypto(), SystemClock()
URI = "https://example.org/chat"
DEFINITION = {
    "protocol": URI,
    "published": True,
    "types": {name: {"dataFormats": ["text/plain"]} for name in ("thread", "member", "message", "secret")},
    "structure": {"thread": {"member": {"$role": True}, "message": {"$tags": {"color": {"type": "string"}}}}},
}
LARGE = bytes(range(256)) * 300


def in_archive(archive: zipfile.ZipFile) -> list[tuple[str, Any, bytes | None]]:
    """The messages of an archive in their order, with their CIDs and data, as docs/archive.md has it."""
    found, names = [], set(archive.namelist())
    for file in json.loads(archive.read("manifest.json"))["files"]:
        if not file["name"].startswith("messages/"):
            continue
        for line in map(json.loads, archive.read(file["name"]).splitlines()):
            message, data = line["message"], None
            if "encodedData" in line:
                text = line["encodedData"]
                data = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
            elif (name := f"data/{message['descriptor'].get('dataCid')}") in names:
                data = archive.read(name)
            found.append((line["cid"], message, data))
    return found


async def replay(reference: ReferenceScript, tenant: str, messages: list[tuple[str, Any, bytes | None]]) -> list[Any]:
    """Hand the messages over in their order, what is refused again once others have come; what is refused at last."""
    while True:
        refused = []
        for cid, message, data in messages:
            more = {} if data is None else {"data": b64encode(data).decode()}
            reply = await reference.call("process", tenant=tenant, message=message, **more)
            if reply["status"]["code"] >= 300:
                refused.append((cid, reply["status"]))
        again = {cid for cid, _ in refused}
        if len(refused) in (0, len(messages)):
            return refused
        messages = [one for one in messages if one[0] in again]


async def test_the_reference_replays_an_archive(reference: ReferenceScript, tmp_path: Path) -> None:
    agent = await open_agent(gateway_uris=["http://127.0.0.1:9/"], data_path=tmp_path)
    await agent.initialize(dwn_endpoints=[])
    portable_did = await jwk.create(CRYPTO)
    did = portable_did.uri
    await agent.import_identity({"portableDid": portable_did.to_wire(), "metadata": {"name": "Me"}})
    web5 = Web5(agent, did)
    records, protocols = web5.dwn.records, web5.dwn.protocols
    await protocols.configure(DEFINITION)
    thread = await records.create("first", protocol=URI, protocol_path="thread")
    in_thread = {"protocol": URI, "parent_context_id": thread.context_id}
    await records.create("milk", protocol_path="thread/message", tags={"color": "white"}, **in_thread)
    member = await records.create(
        "", protocol_path="thread/member", recipient="did:example:bob", data_format="text/plain", **in_thread
    )
    await thread.update(data="second")
    await records.delete(member.id)
    pruned = await records.create("gone", protocol=URI, protocol_path="thread")
    await records.create("gone, too", protocol=URI, protocol_path="thread/message", parent_context_id=pruned.context_id)
    await records.delete(pruned.id, prune=True)
    changed = {**DEFINITION, "structure": {**DEFINITION["structure"], "secret": {}}}  # type: ignore[dict-item]
    await protocols.configure(changed)
    await records.create("under newer rules", protocol=URI, protocol_path="secret")
    film = await records.create(LARGE, schema="https://example.org/film", published=True)
    cut = await records.create(LARGE, schema="https://example.org/film")
    await cut.update(data=LARGE[:40_000])
    await records.create(b"", schema="https://example.org/empty")
    await records.create("12-34-56", schema="https://example.org/lock", encryption=True)
    await web5.dwn.permissions.grant(
        granted_to="did:example:app",
        scope={"interface": "Records", "method": "Read", "protocol": URI},
        date_expires=timedelta(days=1),
    )

    target = io.BytesIO()
    await web5.export(target, keys="none")
    with zipfile.ZipFile(target) as archive:
        messages = in_archive(archive)
    refused = await replay(reference, did, messages)
    assert [status for _, status in refused if status["code"] != 409] == []

    signer = await signer_for(portable_did, CRYPTO)
    ours = agent.dwn.process_message
    query = await compose.messages_query(signer, CLOCK)
    here = (await ours(did, query))["entries"]
    there = (await reference.call("process", tenant=did, message=query))["entries"]
    superseded = {cid for cid, message, _ in messages if "definition" in message["descriptor"]} - set(here)
    assert len(superseded) == 1
    assert set(there) == set(here) == {cid for cid, *_ in messages} - superseded
    for record in (film, cut):
        read = await compose.records_read(signer, CLOCK, filter={"recordId": record.id})
        reply = await reference.call("process", tenant=did, message=read)
        assert b64decode(reply["entry"]["data"]) == (LARGE if record is film else LARGE[:40_000])
    query = await compose.records_query(signer, CLOCK, filter={"dataFormat": "text/plain"})
    mine, theirs = await ours(did, query), await reference.call("process", tenant=did, message=query)
    assert sorted(json.dumps(one, sort_keys=True) for one in mine["entries"]) == sorted(
        json.dumps(one, sort_keys=True) for one in theirs["entries"]
    )
    await agent.close()
