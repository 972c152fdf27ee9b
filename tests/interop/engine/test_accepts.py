"""The reference engine takes every message that we compose, under the CID that we give it, with its data."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from tests.interop.reference import ReferenceScript
from tests.unit.dwn.persons import Person, SteppingClock, our_engine, person
from web5.dwn import compose
from web5.dwn.values.cid import message_cid

GENERATED = 250
SIZES = [0, 1, 29_999, 30_000, 30_001, 262_144, 262_145, 524_289, 1_000_000]
ALGORITHMS = ["Ed25519", "secp256k1", "P-256"]


async def send(reference: ReferenceScript, tenant: Person, message: Any, data: bytes | None = None) -> Any:
    more = {} if data is None else {"data": base64.b64encode(data).decode()}
    return await reference.call("process", tenant=tenant.did, message=message, **more)


async def test_writes_updates_and_deletes_with_all_options(reference: ReferenceScript) -> None:
    rng, clock = random.Random(5), SteppingClock()
    alice, bob = await person(), await person()
    sent: list[dict[str, Any]] = []
    newest: list[dict[str, Any]] = []
    for _ in range(GENERATED):
        data = rng.randbytes(rng.choice((1, 50, 5000)))
        tags = {"text": "é\U0001f600", "number": rng.choice((0, -1.5, 2**53, 1e21)), "list": ["a", "b"], "flag": True}
        choice = rng.random()
        if choice < 0.6 or not newest:
            message = await compose.records_write(
                alice.signer,
                clock,
                data=data,
                data_format=rng.choice(("text/plain", "application/octet-stream")),
                schema=rng.choice((None, "schema.org/Note/", "https://Schema.org:443/Note")),
                recipient=rng.choice((None, bob.did)),
                published=rng.choice((None, True, False)),
                tags=dict(rng.sample(sorted(tags.items()), rng.randrange(1, 5))) if rng.random() < 0.6 else None,
                attestation_signers=[bob.signer] if rng.random() < 0.3 else (),
            )
            newest.append(message)
        elif choice < 0.85:
            place = rng.randrange(len(newest))
            give = {} if rng.random() < 0.3 else {"data": data}
            data = data if give else None
            message = await compose.records_write(
                alice.signer, clock, existing=newest[place], published=rng.choice((None, True, False)), **give
            )
            newest[place] = message
        else:
            gone = newest.pop(rng.randrange(len(newest)))
            message, data = await compose.records_delete(alice.signer, clock, record_id=gone["recordId"]), None
        sent.append(message)
        reply = await send(reference, alice, message, data)
        assert reply["status"]["code"] == 202, (message, reply)
    assert await reference.call("messageCids", messages=sent) == [message_cid(message) for message in sent]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_questions_signed_with_every_algorithm(reference: ReferenceScript, algorithm: str) -> None:
    clock, alice = SteppingClock(), await person(algorithm)
    signer = alice.signer
    write = await compose.records_write(signer, clock, data=b"x", data_format="text/plain", published=True)
    questions = [
        await compose.records_query(None, clock, filter={"dataFormat": "text/plain"}),
        await compose.records_query(
            signer,
            clock,
            filter={"recordId": write["recordId"], "schema": None},
            date_sort="publishedDescending",
            pagination={"limit": 1, "cursor": None},
        ),
        await compose.records_read(None, clock, filter={"recordId": write["recordId"]}),
        await compose.records_read(signer, clock, filter={"recordId": write["recordId"]}),
        await compose.messages_query(signer, clock),
        await compose.messages_query(signer, clock, filters=[{"interface": "Records"}, {}]),
        await compose.messages_read(signer, clock, message_cid=message_cid(write)),
    ]
    assert (await send(reference, alice, write, b"x"))["status"]["code"] == 202
    for question in questions:
        reply = await send(reference, alice, question)
        assert reply["status"]["code"] == 200, (question, reply)
        assert reply.get("entries", ["one entry"]), question


@pytest.mark.parametrize("size", SIZES)
async def test_data_of_many_sizes_is_taken_and_given_back_by_both(reference: ReferenceScript, size: int) -> None:
    clock, alice = SteppingClock(), await person()
    dwn = await our_engine(clock)
    data = random.Random(size).randbytes(size)
    write = await compose.records_write(alice.signer, clock, data=data, data_format="application/octet-stream")
    read = await compose.records_read(alice.signer, clock, filter={"recordId": write["recordId"]})
    assert (await send(reference, alice, write, data))["status"]["code"] == 202
    assert (await dwn.process_message(alice.did, write, data))["status"]["code"] == 202
    theirs = await send(reference, alice, read)
    ours = await dwn.process_message(alice.did, read)
    assert theirs["status"] == ours["status"] == {"code": 200, "detail": "OK"}
    assert base64.b64decode(theirs["entry"]["data"]) == await ours["entry"]["data"].read() == data
