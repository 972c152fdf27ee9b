"""Fills the store of our page with conversations and files, in its worker. `COUNTS` stands in for what it is to do.

The others have DIDs that no gateway need know, and no nodes: what is written to them stays here.
"""

import json

import agent
from app.messages.protocol import FILE, MESSAGE, FileNote, Message, Person, messaging
from app.messages.protocol import people as known
from app.notes import files

from web5.api.records.data import chunked
from web5.api.records.encryption import RecordEncryption
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dwn import Delivery, compose
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp

MARK, PEOPLE, EACH, FILES, PICTURE = COUNTS  # noqa: F821
BATCH = 200
TEXTS = ("See you at the pier", "The boat leaves at half past seven", "And who brings the bread?", "I do")


class Filler:
    """What is to be stored, a batch at a time."""

    def __init__(self, web5):
        self._agent, self._me = web5.agent, web5.connected_did
        self._encryption = RecordEncryption(web5.agent, self._me)
        self._batch = []
        self.moment = web5.agent.clock.now() - (PEOPLE * EACH + FILES + 1) * 1_000_000

    async def put(self, signer, data, **options):
        """Store a record a second after the last, encrypted where it is of a protocol; return its ID."""
        self.moment += 1_000_000
        if "protocol" in options:
            cipher = await self._encryption.for_new_record(None, {**options, "recipient": None})
            data = b"".join([chunk async for chunk in cipher.encrypt_stream(chunked(data))])
            options["encryption"] = cipher.property
        message = await compose.records_write(
            signer, self._agent.clock, data=data, date_created=format_timestamp(self.moment), **options
        )
        self._batch.append(Delivery(message, data, message_cid(message)))
        if len(self._batch) >= BATCH:
            await self.end()
        return message["recordId"]

    async def end(self):
        """Store what is left."""
        batch, self._batch = self._batch, []
        if batch:
            replies = await self._agent.dwn.process_writes(self._me, batch)
            assert all(reply["status"]["code"] == 202 for reply in replies), replies


def place(protocol, path):
    return {"protocol": protocol.uri, "protocol_path": path}


async def fill():
    session, _ = agent.opening.result()
    web5, made = session.web5, Filler(session.web5)
    me, node = await session.web5.agent.signer(web5.connected_did), web5.agent
    for protocol in (messaging, known):
        await web5.dwn.protocols.configure(protocol.to_definition())
    others = []
    for number in range(PEOPLE):
        theirs = await jwk.create(node.crypto, "secp256k1")
        others.append((theirs.uri, await signer_for(theirs, node.crypto)))
        person = Person(did=theirs.uri, standing="accepted", name=f"Person {number}", seen=made.moment + 10**12)
        await made.put(me, person.model_dump_json().encode(), data_format="application/json", **place(known, "person"))
    picture = bytes.fromhex(PICTURE)
    for turn in range(EACH):
        for number, (did, signer) in enumerate(others):
            author, recipient = (me, did) if (number + turn) % 2 else (signer, web5.connected_did)
            to = {"recipient": recipient, "tags": {"key": f"{MARK} {turn} {number}"}}
            note, text = None, f"{TEXTS[(number + turn) % len(TEXTS)]}, {turn} of {number}"
            if turn == EACH - 1 and number < FILES // 2:
                data = picture + number.to_bytes(4, "big")
                record = await made.put(
                    author, data, data_format="application/octet-stream", **place(messaging, FILE), **to
                )
                note, text = FileNote(record=record, name=f"{number}.png", type="image/png", size=len(data)), ""
            value = Message(text=text, key=to["tags"]["key"], file=note).model_dump_json().encode()
            await made.put(author, value, data_format="application/json", **place(messaging, MESSAGE), **to)
    for number in range(FILES - min(FILES // 2, PEOPLE)):
        data = picture + number.to_bytes(5, "big")
        await made.put(
            me, data, data_format="image/png", schema=files.SCHEMA, tags={files.NAME: f"picture {number:03}.png"}
        )
    await made.end()
    return json.dumps(len(others))


await fill()  # noqa: F704
